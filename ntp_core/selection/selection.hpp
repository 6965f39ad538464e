#pragma once

#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/selection/intersection.hpp"
#include "ntp_core/time/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace concert::ntp {

/// A usable source and where it says that true time lies (remote − local, s).
struct candidate {
  source_id id;
  interval claim;
};

/// How one round of selection ended.
enum class agreement : std::uint8_t {
  none,        ///< no usable source
  too_few,     ///< agree, but fewer than required
  no_majority, ///< no strict majority of the usable sources agrees
  opposed,     ///< a majority contradicts our own prediction, not yet for long
  reached,     ///< a majority may be followed
};

/// What selection thinks of one candidate.
enum class opinion : std::uint8_t {
  agreeing,  ///< in the majority
  outside,   ///< contradicts the largest group
  returning, ///< agrees again after a lie; not trusted yet
};

struct candidate_opinion {
  source_id id;
  interval claim; ///< as it was given
  opinion value = opinion::outside;
  /// Of a `returning` or `outside` source once excluded: samples that agreed.
  std::uint8_t agreed_samples = 0;
  bool excluded = false;       ///< known to have contradicted a majority
  bool newly_excluded = false; ///< was trusted until now
};

struct selection_outcome {
  agreement result = agreement::none;
  interval common;            ///< what the largest group shares
  std::uint32_t agreeing = 0; ///< trusted sources in that group
  std::uint32_t usable = 0;
  std::uint32_t needed = 0; ///< how many trusted ones must agree
  /// How far other groups of the same size lie beyond `common`, s; 0 where our
  /// prediction tells which one is right.
  double ambiguity_s = 0;
  /// For how long a majority has contradicted our prediction, if it does.
  std::optional<std::chrono::nanoseconds> opposed_for;
  std::vector<candidate_opinion> opinions; ///< in the order of the candidates
};

/// Judges who tells the truth (design §5): a strict majority of the usable
/// sources, and at least the required number, must share a stretch of time.
///
/// It remembers: a source that contradicted a majority is trusted again only
/// after eight agreeing samples, and a majority against our own prediction must
/// stand for three rounds of polls and ten minutes.
class selection {
public:
  /// Agreeing samples that lift an exclusion.
  static constexpr std::uint8_t samples_to_return = 8;
  /// Groups of the same size that lie so close together do no harm.
  static constexpr double harmless_ambiguity_s = 0.010;
  /// A majority against our prediction must stand for so long.
  static constexpr std::chrono::minutes opposing_time{10};

  /// Judges all `candidates` ; `sampled` is the one with a new sample, if any.
  /// `prediction` is our own vote, absent before the first lock.
  selection_outcome judge(std::span<const candidate> candidates,
                          std::uint32_t required,
                          std::optional<source_id> sampled,
                          std::optional<interval> prediction, mono_time now);

  void forget(source_id id) { excluded_.erase(id.value); }

private:
  bool opposition_stands(const selection_outcome& o, bool sampled,
                         mono_time now);
  void remember(selection_outcome& o, std::optional<source_id> sampled,
                bool majority);

  /// Excluded sources, with how often they have agreed since.
  std::unordered_map<std::uint64_t, std::uint8_t> excluded_;
  std::optional<mono_time> opposed_since_;
  std::uint32_t opposing_samples_ = 0;
};

} // namespace concert::ntp
