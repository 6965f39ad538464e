// Whatever a client, or a pool, sends: it gets at most one response for each
// end of a message and one for an error; each is one message of known records
// and a bounded size, with cookies or a reason why not; the connection is used
// on only by who has the token; and the pieces in which the octets come change
// nothing, except that a message's end cannot be seen to be followed by more.

#include "ntp_core/nts/ke_server.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace concert::ntp {

namespace {

constexpr std::size_t longest_response = 2048;

void require(bool condition) {
  if (!condition)
    std::abort();
}

std::shared_ptr<const ke_server_config> make_config(unsigned choice) {
  auto c = std::make_shared<ke_server_config>();
  if ((choice & 1) != 0)
    c->aeads = {aead_id::aes_siv_cmac_256};
  if ((choice & 2) != 0)
    c->ntp_server = "time.example";
  if ((choice & 4) != 0)
    c->ntp_port = 4123;
  if ((choice & 8) != 0)
    c->pool_tokens = {"token", "t"};
  c->pool_requests = 4;
  return c;
}

struct answer {
  std::vector<std::byte> bytes;
  bool close = false;
  std::optional<ke_error> refusal;

  bool operator==(const answer&) const = default;
};

void check_wanted(const ke_server_config& config, const ke_cookies_wanted& w) {
  require(std::ranges::count(config.aeads, w.aead) == 1);
  require(!w.own_number || w.aead == aead_id::aes_128_gcm_siv);
  if (!w.given_keys)
    return;
  require(!config.pool_tokens.empty());
  require(w.given_keys->aead == w.aead);
  require(w.given_keys->c2s.bytes().size() == key_size(w.aead));
  require(w.given_keys->s2c.bytes().size() == key_size(w.aead));
}

/// Counts cookies; -1 if the message is none.
int count_cookies(std::span<const std::byte> bytes) {
  ke_record_reader reader{longest_response};
  int cookies = 0;
  for (;;) {
    const auto r = reader.next(bytes);
    if (!r || !*r)
      return -1;
    if ((*r)->type == ke_record_type::new_cookie)
      ++cookies;
    if ((*r)->type == ke_record_type::end_of_message)
      return bytes.empty() && (*r)->body.empty() ? cookies : -1;
  }
}

/// All answers to octets that come in pieces of this size.
class connection {
public:
  explicit connection(std::shared_ptr<const ke_server_config> config)
    : config_(std::move(config)),
      server_(config_) {}

  std::vector<answer> run(std::span<const std::byte> bytes, std::size_t piece) {
    while (!bytes.empty()) {
      auto part = bytes.first(std::min(piece, bytes.size()));
      bytes = bytes.subspan(part.size());
      do
        step(part);
      while (!part.empty());
    }
    return std::move(answers_);
  }

private:
  void step(std::span<const std::byte>& part) {
    const auto before = part.size();
    const auto action = server_.on_bytes(part);
    if (std::holds_alternative<ke_need_more>(action)) {
      require(part.empty());
      return;
    }
    require(!closed_);
    require(part.size() < before);
    if (const auto* w = std::get_if<ke_cookies_wanted>(&action)) {
      check_wanted(*config_, *w);
      require(w->given_keys || answers_.empty());
      const std::vector<std::byte> cookies(most_cookies * 168);
      auto untouched = std::span{cookies};
      require(
        std::holds_alternative<ke_need_more>(server_.on_bytes(untouched)));
      require(untouched.size() == cookies.size());
      take(server_.answer(cookies), 8);
    } else {
      take(std::get<ke_response>(action), 0);
    }
    require(part.empty() || !closed_);
  }

  void take(const ke_response& r, int cookies) {
    require(r.bytes.size() <= longest_response);
    require(count_cookies(r.bytes) == cookies);
    require(cookies == 0 || !r.refusal);
    require(r.close || !config_->pool_tokens.empty());
    closed_ = r.close;
    answers_.push_back({r.bytes, r.close, r.refusal});
    require(answers_.size() <= config_->pool_requests);
    require(r.close || answers_.size() < config_->pool_requests);
  }

  std::shared_ptr<const ke_server_config> config_;
  ke_server server_;
  std::vector<answer> answers_;
  bool closed_ = false;
};

} // namespace

/// The first octet chooses the configuration, the second the size of pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 2)
    return 0;
  const auto config = make_config(data[0]);
  const auto bytes = std::as_bytes(std::span{data, size}).subspan(2);
  const auto whole = connection{config}.run(bytes, bytes.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{data[1]} + 1}) {
    const auto pieces = connection{config}.run(bytes, piece);
    require(pieces.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i)
      require(whole[i] == pieces[i]
              || whole[i].refusal == ke_error{ke_errc::trailing_data}
              || pieces[i].refusal == ke_error{ke_errc::trailing_data});
  }
  return 0;
}

} // namespace concert::ntp
