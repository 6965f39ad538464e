#pragma once

#include "ctl/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The inspector's documents: one struct each, one writer, one reader.
namespace concert::ctl {

/// How many of the sampled messages took so long: the element i counts those
/// of less than 2^i × 256 ns that no element before counts; the last one counts
/// the rest.
inline constexpr std::size_t duration_buckets = 24;
using duration_histogram = std::array<std::uint64_t, duration_buckets>;

/// The messages of one type that an actor handled.
struct message_status {
  std::string type; ///< "source_report"
  std::uint64_t handled = 0;
  double slowest_s = 0; ///< of the sampled ones
};

/// One actor. Read without asking it, so that a stuck one shows.
struct actor_status {
  std::uint64_t id = 0;
  std::string kind;         ///< "source"
  std::string name;         ///< what it is about; may be empty
  std::uint64_t parent = 0; ///< 0 = none
  std::string placement; ///< "pool", "event-loop", "key-exchange", "control",
                         ///< "detached"
  double uptime_s = 0;
  std::uint64_t mailbox_depth = 0;
  std::uint64_t handled = 0;
  std::uint32_t restarts = 0; ///< of this place in the tree
  std::string handling;       ///< type of the message in its hands, or empty
  double handling_s = 0;      ///< for how long; 0 without
  std::string last_error;     ///< of this incarnation or the one before
  std::vector<message_status> messages;
  duration_histogram wait{}; ///< in the mailbox
  duration_histogram handling_time{};
};

struct actors_status {
  bool enabled = true; ///< false: only ids, kinds, names and parents are known
  std::vector<actor_status> actors;
};

std::string to_json(const actors_status& status);
/// @returns `errc::malformed`.
result<actors_status> read_actors(std::string_view json);

/// One message of a trace; without a receiver it is only a sign of life, such
/// as the first of each trace.
struct traced_message {
  double at_s = 0;          ///< Unix time of the begin of its handling
  std::uint64_t sender = 0; ///< 0 = none
  std::string sender_kind;
  std::string sender_name;
  std::uint64_t receiver = 0;
  std::string receiver_kind;
  std::string receiver_name;
  std::string type;
  double wait_s = 0; ///< in the mailbox; negative = not known
  double handling_s = 0;
  std::uint64_t lost = 0; ///< messages before this one that found no room
};
std::string to_json(const traced_message& message);
result<traced_message> read_traced_message(std::string_view json);

/// One typed interface, as the code has it.
struct interface_status {
  std::string kind;
  /// Request → answer; the answer is empty where there is none.
  std::vector<std::pair<std::string, std::string>> messages;
};
std::string to_json(const std::vector<interface_status>& interfaces);
result<std::vector<interface_status>> read_interfaces(std::string_view json);

} // namespace concert::ctl
