#include "platform/tls_certificates.hpp"

#include "ntp_core/access/ip_address.hpp"
#include "platform/socket.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <span>

namespace concert::platform {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_limit = std::size_t{1} << 20;

using general_names_ptr
  = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

/// The text of a file that may be a key: overwritten when given up.
struct file_text {
  file_text() { bytes.reserve(file_limit); }
  ~file_text() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  file_text(file_text&&) = default;
  file_text& operator=(file_text&&) = delete;

  bio_ptr bio() const {
    return bio_ptr{
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
  }

  std::vector<char> bytes; ///< never grows beyond what is reserved
};

/// The group that this process has, by name if it has one.
std::string own_group() {
  group entry{};
  group* found = nullptr;
  std::array<char, 4096> buffer;
  if (getgrgid_r(getegid(), &entry, buffer.data(), buffer.size(), &found) == 0
      && found)
    return found->gr_name;
  return std::to_string(getegid());
}

/// The first folder on the way to `file` that we may not enter.
std::optional<fs::path> closed_folder(const fs::path& file) {
  std::error_code code; // what is unknown is not closed
  fs::path folder;
  for (const auto& part : fs::absolute(file, code).parent_path()) {
    folder /= part;
    if (faccessat(AT_FDCWD, folder.c_str(), X_OK, AT_EACCESS) != 0)
      return folder;
  }
  return std::nullopt;
}

/// How somebody gives us access to `file`; a link is followed, as programs that
/// renew certificates make links into folders that are closed as well.
std::string access_advice(fs::path file) {
  for (int links = 0; links < 8; ++links) {
    if (const auto folder = closed_folder(file))
      return fmt::format("chgrp {0} {1} && chmod g+x {1}", own_group(),
                         folder->string());
    std::error_code code;
    const auto target = fs::read_symlink(file, code);
    if (code)
      break;
    file = file.parent_path() / target;
  }
  return fmt::format("chgrp {0} {1} && chmod g+r {1}", own_group(),
                     file.string());
}

error read_error(const std::string& what, const fs::path& file, int number) {
  auto e = system_error("cannot read " + what, number);
  if (number == EACCES)
    e.text += fmt::format("; let the daemon's group read it: {}",
                          access_advice(file));
  return e;
}

/// `kind` is what the file should hold.
result<file_text> read_file(std::string_view kind, const fs::path& file) {
  const auto what = fmt::format("the {} {}", kind, file.string());
  // Non-blocking: a pipe in its place must not stop us.
  const unique_fd fd{open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd)
    return tl::unexpected(read_error(what, file, errno));
  file_text text;
  for (;;) {
    const auto size = text.bytes.size();
    text.bytes.resize(std::min(size + 4096, file_limit));
    const auto got
      = read(fd.get(), text.bytes.data() + size, text.bytes.size() - size);
    if (got < 0)
      return tl::unexpected(read_error(what, file, errno));
    text.bytes.resize(size + static_cast<std::size_t>(got));
    if (text.bytes.size() == file_limit)
      return tl::unexpected(
        error{errc::invalid, what + " is longer than 1 MiB"});
    if (got == 0)
      break;
  }
  if (text.bytes.empty())
    return tl::unexpected(error{errc::invalid, what + " is empty"});
  return text;
}

/// For encrypted keys: nobody is there to be asked.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string printable(std::span<const unsigned char> text) {
  constexpr std::size_t longest = 255;
  std::string out;
  for (const auto c : text.first(std::min(text.size(), longest)))
    out += c > 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  return out;
}

std::span<const unsigned char> octets(const ASN1_STRING& text) {
  return {ASN1_STRING_get0_data(&text),
          static_cast<std::size_t>(ASN1_STRING_length(&text))};
}

template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(std::span<const unsigned char> from) {
  std::array<std::uint8_t, Size> out{};
  std::copy_n(from.begin(), Size, out.begin());
  return out;
}

std::optional<std::string> name_of(const GENERAL_NAME& name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(&name, &type);
  if (type != GEN_DNS && type != GEN_IPADD)
    return std::nullopt;
  const auto text = octets(*static_cast<const ASN1_STRING*>(value));
  if (type == GEN_DNS)
    return printable(text);
  if (text.size() == 4)
    return ntp::ip_address::v4(array_of<4>(text)).to_string();
  if (text.size() == 16)
    return ntp::ip_address::v6(array_of<16>(text)).to_string();
  return std::nullopt;
}

/// The first few names of a certificate.
std::string list_of_names(const X509& certificate) {
  constexpr std::size_t most = 5;
  const auto names = names_of(certificate);
  if (names.empty())
    return "none: it has no subjectAltName";
  const auto shown = std::min(names.size(), most);
  auto text
    = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (shown < names.size())
    text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

/// Escaped by OpenSSL where it is not printable.
std::string subject_text(const X509_NAME& name) {
  std::array<char, 128> text{};
  return X509_NAME_oneline(&name, text.data(), text.size()) ? text.data() : "?";
}

std::string date(std::chrono::seconds at) {
  const std::time_t seconds = at.count();
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return fmt::format("{:04}-{:02}-{:02}", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday);
}

std::string time_taken(const expected_peer& peer) {
  return peer.judged_at
           ? fmt::format(" (the time is taken to be {})", date(*peer.judged_at))
           : "";
}

} // namespace

result<std::vector<x509_ptr>> read_certificates(const fs::path& file) {
  const error_queue errors;
  const auto text = read_file("certificate file", file);
  if (!text)
    return tl::unexpected(text.error());
  const auto bio = text->bio();
  std::vector<x509_ptr> out;
  while (auto* certificate
         = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    out.emplace_back(certificate);
  // It ends with the search for one more, and not inside of one.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return tl::unexpected(openssl_error(fmt::format(
      "certificate {} of {} is damaged", out.size() + 1, file.string())));
  if (out.empty())
    return tl::unexpected(
      error{errc::invalid,
            fmt::format("there is no certificate in {}: it must be a PEM file",
                        file.string())});
  return out;
}

result<pkey_ptr> read_private_key(const fs::path& file) {
  const error_queue errors;
  const auto text = read_file("private key", file);
  if (!text)
    return tl::unexpected(text.error());
  bool encrypted = false;
  pkey_ptr key{PEM_read_bio_PrivateKey(text->bio().get(), nullptr,
                                       no_passphrase, &encrypted)};
  if (key)
    return key;
  const auto* why = encrypted ? "its passphrase can be entered by nobody: keep "
                                "it without one"
                              : "there is none: it must be a PEM file";
  return tl::unexpected(
    error{errc::invalid, fmt::format("cannot use the private key {}: {}",
                                     file.string(), why)});
}

std::vector<std::string> names_of(const X509& certificate) {
  const error_queue errors;
  const general_names_ptr names{static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::vector<std::string> out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (auto name = name_of(*sk_GENERAL_NAME_value(names.get(), i)))
      out.push_back(std::move(*name));
  return out;
}

std::chrono::seconds unix_time(const ASN1_TIME& time) {
  std::tm tm{};
  return std::chrono::seconds{ASN1_TIME_to_tm(&time, &tm) == 1 ? timegm(&tm)
                                                               : 0};
}

std::string describe(const certificate_fault& fault,
                     const expected_peer& peer) {
  const auto* certificate = fault.certificate.get();
  if (!certificate)
    return fmt::format("the certificate of {} is not acceptable: {}", peer.host,
                       X509_verify_cert_error_string(fault.code));
  const auto whose
    = fault.depth == 0
        ? "the certificate of " + peer.host
        : fmt::format("the certificate of {}, issuer for {},",
                      subject_text(*X509_get_subject_name(certificate)),
                      peer.host);
  switch (fault.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("{} expired {}{}", whose,
                         date(unix_time(*X509_get0_notAfter(certificate))),
                         time_taken(peer));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("{} is valid only from {}{}", whose,
                         date(unix_time(*X509_get0_notBefore(certificate))),
                         time_taken(peer));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("the name {} is not in the certificate (it has {})",
                         peer.host, list_of_names(*certificate));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format(
        "{} comes from an unknown issuer, {}; if it is yours, name its file in "
        "certificate-authority",
        whose, subject_text(*X509_get_issuer_name(certificate)));
    default:
      return fmt::format("{} is not acceptable: {}", whose,
                         X509_verify_cert_error_string(fault.code));
  }
}

} // namespace concert::platform
