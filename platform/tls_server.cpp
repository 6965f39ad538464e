#include "platform/tls_server.hpp"

#include "platform/tls_certificates.hpp"
#include "platform/tls_openssl.hpp"

#include <fmt/format.h>
#include <openssl/tls1.h>
#include <openssl/x509v3.h>

#include <sys/stat.h>

namespace concert::platform {

namespace {

std::chrono::nanoseconds since_1970(const timespec& time) {
  return std::chrono::seconds{time.tv_sec}
         + std::chrono::nanoseconds{time.tv_nsec};
}

file_stamp stamp_of(const std::filesystem::path& file) {
  struct stat s {};
  if (stat(file.c_str(), &s) != 0)
    return {};
  return {s.st_dev, s.st_ino, s.st_size, since_1970(s.st_mtim),
          since_1970(s.st_ctim)};
}

/// Refuses a client that does not speak of application protocols at all, for
/// which OpenSSL asks nobody.
int want_application(SSL* ssl, int* alert, void*) {
  const unsigned char* list = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(
        ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &list, &size)
      == 1)
    return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

int choose_application(SSL*, const unsigned char** chosen, unsigned char* size,
                       const unsigned char* offered, unsigned offered_size,
                       void*) {
  unsigned char* found = nullptr;
  const int code = SSL_select_next_proto(
    &found, size, alpn_list, sizeof alpn_list, offered, offered_size);
  *chosen = found;
  return code == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                        : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A context that shows the certificate of `files`.
result<ssl_ctx_ptr> load_pair(const certificate_files& files) {
  const error_queue errors;
  const auto chain = read_certificates(files.chain);
  if (!chain)
    return tl::unexpected(chain.error());
  const auto key = read_private_key(files.private_key);
  if (!key)
    return tl::unexpected(key.error());
  auto* leaf = chain->front().get();
  if (X509_check_private_key(leaf, key->get()) != 1)
    return tl::unexpected(
      error{errc::invalid,
            fmt::format("the private key {} does not belong to the first "
                        "certificate in {}",
                        files.private_key.string(), files.chain.string())});
  auto context = make_context(TLS_server_method());
  if (!context)
    return tl::unexpected(context.error());
  bool used = SSL_CTX_use_certificate(context->get(), leaf) == 1
              && SSL_CTX_use_PrivateKey(context->get(), key->get()) == 1;
  for (std::size_t i = 1; used && i < chain->size(); ++i)
    used = SSL_CTX_add1_chain_cert(context->get(), (*chain)[i].get()) == 1;
  if (!used)
    return tl::unexpected(
      openssl_error("cannot use the certificate " + files.chain.string()));
  SSL_CTX_set_client_hello_cb(context->get(), want_application, nullptr);
  SSL_CTX_set_alpn_select_cb(context->get(), choose_application, nullptr);
  return context;
}

certificate_info info_of(const certificate_files& files, const X509& leaf) {
  return {files.chain, names_of(leaf), unix_time(*X509_get0_notBefore(&leaf)),
          unix_time(*X509_get0_notAfter(&leaf))};
}

class openssl_server final
  : public tls_server,
    public std::enable_shared_from_this<openssl_server> {
public:
  explicit openssl_server(file_stamps stamps) : stamps_(std::move(stamps)) {}

  void add(const certificate_files& files, ssl_ctx_ptr context) {
    infos_.push_back(info_of(files, *SSL_CTX_get0_certificate(context.get())));
    SSL_CTX_set_tlsext_servername_callback(context.get(), choose_pair);
    SSL_CTX_set_tlsext_servername_arg(context.get(), this);
    pairs_.push_back(std::move(context));
  }

  result<std::unique_ptr<tls_session>> accept() const override {
    const error_queue errors;
    ssl_ptr ssl{SSL_new(pairs_.front().get())};
    if (!ssl)
      return tl::unexpected(openssl_error("cannot start a TLS session"));
    SSL_set_accept_state(ssl.get());
    return make_session(std::move(ssl), shared_from_this());
  }

  const std::vector<certificate_info>& certificates() const override {
    return infos_;
  }
  const file_stamps& stamps() const override { return stamps_; }

private:
  static int choose_pair(SSL* ssl, int*, void* self) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    auto* pair = name ? static_cast<const openssl_server*>(self)->pair_for(name)
                      : nullptr;
    return pair && SSL_set_SSL_CTX(ssl, pair) ? SSL_TLSEXT_ERR_OK
                                              : SSL_TLSEXT_ERR_NOACK;
  }

  /// A certificate with just this name goes before one with a wildcard.
  SSL_CTX* pair_for(const char* name) const {
    constexpr unsigned never = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    for (const unsigned flags : {never | X509_CHECK_FLAG_NO_WILDCARDS,
                                 never | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS})
      for (const auto& pair : pairs_)
        if (X509_check_host(SSL_CTX_get0_certificate(pair.get()), name, 0,
                            flags, nullptr)
            == 1)
          return pair.get();
    return nullptr;
  }

  file_stamps stamps_;
  std::vector<certificate_info> infos_;
  std::vector<ssl_ctx_ptr> pairs_;
};

} // namespace

file_stamps stamps_of(std::span<const certificate_files> pairs) {
  file_stamps out;
  for (const auto& files : pairs) {
    out.push_back(stamp_of(files.chain));
    out.push_back(stamp_of(files.private_key));
  }
  return out;
}

result<std::shared_ptr<const tls_server>>
tls_server::load(std::span<const certificate_files> pairs) {
  if (pairs.empty())
    return tl::unexpected(
      error{errc::invalid, "a TLS server needs a certificate"});
  auto server = std::make_shared<openssl_server>(stamps_of(pairs));
  for (const auto& files : pairs) {
    auto context = load_pair(files);
    if (!context)
      return tl::unexpected(context.error());
    server->add(files, std::move(*context));
  }
  return server;
}

} // namespace concert::platform
