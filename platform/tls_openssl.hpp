#pragma once

#include "platform/error.hpp"
#include "platform/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

/// What the TLS files share. Nobody else sees OpenSSL.
namespace concert::platform {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;

/// OpenSSL's error queue belongs to the thread and must be empty before a call
/// whose failure is looked up in it: empty while this lives, and afterwards.
class error_queue {
public:
  error_queue() { ERR_clear_error(); }
  ~error_queue() { ERR_clear_error(); }
  error_queue(const error_queue&) = delete;
  error_queue& operator=(const error_queue&) = delete;
};

/// The newest error in the queue, in OpenSSL's words.
std::string openssl_reason();
/// The same as an error, e.g. "cannot use /etc/x.pem: ee key too small".
error openssl_error(const std::string& what);

/// The protocol's name in the list of application protocols as it is sent: its
/// length and "ntske/1" (RFC 8915 §4).
constexpr unsigned char alpn_list[] = {7, 'n', 't', 's', 'k', 'e', '/', '1'};

/// A context with what both sides have in common: TLS 1.3, no tickets, no
/// resumption, no early data.
result<ssl_ctx_ptr> make_context(const SSL_METHOD* method);

/// Why the peer's certificate was not accepted.
struct certificate_fault {
  int code = X509_V_OK;
  int depth = 0;        ///< 0: the peer's own; above: its issuers
  x509_ptr certificate; ///< may be absent
};

/// Whom a client wants to talk to.
struct expected_peer {
  std::string host;
  /// When its certificates must be valid, since 1970; absent = whenever.
  std::optional<std::chrono::seconds> judged_at;
};

/// Makes a session of a connection whose side and checks are set up already.
/// `owner` is kept as long as the session. A client's `peer` is for its error
/// texts.
result<std::unique_ptr<tls_session>>
make_session(ssl_ptr ssl, std::shared_ptr<const void> owner,
             std::optional<expected_peer> peer = std::nullopt);

/// OpenSSL's verification callback for sessions of `make_session`.
int note_certificate_fault(int accepted, X509_STORE_CTX* verification);

} // namespace concert::platform
