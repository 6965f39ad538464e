#pragma once

#include "config/table_reader.hpp"
#include "tools/ntp_sim/draws.hpp"
#include "tools/ntp_sim/scenario.hpp"

/// From TOML to a scenario, with the helpers of the configuration: a key is
/// one line that names it, its field and the reader of its value.
namespace concert::sim {

/// Beyond anything that a scenario may say; finite, so that no value is not.
constexpr double unlimited = 1e12;

/// A table of a scenario with what the seed draws in it.
class drawing_reader {
public:
  drawing_reader(config::table_reader& table, draws from)
    : table_(&table),
      from_(std::move(from)) {
    // nop
  }

  /// A number within [low, high], or `[a, b]`: one drawn between these.
  void number(std::string_view key, double& field, double low = -unlimited,
              double high = unlimited);
  /// The same for what may not be negative.
  void positive(std::string_view key, double& field) {
    number(key, field, 0, unlimited);
  }
  /// A probability.
  void share(std::string_view key, double& field) { number(key, field, 0, 1); }

  config::table_reader& table() { return *table_; }
  const draws& from() const { return from_; }

private:
  config::table_reader* table_;
  draws from_;
};

/// `[machine]`, `[[server]]` and `[[name]]`.
actors::world_options read_world(config::table_reader& top, const draws& from);

/// A whole file. With errors in `found` the result is not to be used.
scenario read_scenario(const toml::table& table, const std::string& name,
                       const draws& from, config::diagnostics& found);

} // namespace concert::sim
