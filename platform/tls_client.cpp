#include "platform/tls_client.hpp"

#include "ntp_core/access/ip_address.hpp"
#include "platform/tls_certificates.hpp"
#include "platform/tls_openssl.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

namespace concert::platform {

namespace {

bool is_label_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// OpenSSL checks nothing for an empty name, and all that is below for one that
/// begins with a dot.
bool is_host_name(std::string_view name) {
  if (name.size() > 253)
    return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.' ? label == 0 : !is_label_letter(c))
      return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63)
      return false;
  }
  return label > 0;
}

bool expect_address(SSL* ssl, const ntp::ip_address& address) {
  return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address.octets().data(),
                                   address.is_v4() ? 4 : 16)
         == 1;
}

bool expect_name(SSL* ssl, const std::string& name) {
  auto* checks = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(checks,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
                                    | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(checks, name.data(), name.size()) == 1
         && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

/// One or the other: with both, OpenSSL would check the time.
void expect_time(SSL* ssl, std::optional<std::chrono::seconds> judged_at) {
  auto* checks = SSL_get0_param(ssl);
  if (judged_at)
    X509_VERIFY_PARAM_set_time(checks, judged_at->count());
  else
    X509_VERIFY_PARAM_set_flags(checks, X509_V_FLAG_NO_CHECK_TIME);
}

result<void> trust_file(SSL_CTX* context, const std::filesystem::path& file) {
  const auto certificates = read_certificates(file);
  if (!certificates)
    return tl::unexpected(certificates.error());
  for (const auto& certificate : *certificates)
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get())
        != 1)
      return tl::unexpected(openssl_error("cannot trust " + file.string()));
  return {};
}

class openssl_client final : public tls_client {
public:
  explicit openssl_client(ssl_ctx_ptr context) : context_(std::move(context)) {}

  result<std::unique_ptr<tls_session>>
  connect(const std::string& host,
          std::optional<std::chrono::seconds> judged_at) const override {
    const error_queue errors;
    const auto address = ntp::ip_address::parse(host);
    // The dot that ends a full name stands in no certificate.
    const auto name
      = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    if (!address && !is_host_name(name))
      return tl::unexpected(
        error{errc::invalid, "what is to be connected to is not a name"});
    ssl_ptr ssl{SSL_new(context_.get())};
    if (!ssl
        || !(address ? expect_address(ssl.get(), *address)
                     : expect_name(ssl.get(), name))
        || SSL_set_alpn_protos(ssl.get(), alpn_list, sizeof alpn_list) != 0)
      return tl::unexpected(openssl_error("cannot start TLS with " + host));
    expect_time(ssl.get(), judged_at);
    SSL_set_connect_state(ssl.get());
    return make_session(std::move(ssl), nullptr, {{name, judged_at}});
  }

private:
  ssl_ctx_ptr context_;
};

} // namespace

result<std::shared_ptr<const tls_client>>
tls_client::open(const tls_client_options& options) {
  const error_queue errors;
  auto context = make_context(TLS_client_method());
  if (!context)
    return tl::unexpected(context.error());
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, note_certificate_fault);
  // Whatever stands in a file of the user is trusted, not roots alone.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context->get()),
                              X509_V_FLAG_PARTIAL_CHAIN);
  if (SSL_CTX_set_default_verify_paths(context->get()) != 1)
    return tl::unexpected(openssl_error("cannot use the system's roots"));
  for (const auto& file : options.certificate_authorities)
    if (auto trusted = trust_file(context->get(), file); !trusted)
      return tl::unexpected(trusted.error());
  return std::make_shared<openssl_client>(std::move(*context));
}

} // namespace concert::platform
