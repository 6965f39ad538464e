#include "actors/simulation/server_model.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace concert::actors {

namespace {

constexpr std::uint8_t unsynchronized_stratum = 16;

ntp::leap_indicator leap_of(const std::string& name) {
  if (name == "none")
    return ntp::leap_indicator::none;
  if (name == "insert")
    return ntp::leap_indicator::insert_second;
  if (name == "delete")
    return ntp::leap_indicator::delete_second;
  throw std::invalid_argument{"there is no leap \"" + name + "\""};
}

/// A daemon's record at any time: its error between two seconds is a line, and
/// after the last second all stays.
served_moment played(const served_record& record, double t_s) {
  if (record.empty())
    return {};
  const double last = static_cast<double>(record.size() - 1);
  const double second = std::floor(std::clamp(t_s, 0.0, last));
  const auto i = static_cast<std::size_t>(second);
  auto result = record[i];
  if (i + 1 < record.size())
    result.error_s += (record[i + 1].error_s - result.error_s) * (t_s - second);
  return result;
}

} // namespace

server_model::server_model(const server_model_options& options,
                           std::uint64_t seed)
  : options_(options) {
  if (options_.wander_s > 0)
    wander_.emplace(normal_process::law::stationary, options_.wander_time_s,
                    seed);
}

served_moment server_model::own(double t_s) {
  served_moment result{options_.error_s + options_.drift * t_s,
                       options_.root_delay_s, options_.root_dispersion_s,
                       options_.stratum};
  if (wander_)
    result.error_s += options_.wander_s * wander_->at(t_s);
  return result;
}

server_model::moment server_model::at(double t_s) {
  moment now{options_.playback ? played(*options_.playback, t_s) : own(t_s)};
  for (const auto& e : options_.events) {
    const double since_s = t_s - e.at_s;
    if (since_s < 0)
      continue;
    const bool over = e.until_s > e.at_s && t_s >= e.until_s;
    // What a drift has made stays when it ends; all else goes.
    now.served.error_s += e.drift * (over ? e.until_s - e.at_s : since_s);
    if (over)
      continue;
    now.served.error_s += e.step_s;
    now.silent = now.silent || e.silent;
    if (e.unsynchronized)
      now.served.stratum = unsynchronized_stratum;
  }
  return now;
}

modelled_server::modelled_server(const server_model_options& options,
                                 std::uint64_t seed)
  : model_(options, seed),
    rate_every_(options.rate_every) {
  server_.leap = leap_of(options.leap);
}

std::optional<std::vector<std::byte>>
modelled_server::answer(std::span<const std::byte> request,
                        const ntp::endpoint& client, true_time now) {
  const auto moment = model_.at(ntp::seconds_of(now));
  server_.silent = moment.silent;
  server_.error_s = moment.served.error_s;
  server_.synchronized = moment.served.stratum < unsynchronized_stratum;
  server_.stratum = moment.served.stratum;
  server_.root_delay_s = moment.served.root_delay_s;
  server_.root_dispersion_s = moment.served.root_dispersion_s;
  server_.kiss = 0;
  if (rate_every_ > 0 && ++asked_ == rate_every_) {
    asked_ = 0;
    server_.kiss = ntp::code_of("RATE");
  }
  return server_.answer(request, client, now);
}

} // namespace concert::actors
