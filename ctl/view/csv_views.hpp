#pragma once

#include "ctl/observation.hpp"

#include <string>

/// The tables of ntp-ctl for spreadsheets and scripts: columns are called as
/// the members of the observation document, with its units.
namespace concert::ctl {

std::string sources_csv(const observation& o);
/// One row.
std::string tracking_csv(const observation& o);
std::string servers_csv(const observation& o);
/// The sources with NTS.
std::string nts_csv(const observation& o);

} // namespace concert::ctl
