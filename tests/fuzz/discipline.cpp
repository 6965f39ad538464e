// Samples of any size, in any order and from any time, with sources that come,
// go, and are selected or not: whatever is reported is a number, and no
// variance is negative.

#include "ntp_core/discipline/checked_discipline.hpp"
#include "ntp_core/discipline/osb_discipline.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace concert::ntp {

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

/// Reads the fuzzer's input piece by piece; zeros after its end.
class input {
public:
  input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }

  std::uint8_t octet() {
    if (rest_.empty())
      return 0;
    const auto value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }

  /// From `least` to `most` > 0, evenly on a logarithmic scale.
  double size(double least, double most) {
    return least * std::pow(most / least, octet() / 255.0);
  }

  /// Nothing in a quarter of the cases, else `size()` with either sign.
  double amount(double least, double most) {
    const auto choice = octet();
    if (choice % 4 == 0)
      return 0;
    return choice % 2 == 0 ? size(least, most) : -size(least, most);
  }

private:
  std::span<const std::uint8_t> rest_;
};

class harness {
public:
  explicit harness(input& in)
    : in_(in),
      discipline_(in.octet() % 2 == 0
                    ? make_discipline()
                    : std::make_unique<checked_discipline>(make_discipline())) {
  }

  void run() {
    while (!in_.empty() && samples_ < most_samples) {
      turn();
      check();
    }
  }

private:
  static constexpr std::uint64_t sources = 12;
  /// More show nothing that these do not.
  static constexpr int most_samples = 400;

  source_id name() { return {in_.octet() % sources}; }

  void turn() {
    switch (in_.octet() % 12) {
      case 0:
        add();
        break;
      case 1:
        discipline_->remove_source(name());
        break;
      case 2:
      case 3:
        select();
        break;
      case 4:
        discipline_->inflate(std::abs(in_.amount(1e-18, 1e10)),
                             std::abs(in_.amount(1e-20, 1e-4)));
        break;
      case 5:
        discipline_->shift(
          ntp_duration::from_seconds(in_.amount(1e-9, 2147483648.0)));
        break;
      case 6:
        look_ = in_.amount(1e-3, 1e7);
        break;
      case 7:
        return_later();
        break;
      case 8:
        for (int repeats = in_.octet() % 32; repeats > 0; --repeats) {
          sample(name(), 16, true);
          discipline_->set_selected(selected_);
        }
        break;
      default:
        sample(name(), in_.amount(1e-6, 1e6), false);
        if (in_.octet() % 8 != 0)
          discipline_->set_selected(selected_);
        break;
    }
  }

  void add() {
    oscillator_prior prior;
    prior.frequency = in_.amount(1e-12, 0.1);
    prior.deviation = in_.size(1e-9, 0.1);
    discipline_->add_source(name(), prior, {});
  }

  /// A source ends and begins again with what was remembered of it.
  void return_later() {
    const auto id = name();
    auto memory = discipline_->memory(id, now_);
    discipline_->remove_source(id);
    now_ = now_ + ntp_duration::from_seconds(in_.amount(1e-3, 1e6));
    discipline_->add_source(id, {}, memory);
  }

  void select() {
    const unsigned choice = in_.octet() + (in_.octet() << 8U);
    selected_.clear();
    for (std::uint64_t i = 0; i < sources; ++i)
      if ((choice >> i & 1U) != 0)
        selected_.push_back({{i}, in_.size(1e-18, 1)});
    discipline_->set_selected(selected_);
  }

  void sample(source_id id, double dt_s, bool usual) {
    now_ = now_ + ntp_duration::from_seconds(dt_s);
    path_sample s;
    s.at = now_;
    if (usual) {
      s.offset = ntp_duration::from_seconds(1e-6 * in_.octet());
      s.delay_s = 1e-3 + 1e-6 * in_.octet();
      s.span_s = s.delay_s;
      s.noise_variance = 1e-14;
    } else {
      s.offset = ntp_duration::from_seconds(in_.amount(1e-9, 2147483648.0));
      s.delay_s = in_.size(1e-9, 1e3);
      s.span_s = s.delay_s + std::abs(in_.amount(1e-6, 1e3));
      s.noise_variance = in_.size(1e-21, 1);
      s.root_distance_s = std::abs(in_.amount(1e-6, 1e5));
      s.sent = static_cast<stamp_kind>(in_.octet() % 3);
      s.received = static_cast<stamp_kind>(in_.octet() % 3);
    }
    ++samples_;
    discipline_->on_sample(id, s);
  }

  static void check_clock(const clock_estimate& c) {
    require(std::isfinite(c.offset_s) && std::isfinite(c.frequency));
    require(std::isfinite(c.covariance_s));
    require(std::isfinite(c.variance_s2) && c.variance_s2 >= 0);
    require(std::isfinite(c.frequency_variance) && c.frequency_variance >= 0);
    require(std::isfinite(c.wander) && c.wander >= 0);
  }

  static void check_length(double s) { require(std::isfinite(s) && s >= 0); }

  void check() const {
    const auto when = now_ + ntp_duration::from_seconds(look_);
    for (std::uint64_t i = 0; i < sources; ++i) {
      if (const auto e = discipline_->source({i}, when)) {
        check_clock(e->clock);
        check_length(e->base_delay_s);
        check_length(e->mean_excess_s);
        require(std::isfinite(e->asymmetry_s));
        require(e->samples > 0);
      }
      if (const auto m = discipline_->memory({i}, when)) {
        check_clock(m->clock);
        check_length(m->base_delay_s);
        check_length(m->mean_excess_s);
        require(std::isfinite(m->asymmetry_s));
      }
    }
    if (const auto c = discipline_->combined(when)) {
      check_clock(c->clock);
      check_length(c->bias_variance);
      check_length(c->disagreement_s);
    }
  }

  input& in_;
  std::unique_ptr<discipline> discipline_;
  std::vector<selected_source> selected_;
  int samples_ = 0;
  raw_time now_;
  double look_ = 0; ///< how far ahead of `now_` estimates are asked for
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  input in{data, size};
  harness{in}.run();
  return 0;
}

} // namespace concert::ntp
