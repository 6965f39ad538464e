#pragma once

#include "ctl/observation.hpp"
#include "ntp_core/shadow/snapshot.hpp"

#include <string>

/// The plain outputs of ntp-ctl: an observation in, text for people out.
namespace concert::ctl {

/// Everything on one screen.
std::string status_view(const observation& o);

/// One line a source, and one more with the reason where it is not used.
std::string sources_view(const observation& o);

/// The system in the order that users of `chronyc tracking` expect.
std::string tracking_view(const observation& o);

/// For each address what came in and what became of it.
std::string servers_view(const observation& o);

/// The same without the clients that ask most.
std::string servers_summary(const observation& o);

/// Network Time Security: the keys of the sources, the servers that give keys
/// out, and the keys of their cookies.
std::string nts_view(const observation& o);

/// Of that, the servers that give keys out, without what ended badly. Empty
/// without any.
std::string nts_summary(const observation& o);

/// Another daemon's clock as we see it: a sentence, and a line an hour.
std::string compare_view(const ntp::shadow_snapshot& shadow);
/// The same hours as comma-separated values, SI units, with a line of titles.
std::string compare_csv(const ntp::shadow_snapshot& shadow);

} // namespace concert::ctl
