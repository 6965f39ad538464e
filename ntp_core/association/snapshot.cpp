#include "ntp_core/association/snapshot.hpp"

namespace concert::ntp {

namespace {

constexpr std::array<std::string_view, packet_verdict_count> names{
  "accepted",        "malformed",       "wrong-mode",     "wrong-version",
  "unsolicited",     "bogus-origin",    "late",           "unauthenticated",
  "kiss-nts",        "kiss-rate",       "kiss-deny",      "kiss-other",
  "zero-stamp",      "reversed-stamps", "unsynchronized", "distant",
  "stale-reference",
};

} // namespace

std::string_view to_string(packet_verdict v) {
  return names.at(static_cast<std::size_t>(v));
}

} // namespace concert::ntp
