#pragma once

#include "actors/actor_base.hpp"
#include "actors/key_exchange.hpp"
#include "actors/source_entry.hpp"
#include "ntp_core/nts/ke_backoff.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::actors {

struct nts_spawner_options {
  spawner_options entry;
  /// Unix time; certificates are not judged by a clock that says less.
  std::chrono::nanoseconds not_before{};
  bool clock_was_set = false; ///< since the machine started
};

/// One `[[source]]` with NTS: exchanges keys, and keeps the wanted number of
/// sources alive and supplied with cookies.
///
/// A pool is asked for one server at a time, so that each exchange can name the
/// servers that there are already: the pool then gives another.
class nts_spawner final
  : public actor_base<nts_spawner_actor, placement::event_loop> {
public:
  nts_spawner(caf::actor_config& cfg, runtime& rt, nts_spawner_options options);

  behavior_type make_behavior() override;

private:
  /// Why an exchange is made although there is a source.
  enum class wish : std::uint8_t {
    none,
    other_server, ///< this one is silent; it goes on until there is another
    keys,         ///< it cannot go on with those that it has
  };
  struct member {
    ntp::source_id id;
    source_actor handle;
    ntp::mono_time started;
  };
  /// Where the cookies are good.
  struct place {
    ntp::endpoint address;
    std::string server; ///< its name, if that is not the key exchange's
  };

  /// One of the sources that there should be.
  struct slot {
    std::string jar_name;
    bool jar_awaited = true; ///< from the state keeper
    /// From an earlier run, until we know where its server is.
    std::optional<ntp::cookie_jar> jar;
    int resumptions = 0; ///< that failed

    wish wanted = wish::none;
    ntp::ke_backoff backoff;
    ntp::mono_time not_before{}; ///< of the next exchange
    ntp::mono_time last_attempt{};
    ntp::mono_time rest_until{}; ///< no source, and no exchange, before
    std::shared_ptr<key_exchange> exchange; ///< under way
    std::uint64_t exchange_number = 0;

    std::optional<place> at; ///< absent: there is nothing to start with
    ntp::nts_credentials credentials; ///< what is left for `at`
    std::optional<member> source;

    std::uint64_t exchanges = 0;
    std::uint64_t failures = 0;
    std::optional<ntp::mono_time> last_exchange;
    std::string problem;
  };

  void stopped() override;
  void save_jar(slot& s);
  void on_wiring(const wiring& w);
  void take_jar(std::size_t index);
  void on_jar(std::size_t index, const saved_cookies& saved);
  void on_config(const config::source_config& config);
  void add_slot();
  void on_lost(source_lost lost);
  void on_source_down(const caf::down_msg& down);
  void on_cookies(const cookies_left& left);
  void on_network_change();
  void on_exchange_ended(exchange_ended ended);
  nts_sources status();

  slot* slot_of(ntp::source_id id);
  /// Starts what is due.
  void go_on();
  std::optional<ntp::mono_time> source_due(const slot& s) const;
  std::optional<ntp::mono_time> exchange_due(const slot& s) const;
  void start_exchange(slot& s);
  std::optional<std::chrono::seconds> judged_at();
  std::vector<std::string> deny_list(const slot& s);
  void deny(const std::string& server);

  tl::expected<ntp::ip_address, std::string>
  choose_address(const slot& s, const exchanged_keys& keys);
  void on_keys(slot& s, const ntp::ip_address& address, exchanged_keys keys);
  void on_failure(slot& s, std::string problem);
  void start_source(slot& s);
  void end_source(slot& s);
  /// The source's last cookie may have been used without our knowledge.
  static void drop_doubtful_cookie(slot& s);
  /// The server's name; that of the key exchange if it has no own one.
  const std::string& name_of(const std::string& server) const;
  bool is_pool() const { return config::is_pool(entry_.config().mode); }

  source_entry entry_;
  std::chrono::nanoseconds not_before_;
  bool clock_was_set_;
  std::unique_ptr<ntp::random_source> random_;
  std::shared_ptr<ntp::aead_cipher> cipher_; ///< null: there can be no NTS
  std::string cipher_problem_;
  std::vector<slot> slots_;
  /// Servers of a pool that were of no use, until when.
  std::map<std::string, ntp::mono_time> denied_;
  std::uint64_t last_exchange_ = 0;
  wiring peers_;
  bool wired_ = false;
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
