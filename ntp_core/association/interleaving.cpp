#include "ntp_core/association/interleaving.hpp"

namespace concert::ntp {

ntp_timestamp interleaving::origin() const {
  return last_ ? last_->t2 : ntp_timestamp{};
}

measurement interleaving::completed(ntp_timestamp t3) const {
  auto m = last_.value();
  m.t3 = t3;
  return m;
}

std::optional<measurement> interleaving::news(ntp_timestamp t3) const {
  if (!last_ || measured_)
    return std::nullopt;
  return completed(t3);
}

void interleaving::on_exchange(const measurement& exchange, bool measured) {
  if (!wanted_)
    return;
  last_ = exchange;
  measured_ = measured;
  misses_ = 0;
}

void interleaving::on_miss() {
  if (++misses_ >= most_misses)
    forget();
}

void interleaving::forget() {
  last_.reset();
  misses_ = 0;
}

} // namespace concert::ntp
