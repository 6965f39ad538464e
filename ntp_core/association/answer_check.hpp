#pragma once

#include "ntp_core/association/measurement.hpp"
#include "ntp_core/association/snapshot.hpp"
#include "ntp_core/packet/header.hpp"

namespace concert::ntp {

/// Judges what an answer says, once its origin stamp has shown that it is ours:
/// kisses first, then the stamps, the server's synchronisation, its root
/// distance and its reference stamp (RFC 5905 §7.4, §8, §9.2). `m` is the
/// measurement that the answer would make.
packet_verdict check_answer(const packet_header& answer, const measurement& m);

/// The same of an interleaved answer (RFC 9769 §2). `completed` is the earlier
/// exchange with the transmit stamp of this answer, which must lie after that
/// exchange's receive stamp and before this one's.
packet_verdict check_interleaved(const packet_header& answer,
                                 const measurement& completed);

} // namespace concert::ntp
