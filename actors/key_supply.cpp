#include "actors/key_supply.hpp"

#include "ntp_core/nts/cluster_keys.hpp"
#include "ntp_core/nts/key_rotation.hpp"
#include "platform/hash.hpp"
#include "platform/log.hpp"
#include "platform/private_file.hpp"

#include <optional>
#include <string>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

using std::chrono::seconds;

namespace {

/// Room for the most keys that may be configured.
constexpr std::size_t longest_key_file = std::size_t{64} * 1024;
constexpr std::size_t longest_secret_file = std::size_t{64} * 1024;

class random_keys final : public key_supply {
public:
  random_keys(const config::keyset_config& config,
              std::shared_ptr<ntp::secret_bytes> memory,
              std::unique_ptr<ntp::random_source> random)
    : config_(config),
      memory_(std::move(memory)),
      random_(std::move(random)) {}

  shared_keys at(seconds now) override {
    const auto rotation = rotation_of(config_);
    if (!rotation_ && !remember() && !read_file()) {
      rotation_.emplace(rotation, now, *random_);
      saved_ = false;
    }
    if (rotation_->on_deadline(now, *random_))
      saved_ = false;
    if (!saved_)
      save();
    return rotation_->keys();
  }

  seconds next_change() const override {
    return rotation_ ? rotation_->next_rotation() : seconds{0};
  }

  void set_config(const config::keyset_config& config) override {
    config_ = config;
    if (rotation_)
      rotation_->set_config(rotation_of(config));
    saved_ = false;
  }

  void reload() override {
    // The file is ours: nobody else changes it.
  }

  void clock_was_set() override {
    // A clock that is wrong moves the next rotation, and harms no keys.
  }

  ctl::keyset_status status() const override {
    ctl::keyset_status result;
    result.problem = problem_;
    if (rotation_) {
      result.newest_since = rotation_->newest_since();
      result.next_rotation = rotation_->next_rotation();
    }
    return result;
  }

private:
  /// From another life of the actor.
  bool remember() {
    auto parsed = ntp::key_rotation::parse(*memory_, rotation_of(config_));
    if (!parsed)
      return false;
    rotation_ = std::move(*parsed);
    saved_ = false; // the file may have been out of reach then
    return true;
  }

  /// From another life of the daemon.
  bool read_file() {
    if (!config_.key_storage_path)
      return false;
    const auto& path = *config_.key_storage_path;
    const auto file = platform::read_private_file(path, longest_key_file);
    if (!file) {
      if (file.error().code != platform::errc::unavailable)
        give_up_file(file.error().text);
      return false;
    }
    auto parsed = ntp::key_rotation::parse(*file, rotation_of(config_));
    if (!parsed) {
      give_up_file(path.string() + ": "
                   + std::string{ntp::to_string(parsed.error())});
      return false;
    }
    rotation_ = std::move(*parsed);
    *memory_ = *file;
    saved_ = true;
    return true;
  }

  static void give_up_file(const std::string& cause) {
    log::warning("cookie-keys-lost",
                 "error=\"{}\" consequence=\"cookies given out earlier are "
                 "refused; fresh keys take the file's place\"",
                 cause);
  }

  void save() {
    *memory_ = rotation_->serialize();
    saved_ = true;
    auto problem = std::exchange(problem_, {});
    if (!config_.key_storage_path)
      return;
    const auto written
      = platform::write_private_file(*config_.key_storage_path, *memory_);
    if (written)
      return;
    saved_ = false;
    problem_ = written.error().text;
    if (problem_ != problem)
      log::error("cookie-keys-not-saved", "error=\"{}\"", problem_);
  }

  config::keyset_config config_;
  std::shared_ptr<ntp::secret_bytes> memory_;
  std::unique_ptr<ntp::random_source> random_;
  std::optional<ntp::key_rotation> rotation_; ///< none before the first `at`
  bool saved_ = false;                        ///< as they are now
  std::string problem_;
};

class derived_keys final : public key_supply {
public:
  derived_keys(const config::keyset_config& config, bool clock_was_set)
    : config_(config),
      clock_was_set_(clock_was_set) {
    read();
  }

  shared_keys at(seconds now) override {
    if (!keys_)
      read();
    if (!keys_ || !clock_was_set_)
      return nullptr;
    auto timed = keys_->at(now);
    until_ = timed.until;
    return std::move(timed.keys);
  }

  seconds next_change() const override {
    // While there are none, an hour is soon enough.
    return until_.value_or(ntp::latest_time);
  }

  void set_config(const config::keyset_config& config) override {
    config_ = config;
    read();
  }

  void reload() override { read(); }
  void clock_was_set() override { clock_was_set_ = true; }

  ctl::keyset_status status() const override {
    ctl::keyset_status result;
    result.cluster = true;
    result.problem = problem_;
    if (keys_ && !clock_was_set_ && problem_.empty())
      result.problem = "the keys follow from the time, and the clock has not "
                       "been set yet";
    if (until_) {
      result.newest_since = *until_ - interval_;
      result.next_rotation = *until_;
    }
    return result;
  }

private:
  /// What cannot be read leaves all as it was.
  void read() {
    auto problem = std::exchange(problem_, {});
    const auto& path = *config_.cluster_secret_file;
    const auto file = platform::read_private_file(path, longest_secret_file);
    if (!file)
      problem_ = file.error().text;
    else if (auto made = ntp::cluster_keys::make(*file, rotation_of(config_),
                                                 platform::hkdf_sha256)) {
      keys_ = std::move(*made);
      interval_ = config_.key_rotation_interval;
    } else
      problem_
        = path.string() + ": " + std::string{ntp::to_string(made.error())};
    if (!problem_.empty() && problem_ != problem)
      log::error("cluster-secret-not-read", "error=\"{}\" consequence=\"{}\"",
                 problem_,
                 keys_ ? "the earlier one stays in use"
                       : "there are no "
                         "cookies");
  }

  config::keyset_config config_;
  bool clock_was_set_;
  std::optional<ntp::cluster_keys> keys_;
  seconds interval_{};           ///< of `keys_`
  std::optional<seconds> until_; ///< of what `at` gave last
  std::string problem_;
};

} // namespace

ntp::rotation_config rotation_of(const config::keyset_config& config) {
  return {config.key_rotation_interval, config.stale_key_count};
}

std::unique_ptr<key_supply>
make_random_keys(const config::keyset_config& config,
                 std::shared_ptr<ntp::secret_bytes> memory,
                 std::unique_ptr<ntp::random_source> random) {
  return std::make_unique<random_keys>(config, std::move(memory),
                                       std::move(random));
}

std::unique_ptr<key_supply>
make_cluster_keys(const config::keyset_config& config, bool clock_was_set) {
  return std::make_unique<derived_keys>(config, clock_was_set);
}

} // namespace concert::actors
