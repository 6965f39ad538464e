#pragma once

#include "config/config.hpp"

#include <string_view>
#include <utility>
#include <vector>

/// The words of keys that take one of a few, for who reads and who writes them.
/// Of two words for the same the first is written.
namespace concert::config {

template <class Enum>
using word_list = std::vector<std::pair<std::string_view, Enum>>;

inline word_list<log_level> log_level_words() {
  return {{"trace", log_level::trace},     {"debug", log_level::debug},
          {"info", log_level::info},       {"warn", log_level::warning},
          {"warning", log_level::warning}, {"error", log_level::error}};
}

inline word_list<clock_kind> clock_kind_words() {
  return {{"system", clock_kind::system},
          {"virtual", clock_kind::virtual_},
          {"read-only", clock_kind::read_only},
          {"auto", clock_kind::automatic}};
}

inline word_list<source_mode> source_mode_words() {
  return {{"server", source_mode::server},
          {"pool", source_mode::pool},
          {"nts", source_mode::nts},
          {"nts-pool", source_mode::nts_pool}};
}

inline word_list<certificate_time_check> time_check_words() {
  return {{"always", certificate_time_check::always},
          {"after-first-sync", certificate_time_check::after_first_sync}};
}

/// `on-panic`: whether to exit.
inline word_list<bool> on_panic_words() {
  return {{"stop", false}, {"exit", true}};
}

inline word_list<dispatch_kind> dispatch_words() {
  return {{"auto", dispatch_kind::automatic},
          {"client-address", dispatch_kind::client_address},
          {"receive-queue", dispatch_kind::receive_queue}};
}

inline word_list<ntp::access_order> filter_order_words() {
  return {{"deny-first", ntp::access_order::deny_first},
          {"longest-match", ntp::access_order::longest_match}};
}

/// `action` of a filter: whether to answer with a DENY kiss.
inline word_list<bool> action_words() {
  return {{"deny", true}, {"ignore", false}};
}

} // namespace concert::config
