#pragma once

#include "platform/error.hpp"
#include "platform/tls_openssl.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

/// Certificates and keys: files, and words about them.
namespace concert::platform {

/// All certificates of a PEM file, in its order; at least one.
result<std::vector<x509_ptr>>
read_certificates(const std::filesystem::path& file);

/// The private key of a PEM file. An error for lack of permission says how the
/// daemon's group is given access.
result<pkey_ptr> read_private_key(const std::filesystem::path& file);

/// The DNS names and IP addresses that a certificate is for (its
/// subjectAltName), fit for a log.
std::vector<std::string> names_of(const X509& certificate);

/// Since 1970.
std::chrono::seconds unix_time(const ASN1_TIME& time);

/// What is wrong with a server's certificate and what can be done about it.
std::string describe(const certificate_fault& fault, const expected_peer& peer);

} // namespace concert::platform
