#pragma once

#include "platform/error.hpp"
#include "tools/ntp_load/sample_set.hpp"

namespace concert::load {

/// How long after its kernel transmit stamp a packet on the loopback interface
/// gets its kernel receive stamp, ns. Both are taken on the way through one
/// call, so that what a server's stamps are wrong by can be told to tens of
/// nanoseconds from one side. Takes a few milliseconds.
platform::result<sample_set> measure_stamp_gap();

} // namespace concert::load
