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

/// "host:port" without the port that all use, or the address where there is no
/// name.
std::string short_name(const observed_source& source);

/// What stands under a source in a table whose names are at most
/// `name_columns` wide: what the table had to cut of the name, the address
/// where that adds to it, the state and its reason unless it is selected. May
/// be empty.
std::string explanation(const observed_source& source,
                        std::size_t name_columns);

/// The seconds of a poll interval: "64 s".
std::string poll_interval(const observed_source& source);

/// What is missing where the document was cut; empty where it was not.
std::string truncation(const observation& o);

} // namespace concert::ctl
