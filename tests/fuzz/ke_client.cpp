// Whatever a server answers: a result has one to eight cookies that fit into
// packets, an AEAD that was offered, a name that is one and a port; the pieces
// in which the answer comes change nothing. And what our server answers to our
// client is a result, with what the server said.

#include "ntp_core/nts/ke_client.hpp"

#include "ntp_core/nts/ke_server.hpp"
#include "ntp_core/nts/ke_server_name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace concert::ntp {

namespace {

using outcome = tl::expected<std::optional<ke_result>, ke_error>;

void require(bool condition) {
  if (!condition)
    std::abort();
}

/// One to four AEADs, in one of several orders.
std::vector<aead_id> choose_aeads(unsigned choice) {
  std::vector all{aead_id::aes_siv_cmac_256, aead_id::aes_128_gcm_siv,
                  aead_id::aes_siv_cmac_512, aead_id::aes_siv_cmac_384};
  std::rotate(all.begin(), all.begin() + (choice & 3), all.end());
  all.resize(1 + (choice >> 2 & 3));
  return all;
}

void check(const ke_result& r, const ke_client_config& config) {
  require(std::ranges::count(config.aeads, r.aead) == 1);
  require(!r.own_number || r.aead == aead_id::aes_128_gcm_siv);
  require(!r.cookies.empty() && r.cookies.size() <= 8);
  for (const auto& c : r.cookies)
    require(c.size() >= 12 && c.size() <= longest_kept_cookie
            && c.size() % 4 == 0);
  require(r.server.empty() || is_ke_server_name(r.server));
  require(r.port != 0);
}

outcome read(const ke_client_config& config, std::span<const std::byte> bytes,
             std::size_t piece) {
  ke_client client{config};
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    auto o = client.on_bytes(part);
    if (!o || *o) {
      const std::array<std::byte, 1> more{};
      require(!client.on_bytes(more));
      return o;
    }
  }
  return std::nullopt;
}

void check_any_answer(const ke_client_config& config,
                      std::span<const std::byte> bytes) {
  const auto whole = read(config, bytes, bytes.size() + 1);
  const auto pieces = read(config, bytes, 1);
  if (whole && *whole)
    check(**whole, config);
  require(whole == pieces
          || whole == tl::unexpected{ke_error{ke_errc::trailing_data}});
}

/// Both sides of an exchange.
void check_round_trip(ke_client_config config,
                      std::span<const std::uint8_t> choices) {
  auto server_config = std::make_shared<ke_server_config>();
  server_config->aeads = choose_aeads(choices[1]);
  server_config->ntp_port = choices[2];
  if ((choices[1] & 16) != 0)
    server_config->ntp_server = "time.example";
  config.deny.assign(choices[1] >> 5, std::string(choices[2], 'a'));

  ke_client client{config};
  ke_server server{server_config};
  const auto request = client.request();
  require(request.size() <= ke_request_budget);
  std::span<const std::byte> rest = request;
  const auto action = server.on_bytes(rest);
  require(rest.empty());

  const auto common
    = std::ranges::find_first_of(config.aeads, server_config->aeads);
  if (const auto* refused = std::get_if<ke_response>(&action)) {
    require(common == config.aeads.end());
    const auto o = client.on_bytes(refused->bytes);
    require(!o && o.error() == ke_error{ke_errc::no_common_aead});
    return;
  }
  const auto& wanted = std::get<ke_cookies_wanted>(action);
  require(wanted.aead == *common);
  std::vector<std::byte> cookies(8 * 104);
  for (std::size_t i = 0; i < cookies.size(); ++i)
    cookies[i] = static_cast<std::byte>(i);
  const auto o = client.on_bytes(server.answer(cookies).bytes);
  require(o && *o);
  const auto& r = **o;
  check(r, config);
  require(r.aead == wanted.aead && r.own_number == wanted.own_number);
  require(r.own_number == (r.aead == aead_id::aes_128_gcm_siv));
  require(r.server == server_config->ntp_server);
  require(r.port == (choices[2] == 0 ? 123 : choices[2]));
  require(r.cookies.size() == 8);
  for (std::size_t i = 0; i < 8; ++i)
    require(std::equal(r.cookies[i].begin(), r.cookies[i].end(),
                       cookies.begin() + static_cast<std::ptrdiff_t>(104 * i)));
}

} // namespace

/// Three octets choose what the two sides have; the rest is an answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 3)
    return 0;
  const std::span input{data, size};
  ke_client_config config;
  config.aeads = choose_aeads(input[0]);
  check_round_trip(config, input.first(3));
  check_any_answer(config, std::as_bytes(input.subspan(3)));
  return 0;
}

} // namespace concert::ntp
