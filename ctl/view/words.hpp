#pragma once

#include "ctl/observation.hpp"

#include <string>

/// Sentences that more than one view needs.
namespace concert::ctl {

/// One character for a source's state, as in the tables: '*' selected,
/// '+' candidate, 'x' falseticker, '?' unreachable, '!' unusable.
char mark(const observed_source& source);

/// The state in capitals and since when: "SYNCHRONIZED for 12 min".
std::string headline(const observed_system& system);

/// Whether the clock has ever been compared with a source.
bool is_measured(const observed_system& system);

/// "1.23 ms slow of the agreed time, +/- 85.0 us".
std::string clock_sentence(const observed_system& system);

/// "true error 1.31 ms slow (virtual clock)"; empty where truth is unknown.
std::string truth_sentence(const observed_clock& clock);

/// "host:port" without the port that all use for `nts` or without it.
std::string without_usual_port(std::string name, bool nts);

/// The source's name without that port, or the address where there is no name.
std::string short_name(const observed_source& source);

/// What stands under a source in a table whose names are at most
/// `name_columns` wide: what the table had to cut of the name, the address
/// where that adds to it, NTS where it is used, the state and its reason unless
/// it is selected. May be empty.
std::string explanation(const observed_source& source,
                        std::size_t name_columns);

/// "[::]:123 on eth0: listening", "[::]:4460: NOT LISTENING, address in use".
/// `interface` may be empty.
std::string listener(const std::string& address, const std::string& interface,
                     std::optional<bool> listening, const std::string& problem);

/// The daemon's clock as Unix time, s, between 1970 and 2106.
std::optional<double> unix_now_s(const observation& o);

/// How long a certificate is still valid by the daemon's clock, s; negative
/// when it has expired.
std::optional<double> time_left_s(const observation& o,
                                  const observed_certificate& certificate);

/// The seconds of a poll interval: "64 s".
std::string poll_interval(const observed_source& source);

/// What is missing where the document was cut; empty where it was not.
std::string truncation(const observation& o);

} // namespace concert::ctl
