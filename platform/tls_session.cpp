#include "platform/tls_session.hpp"

#include "platform/tls_certificates.hpp"
#include "platform/tls_openssl.hpp"

#include <openssl/crypto.h>
#include <openssl/tls1.h>

#include <algorithm>
#include <array>

namespace concert::platform {

namespace {

constexpr std::string_view no_nts_ke
  = "the peer does not speak NTS-KE here (ALPN \"ntske/1\")";

tls_failure alert_failure(int alert) {
  switch (alert) {
    case SSL_AD_PROTOCOL_VERSION:
      return {tls_fault::version, "the peer refused: it has no TLS 1.3"};
    case SSL_AD_NO_APPLICATION_PROTOCOL:
      return {tls_fault::application, std::string{no_nts_ke}};
    default:
      return {tls_fault::refused, std::string{"the peer refused: "}
                                    + SSL_alert_desc_string_long(alert)};
  }
}

/// What the newest error in the queue means.
tls_failure queued_failure() {
  const auto code = ERR_peek_last_error();
  const int reason
    = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  if (reason >= SSL_AD_REASON_OFFSET)
    return alert_failure(reason - SSL_AD_REASON_OFFSET);
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return {tls_fault::version, "the peer has no TLS 1.3"};
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_CALLBACK_FAILED: // our own, on a hello without the extension
      return {tls_fault::application, std::string{no_nts_ke}};
    default:
      return {tls_fault::protocol,
              "the peer does not speak proper TLS: " + openssl_reason()};
  }
}

class openssl_session final : public tls_session {
public:
  openssl_session(ssl_ptr ssl, std::shared_ptr<const void> owner,
                  std::optional<expected_peer> peer)
    : owner_(std::move(owner)),
      peer_(std::move(peer)),
      ssl_(std::move(ssl)) {
    SSL_set_app_data(ssl_.get(), &fault_);
  }

  bool start(bio_ptr in, bio_ptr out) {
    if (!in || !out)
      return false;
    in_ = in.get();
    out_ = out.get();
    SSL_set_bio(ssl_.get(), in.release(), out.release());
    if (SSL_is_server(ssl_.get()) == 1)
      return true;
    const error_queue errors;
    handshake(); // the first flight
    return state_ == tls_state::handshaking;
  }

  tls_state state() const override { return state_; }
  const tls_failure& failure() const override { return failure_; }

  void feed(std::span<const std::byte> bytes) override {
    // In pieces, so that no more waits here than a record and a piece.
    constexpr std::size_t piece_size = 4096;
    const error_queue errors;
    while (!bytes.empty() && takes_input()) {
      const auto piece = bytes.first(std::min(bytes.size(), piece_size));
      bytes = bytes.subspan(piece.size());
      std::size_t written = 0;
      if (BIO_write_ex(in_, piece.data(), piece.size(), &written) != 1)
        return fail({tls_fault::too_much, "no memory for what the peer sent"});
      if (state_ == tls_state::handshaking && may_begin())
        handshake();
      if (state_ == tls_state::open)
        decrypt();
      if (takes_input() && BIO_ctrl_pending(out_) > buffer_limit)
        fail({tls_fault::too_much, "the peer asks for answers without end"});
    }
  }

  void end_of_input() override {
    if (takes_input())
      fail({tls_fault::cut_off,
            state_ == tls_state::handshaking
              ? "the peer ended the connection in the handshake"
              : "the peer ended the connection without close_notify"});
  }

  std::vector<std::byte> take_output() override {
    const error_queue errors;
    std::vector<std::byte> output(BIO_ctrl_pending(out_));
    std::size_t size = 0;
    if (!output.empty())
      BIO_read_ex(out_, output.data(), output.size(), &size);
    output.resize(size);
    return output;
  }

  std::vector<std::byte> read() override {
    return std::exchange(plaintext_, {});
  }

  bool write(std::span<const std::byte> plaintext) override {
    if (!is_established() || closing_ || plaintext.size() > buffer_limit
        || BIO_ctrl_pending(out_) > buffer_limit - plaintext.size())
      return false;
    const error_queue errors;
    std::size_t written = 0;
    return plaintext.empty()
           || SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(),
                           &written)
                == 1;
  }

  void close() override {
    if (!is_established() || std::exchange(closing_, true))
      return;
    const error_queue errors;
    SSL_shutdown(ssl_.get());
  }

  bool export_key(std::string_view label, std::span<const std::byte> context,
                  std::span<std::byte> out) override {
    const error_queue errors;
    if (is_established()
        && SSL_export_keying_material(
             ssl_.get(), reinterpret_cast<unsigned char*>(out.data()),
             out.size(), label.data(), label.size(),
             reinterpret_cast<const unsigned char*>(context.data()),
             context.size(), 1)
             == 1)
      return true;
    std::fill(out.begin(), out.end(), std::byte{0});
    return false;
  }

private:
  bool takes_input() const {
    return state_ == tls_state::handshaking || state_ == tls_state::open;
  }
  bool is_established() const {
    return state_ == tls_state::open || state_ == tls_state::peer_closed;
  }

  /// OpenSSL takes some 60 KiB as soon as it is asked to begin. A server does
  /// not ask before it has a whole record, or something that is none: many who
  /// connect and then say little cost little.
  bool may_begin() {
    constexpr long header_size = 5;
    constexpr long longest = 1 << 14;
    const unsigned char* data = nullptr;
    const long size = BIO_get_mem_data(in_, &data);
    if (begun_ || (size > 0 && data[0] != SSL3_RT_HANDSHAKE))
      begun_ = true;
    else if (size >= header_size) {
      const long length = data[3] << 8 | data[4];
      begun_ = length > longest || size >= header_size + length;
    }
    return begun_;
  }

  void fail(tls_failure failure) {
    state_ = tls_state::failed;
    failure_ = std::move(failure);
  }

  /// After a call that returned `code`, which is not success.
  void fail_unless_waiting(int code) {
    if (SSL_get_error(ssl_.get(), code) == SSL_ERROR_WANT_READ)
      return;
    if (fault_.code != X509_V_OK && peer_)
      fail({tls_fault::certificate, describe(fault_, *peer_)});
    else
      fail(queued_failure());
  }

  void handshake() {
    begun_ = true;
    const int code = SSL_do_handshake(ssl_.get());
    if (code != 1)
      return fail_unless_waiting(code);
    state_ = tls_state::open;
    // A client learns only now what the server has agreed to.
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
    if (!std::ranges::equal(std::span{chosen, size},
                            std::span{alpn_list}.subspan(1))) {
      close();
      fail({tls_fault::application, std::string{no_nts_ke}});
    }
  }

  void decrypt() {
    std::array<std::byte, 4096> block;
    std::size_t size = 0;
    for (;;) {
      const int code
        = SSL_read_ex(ssl_.get(), block.data(), block.size(), &size);
      if (code != 1) {
        if (SSL_get_error(ssl_.get(), code) == SSL_ERROR_ZERO_RETURN)
          state_ = tls_state::peer_closed;
        else
          fail_unless_waiting(code);
        return;
      }
      if (plaintext_.size() + size > buffer_limit)
        return fail({tls_fault::too_much,
                     "the peer sends more than an exchange of keys can be"});
      plaintext_.insert(plaintext_.end(), block.begin(),
                        block.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }

  std::shared_ptr<const void> owner_;
  std::optional<expected_peer> peer_;
  certificate_fault fault_;
  tls_state state_ = tls_state::handshaking;
  tls_failure failure_;
  std::vector<std::byte> plaintext_;
  bool begun_ = false; ///< OpenSSL has been asked to shake hands
  bool closing_ = false;
  BIO* in_ = nullptr;  ///< of ssl_
  BIO* out_ = nullptr; ///< of ssl_
  ssl_ptr ssl_;
};

} // namespace

std::string_view to_string(tls_fault fault) {
  switch (fault) {
    case tls_fault::none:
      return "none";
    case tls_fault::version:
      return "version";
    case tls_fault::application:
      return "application";
    case tls_fault::certificate:
      return "certificate";
    case tls_fault::refused:
      return "refused";
    case tls_fault::cut_off:
      return "cut-off";
    case tls_fault::too_much:
      return "too-much";
    case tls_fault::protocol:
      return "protocol";
  }
  return "unknown";
}

std::string openssl_reason() {
  const auto code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  return text ? text : "error " + std::to_string(code);
}

error openssl_error(const std::string& what) {
  return {errc::invalid, what + ": " + openssl_reason()};
}

result<ssl_ctx_ptr> make_context(const SSL_METHOD* method) {
  ssl_ctx_ptr context{SSL_CTX_new(method)};
  if (!context
      || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1
      || SSL_CTX_set_num_tickets(context.get(), 0) != 1)
    return tl::unexpected(openssl_error("cannot set up TLS 1.3"));
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION
                                       | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

result<std::unique_ptr<tls_session>>
make_session(ssl_ptr ssl, std::shared_ptr<const void> owner,
             std::optional<expected_peer> peer) {
  auto session = std::make_unique<openssl_session>(
    std::move(ssl), std::move(owner), std::move(peer));
  if (!session->start(bio_ptr{BIO_new(BIO_s_mem())},
                      bio_ptr{BIO_new(BIO_s_mem())}))
    return tl::unexpected(error{errc::io, "cannot start a TLS session"});
  return session;
}

int note_certificate_fault(int accepted, X509_STORE_CTX* verification) {
  if (accepted == 1)
    return 1;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(
    verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* fault = static_cast<certificate_fault*>(SSL_get_app_data(ssl));
  fault->code = X509_STORE_CTX_get_error(verification);
  fault->depth = X509_STORE_CTX_get_error_depth(verification);
  X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  if (certificate && X509_up_ref(certificate) == 1)
    fault->certificate.reset(certificate);
  return 0;
}

} // namespace concert::platform
