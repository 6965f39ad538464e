#pragma once

#include "ctl/status.hpp"

/// Daemons in the situations that people meet.
namespace concert::ctl::samples {

/// Synchronized to three of four sources; the fourth is 300 ms off. A virtual
/// clock, one server.
daemon_status locked();

/// The same with no source that answers, for a quarter of an hour.
daemon_status holdover();

/// Just started: no answer yet.
daemon_status starting();

/// No sources, and a server whose port is in use.
daemon_status lonely();

/// As `locked`, with NTS at two of the sources and one more that has no keys;
/// gives keys out at one address, and cannot at another.
daemon_status nts();

/// One more source with plausible values.
source_status source(std::uint64_t id, const std::string& name,
                     double offset_s);

} // namespace concert::ctl::samples
