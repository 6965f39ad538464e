#include "tests/config/parsing.hpp"

#include <utility>

namespace concert::config {

namespace {

using ntp::aead_id;

std::string nts_source(std::string_view keys) {
  return "[[source]]\nmode = \"nts\"\naddress = \"a.example\"\n"
         + std::string{keys};
}

source_config only_nts(std::string_view keys) {
  const auto loaded = valid(nts_source(keys));
  REQUIRE(loaded.config.sources.size() == 1);
  return loaded.config.sources[0];
}

} // namespace

TEST_CASE("a source with NTS needs no more than the name of its keys' server") {
  const auto source = only_nts("");
  CHECK(source.mode == source_mode::nts);
  CHECK(source.address == host_port{"a.example", 4460});
  CHECK(source.ntp_version == 4);
  CHECK(source.nts.certificate_authorities.empty());
  CHECK(source.nts.time_check == certificate_time_check::always);
  CHECK(source.nts.aeads
        == aead_list{aead_id::aes_siv_cmac_256, aead_id::aes_128_gcm_siv,
                     aead_id::aes_siv_cmac_512, aead_id::aes_siv_cmac_384});
}

TEST_CASE("every key of a source with NTS is read, and those of servers too") {
  const auto source = only_nts(R"(certificate-authority = "/etc/ca.pem"
certificate-time-check = "after-first-sync"
aeads = [30, "AES-SIV-CMAC-256"]
enable-srv-resolution = false
ntp-version = 4
minpoll = 4
prefer = true
interleaved = true
offset = 0.5
)");
  CHECK(source.nts.certificate_authorities
        == std::vector<std::filesystem::path>{"/etc/ca.pem"});
  CHECK(source.nts.time_check == certificate_time_check::after_first_sync);
  CHECK(source.nts.aeads
        == aead_list{aead_id::aes_128_gcm_siv, aead_id::aes_siv_cmac_256});
  CHECK(source.min_poll == 4);
  CHECK(source.prefer);
  CHECK(source.interleaved);
  CHECK(source.offset_s == 0.5);
}

TEST_CASE("a pool with NTS has the keys of both") {
  const auto loaded = valid(R"([[source]]
mode = "nts-pool"
address = "pool.example:4461"
count = 6
ignore = ["192.0.2.1"]
aeads = ["AES-SIV-CMAC-512", "AES-SIV-CMAC-384", "AES-128-GCM-SIV"]
certificate-authority = ["/a.pem", "/b.pem"]
)");
  const auto& pool = loaded.config.sources.at(0);
  CHECK(pool.mode == source_mode::nts_pool);
  CHECK(pool.address == host_port{"pool.example", 4461});
  CHECK(pool.count == 6);
  CHECK(pool.ignore.size() == 1);
  CHECK(pool.nts.certificate_authorities.size() == 2);
  CHECK(pool.nts.aeads
        == aead_list{aead_id::aes_siv_cmac_512, aead_id::aes_siv_cmac_384,
                     aead_id::aes_128_gcm_siv});
}

TEST_CASE("no file is looked at for text at hand") {
  CHECK(warnings_of(nts_source("certificate-authority = \"/does/not/exist\"\n"))
          .empty());
}

TEST_CASE("keys of NTS are refused in sources without") {
  for (const std::string key :
       {"certificate-authority = \"/a.pem\"",
        "certificate-time-check = \"always\"", "aeads = [15]",
        "enable-srv-resolution = false"}) {
    CAPTURE(key);
    for (std::string mode : {"server", "pool"}) {
      CHECK(refusal_of("[[source]]\naddress = \"a.example\"\nmode = \""
                       + mode.append("\"\n").append(key) + '\n')
              .find("is for mode = \"nts\" or \"nts-pool\" only")
            != std::string::npos);
    }
  }
  CHECK_FALSE(refusal_of(nts_source("count = 4\n")).empty());
}

TEST_CASE("values of a source with NTS are checked") {
  const std::pair<const char*, const char*> wrong[] = {
    {"ntp-version = 3", "`ntp-version`: must be 4 with NTS"},
    {"ntp-version = 5", "`ntp-version`: 5 is not supported yet"},
    {"enable-srv-resolution = true", "is not supported yet"},
    {"enable-srv-resolution = 1", "expected a boolean"},
    {"aeads = 15", "expected an array, found an integer"},
    {"aeads = []", "must name an AEAD"},
    {"aeads = [15, 31]", "must be 15, 16, 17 or 30, found 31"},
    {"aeads = [65551]", "must be 15, 16, 17 or 30, found 65551"},
    {"aeads = [-1]", "must be 15, 16, 17 or 30, found -1"},
    {"aeads = [15, 30, \"AES-SIV-CMAC-256\"]", "names AEAD 15 twice"},
    {"aeads = [true]",
     "expected the number or the name of an AEAD, found a boolean"},
    {"aeads = [\"AES-SIV-CMAC-257\"]", "did you mean `AES-SIV-CMAC-256`?"},
    {"certificate-authority = []", "must name a file"},
    {"certificate-authority = [\"\"]", "must not be empty"},
    {"certificate-authority = 7",
     "expected a path or an array of paths, found an integer"},
    {"certificate-time-check = \"never\"",
     "known here: always, after-first-sync"},
  };
  for (const auto& [key, complaint] : wrong) {
    const auto text = refusal_of(nts_source(std::string{key} + '\n'));
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
    CHECK(text.starts_with("ntp.toml:4:"));
  }
}

} // namespace concert::config
