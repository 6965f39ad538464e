#pragma once

#include "platform/tls_openssl.hpp"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <string>
#include <vector>

/// Certificates for tests, made in memory.
namespace concert::platform::testing {

/// The day on which the tests take place, and around which all is valid.
inline constexpr std::chrono::seconds test_day{1'800'000'000}; // 2027-01-15
inline constexpr std::chrono::hours year{24 * 365};

/// A certificate with its private key.
struct identity {
  x509_ptr certificate;
  pkey_ptr key;
};

struct validity {
  std::chrono::seconds from = test_day - year;
  std::chrono::seconds until = test_day + year;
};

inline void add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* made
    = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  REQUIRE(made);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

/// A certificate that is not signed yet.
inline identity unsigned_identity(const std::string& common_name,
                                  validity valid) {
  static long serial = 1;
  identity out{x509_ptr{X509_new()}, pkey_ptr{EVP_EC_gen("P-256")}};
  X509* certificate = out.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  ASN1_TIME_set(X509_getm_notBefore(certificate), valid.from.count());
  ASN1_TIME_set(X509_getm_notAfter(certificate), valid.until.count());
  X509_set_pubkey(certificate, out.key.get());
  X509_NAME_add_entry_by_txt(
    X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
    reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return out;
}

inline void sign(X509* certificate, const identity& issuer) {
  X509_set_issuer_name(certificate,
                       X509_get_subject_name(issuer.certificate.get()));
  REQUIRE(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0);
}

/// An authority, signed by itself or by `issuer`.
inline identity make_authority(const std::string& name, validity valid = {},
                               const identity* issuer = nullptr) {
  auto out = unsigned_identity(name, valid);
  add_extension(out.certificate.get(), NID_basic_constraints,
                "critical,CA:TRUE");
  add_extension(out.certificate.get(), NID_key_usage, "critical,keyCertSign");
  sign(out.certificate.get(), issuer ? *issuer : out);
  return out;
}

/// A server's certificate for `names`, e.g. "DNS:a.example,IP:192.0.2.1"; none
/// if they are empty.
inline identity issue(const identity& issuer, const std::string& names,
                      validity valid = {}) {
  auto out = unsigned_identity("common.example", valid);
  if (!names.empty())
    add_extension(out.certificate.get(), NID_subject_alt_name, names);
  sign(out.certificate.get(), issuer);
  return out;
}

inline std::string taken_from(const bio_ptr& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

inline std::string pem(const x509_ptr& certificate) {
  const bio_ptr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), certificate.get());
  return taken_from(bio);
}

/// `passphrase` encrypts it, unless it is empty.
inline std::string pem(const pkey_ptr& key, std::string passphrase = {}) {
  const bio_ptr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PKCS8PrivateKey(
    bio.get(), key.get(), passphrase.empty() ? nullptr : EVP_aes_128_cbc(),
    passphrase.data(), static_cast<int>(passphrase.size()), nullptr, nullptr);
  return taken_from(bio);
}

} // namespace concert::platform::testing
