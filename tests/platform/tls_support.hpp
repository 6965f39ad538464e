#pragma once

#include "platform/tls_client.hpp"
#include "platform/tls_server.hpp"
#include "tests/platform/certificates.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concert::platform::testing {

using bytes = std::vector<std::byte>;

inline std::span<const std::byte> octets(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

inline std::string text_of(const bytes& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

/// Moves what both sides have to say, `step` octets at a time, until they are
/// silent.
inline void converse(tls_session& a, tls_session& b,
                     std::size_t step = std::size_t{1} << 20) {
  const auto pass_on = [step](tls_session& from, tls_session& to) {
    const auto out = from.take_output();
    for (std::span<const std::byte> rest = out; !rest.empty();) {
      const auto piece = rest.first(std::min(step, rest.size()));
      to.feed(piece);
      rest = rest.subspan(piece.size());
    }
    return !out.empty();
  };
  for (bool spoken = true; spoken;) {
    spoken = pass_on(a, b);
    spoken = pass_on(b, a) || spoken;
  }
}

/// An authority and a folder with its certificates, for servers and clients.
class tls_site {
public:
  explicit tls_site(const std::string& name = "Test Authority")
    : authority_(make_authority(name)) {
    overwrite(folder_ / "ca.pem", pem(authority_.certificate));
  }

  const identity& authority() const { return authority_; }
  std::filesystem::path operator/(const std::string& name) const {
    return folder_ / name.c_str();
  }

  /// Writes `<name>.pem` and `<name>-key.pem`.
  certificate_files write(const std::string& name, const identity& who,
                          const std::string& issuers = {}) const {
    certificate_files files{*this / (name + ".pem"),
                            *this / (name + "-key.pem")};
    overwrite(files.chain, pem(who.certificate) + issuers);
    overwrite(files.private_key, pem(who.key));
    return files;
  }

  /// A pair for `names`, issued by the authority.
  certificate_files pair(const std::string& name, const std::string& names,
                         validity valid = {}) const {
    return write(name, issue(authority_, names, valid));
  }

  std::shared_ptr<const tls_client> client() const {
    auto made = tls_client::open({{*this / "ca.pem"}});
    REQUIRE_MESSAGE(made, made.error().text);
    return *made;
  }

private:
  temporary_folder folder_;
  identity authority_;
};

inline std::shared_ptr<const tls_server>
serve(const std::vector<certificate_files>& pairs) {
  auto made = tls_server::load(pairs);
  REQUIRE_MESSAGE(made, made.error().text);
  return *made;
}

inline std::unique_ptr<tls_session> accept(const tls_server& server) {
  auto made = server.accept();
  REQUIRE(made);
  return std::move(*made);
}

inline std::unique_ptr<tls_session>
connect(const tls_client& client, const std::string& host,
        std::optional<std::chrono::seconds> judged_at = test_day) {
  auto made = client.connect(host, judged_at);
  REQUIRE_MESSAGE(made, made.error().text);
  return std::move(*made);
}

/// Both ends of a connection.
struct connection {
  std::unique_ptr<tls_session> client;
  std::unique_ptr<tls_session> server;

  /// Shakes hands as far as that goes.
  connection(const tls_client& from, const tls_server& to,
             const std::string& host = "time.example",
             std::optional<std::chrono::seconds> judged_at = test_day)
    : client(connect(from, host, judged_at)),
      server(accept(to)) {
    converse(*client, *server);
  }

  bool is_open() const {
    return client->state() == tls_state::open
           && server->state() == tls_state::open;
  }
};

/// A plain OpenSSL end, to behave as no session of ours would.
class other_end {
public:
  explicit other_end(const SSL_METHOD* method)
    : context_(SSL_CTX_new(method)) {}

  SSL_CTX* context() const { return context_.get(); }

  /// After the context has been set up.
  SSL* start() {
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    return ssl_.get();
  }

  void converse(tls_session& peer) {
    for (int i = 0; i < 10; ++i) {
      if (SSL_do_handshake(ssl_.get()) != 1 && ERR_peek_error() != 0)
        reason_ = openssl_reason();
      ERR_clear_error();
      pass_on(peer);
      const auto answer = peer.take_output();
      BIO_write(in_, answer.data(), static_cast<int>(answer.size()));
    }
  }

  void pass_on(tls_session& peer) {
    bytes data(BIO_ctrl_pending(out_));
    BIO_read(out_, data.data(), static_cast<int>(data.size()));
    peer.feed(data);
  }

  /// What ended it, as OpenSSL calls it.
  const std::string& reason() const { return reason_; }

private:
  ssl_ctx_ptr context_;
  ssl_ptr ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string reason_;
};

} // namespace concert::platform::testing
