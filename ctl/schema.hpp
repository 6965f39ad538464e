#pragma once

#include "ctl/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The control protocol, in one place: who connects to the control socket sends
/// requests, one JSON object a line, and gets for each of them one or more
/// lines with its `id`. docs/control.md describes it for people.
namespace concert::ctl {

/// `v` of each request and answer. Requests of other versions are refused.
inline constexpr int control_version = 1;
/// A longer request is refused, and its connection closed (octets).
inline constexpr std::size_t max_request = 64 * 1024;
/// No answer line is longer (octets).
inline constexpr std::size_t max_answer = 2 * 1024 * 1024;

enum class control_verb : std::uint8_t {
  // What everybody may ask.
  hello,         ///< version of program and protocol, rights of the asker
  status,        ///< the observation document
  get,           ///< `key`, or all keys with their values
  source_list,   ///< the `[[source]]` entries in force, and where they are from
  diff,          ///< running against files
  actors,        ///< statistics of all actors
  interface_map, ///< actors' interfaces and messages
  // What root and the group may ask.
  set,           ///< `key`, `value`
  unset,         ///< `key`: back to what the files say
  source_add,    ///< `value`: lines of `key = value` of a `[[source]]`
  source_modify, ///< `source`, `value`: the same, of the keys that change
  source_remove, ///< `source`
  online,        ///< `source`, or all
  offline,       ///< `source`, or all
  burst,         ///< `source`, or all: ask soon, within the burst budget
  reload,        ///< read the files again; with `discard` forget what was
                 ///< changed at run time and not persisted
  persist,       ///< keep the run-time changes over a restart
  step,          ///< step away the present offset instead of slewing it
  force_sync,    ///< lift a panic and step, whatever the size
  trace,         ///< messages of `actors` as they are handled, until closed
  inject,        ///< `actors`, `value`: a fault on purpose, where allowed
};
inline constexpr std::size_t control_verb_count = 21;

/// "source-add", as in JSON.
std::string_view to_string(control_verb v);
std::optional<control_verb> control_verb_of(std::string_view name);
/// Whether only root and the group may ask for it.
bool needs_rights(control_verb v);

/// One request. Absent members are empty; which a verb takes is said above.
struct control_request {
  std::uint64_t id = 0; ///< chosen by the asker, repeated in the answers
  control_verb what = control_verb::hello;
  std::string key;
  std::string value;
  std::string source;   ///< as configured, "host" or "host:port"; empty = all
  bool persist = false; ///< changes: keep over a restart at once
  bool discard = false;
  /// Kinds ("source"), names or numbers of actors; empty = all.
  std::vector<std::string> actors;
  bool operator==(const control_request&) const = default;
};

/// Why a request was not carried out; nothing was changed then.
enum class control_refusal : std::uint8_t {
  malformed,     ///< no JSON object, or a member of a wrong type
  version,       ///< another version of the protocol
  unknown,       ///< no such request
  not_permitted, ///< for root and the group only
  invalid,       ///< the configuration would not be valid
  not_found,     ///< no such key, source or actor
  not_now,       ///< the daemon's state does not allow it
  busy,          ///< too many requests
  failed,        ///< the operating system refused
};
inline constexpr std::size_t control_refusal_count = 9;
std::string_view to_string(control_refusal r);

struct control_problem {
  control_refusal why{};
  std::string text; ///< sentences for people, one a line
};

/// One answer line: `result`, or why not.
struct control_answer {
  std::string result; ///< JSON; empty with a problem
  std::optional<control_problem> problem;
  bool more = false; ///< further lines with the same id follow
};

/// @returns the problem and, in `id`, the asker's number if it could be read.
tl::expected<control_request, control_problem>
read_request(std::string_view line, std::uint64_t& id);
/// One line without its newline.
std::string to_json(const control_request& request);
std::string to_json(std::uint64_t id, const control_answer& answer);

/// An answer line as its reader sees it.
struct read_answer {
  std::uint64_t id = 0;
  control_answer answer;
};
/// @returns `errc::malformed`.
result<read_answer> read_control_answer(std::string_view line);

} // namespace concert::ctl
