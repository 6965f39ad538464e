#include "actors/ke_service.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::chrono::seconds last_retry{64};
constexpr std::chrono::minutes certificate_interval{1};
constexpr std::chrono::seconds warning_interval{60};
/// Clients whose rate is known at once.
constexpr std::uint32_t rate_slots = 8192;

std::shared_ptr<const ntp::ke_server_config>
core_config_of(const config::nts_ke_server_config& c) {
  auto result = std::make_shared<ntp::ke_server_config>();
  result->aeads.assign(c.aeads.begin(), c.aeads.end());
  result->ntp_server = c.ntp_server;
  // The usual port need not be said, unless the server is another one.
  if (!c.ntp_server.empty() || c.ntp_port != config::default_ntp_port)
    result->ntp_port = c.ntp_port;
  result->pool_tokens = c.pool_tokens;
  return result;
}

ntp::rate_limit_config rate_of(const config::nts_ke_server_config& c) {
  return {.slots = rate_slots,
          .spacing = c.rate_limiting_cutoff,
          .burst = c.rate_limiting_burst};
}

} // namespace

ke_service::ke_service(runtime& rt, const config::nts_ke_server_config& config)
  : rt_(rt),
    config_(config),
    certificates_([&rt](auto files) { return rt.load_certificates(files); },
                  config.listen.to_string()),
    rate_key_(rt.make_random()->next()),
    rate_(rate_of(config), rate_key_),
    warnings_(warning_interval) {
}

void ke_service::start() {
  make_ciphers();
  apply_config();
  certificates_at_ = rt_.now() + certificate_interval;
  listen();
}

void ke_service::set_config(const config::nts_ke_server_config& config) {
  const auto old = std::exchange(config_, config);
  if (rate_of(old) != rate_of(config))
    rate_ = ntp::rate_limiter{rate_of(config), rate_key_};
  apply_config();
  // The listener knows the limit of its connections.
  if (old.key_exchange_timeout == config.key_exchange_timeout)
    return;
  listener_.reset();
  listen();
}

void ke_service::apply_config() {
  certificates_.set_files(config_.certificates);
  common_.config = core_config_of(config_);
  common_.most_longlived = config_.longlived_connections;
}

void ke_service::make_ciphers() {
  auto cipher = rt_.make_cipher();
  auto nonces = rt_.make_nonces();
  if (cipher && nonces) {
    common_.cipher = std::move(*cipher);
    common_.nonces = std::move(*nonces);
    return;
  }
  cipher_problem_ = cipher ? nonces.error().text : cipher.error().text;
  log::error("nts-ke-no-cookies", "server={} error=\"{}\"",
             config_.listen.to_string(), cipher_problem_);
}

// -- time ---------------------------------------------------------------------

void ke_service::on_deadline() {
  const auto now = rt_.now();
  if (!listener_ && now >= listen_at_)
    listen();
  if (now < certificates_at_)
    return;
  certificates_at_ = now + certificate_interval;
  certificates_.look();
}

ntp::mono_time ke_service::next_deadline() const {
  return listener_ ? certificates_at_ : std::min(certificates_at_, listen_at_);
}

// -- clients ------------------------------------------------------------------

void ke_service::listen() {
  auto made = rt_.listen_ke(
    {config_.listen, config_.key_exchange_timeout},
    {[this](const ntp::endpoint& client) { return admit(client); },
     [this] { return make_session(); },
     [this](std::unique_ptr<ke_channel> channel) { serve(std::move(channel)); },
     [this](const std::string& cause) { warn(cause); }});
  if (made) {
    listener_ = std::move(*made);
    if (!listen_problem_.empty())
      log::info("nts-ke-listening", "server={}",
                listener_->local().to_string());
    listen_problem_.clear();
    retry_ = std::chrono::seconds{1};
    return;
  }
  if (listen_problem_.empty())
    log::error("nts-ke-not-listening", "server={} error=\"{}\"",
               config_.listen.to_string(), made.error().text);
  listen_problem_ = made.error().text;
  listen_at_ = rt_.now() + retry_;
  retry_ = std::min(retry_ * 2, last_retry);
}

bool ke_service::admit(const ntp::endpoint& client) {
  if (!certificates_.current())
    return false;
  if (rate_.judge(client.address, rt_.now())
      != ntp::rate_limiter::decision::pass) {
    ++rate_limited_;
    return false;
  }
  return connections_.size() < config_.concurrent_connections || make_room();
}

/// Who comes is more likely to do something than who came long ago and has not
/// yet: that one goes. So those who hold connections and do nothing keep nobody
/// out, unless they come faster than an exchange takes.
bool ke_service::make_room() {
  ++too_many_;
  const auto oldest = std::ranges::find_if(
    connections_, [](const auto& c) { return !c.second.has_answered(); });
  if (oldest == connections_.end())
    return false;
  connections_.erase(oldest);
  return true;
}

std::unique_ptr<platform::tls_session> ke_service::make_session() {
  auto session = certificates_.current()->accept();
  if (session)
    return std::move(*session);
  warn(session.error().text);
  return nullptr;
}

void ke_service::serve(std::unique_ptr<ke_channel> channel) {
  const auto number = ++accepted_;
  connections_.try_emplace(number, std::move(channel), common_,
                           [this, number] { connections_.erase(number); });
}

void ke_service::warn(const std::string& cause) {
  if (const auto suppressed = warnings_.pass(rt_.now().time_since_epoch()))
    log::warning("nts-ke-trouble", "server={} error=\"{}\" suppressed={}",
                 config_.listen.to_string(), cause, *suppressed);
}

// -- status -------------------------------------------------------------------

/// Why there are no cookies, the worst cause first.
std::string ke_service::problem() const {
  if (!listener_)
    return listen_problem_;
  if (!certificates_.current())
    return certificates_.problem();
  if (!common_.cipher)
    return cipher_problem_;
  if (!common_.keys)
    return "there are no keys for cookies yet";
  return {};
}

ctl::nts_ke_server_status ke_service::status() const {
  ctl::nts_ke_server_status s;
  s.address = listener_ ? listener_->local() : config_.listen;
  s.listening = listener_ != nullptr;
  s.problem = problem();
  s.certificates = certificates_.status();
  if (certificates_.current())
    s.certificate_problem = certificates_.problem();
  s.connections = static_cast<std::uint32_t>(connections_.size());
  s.accepted = accepted_;
  s.rate_limited = rate_limited_;
  s.too_many = too_many_;
  const auto& c = common_.counters;
  s.handshakes = c.handshakes;
  s.exchanges = c.exchanges;
  s.pool_exchanges = c.pool_exchanges;
  s.timed_out = c.timed_out;
  s.broken = c.broken;
  s.refusals = c.refusals;
  for (std::size_t i = 1; i < platform::tls_fault_count; ++i)
    s.tls_failures.emplace_back(to_string(static_cast<platform::tls_fault>(i)),
                                c.tls_failures[i]);
  return s;
}

} // namespace concert::actors
