#include "ntp_core/nts/ke_error.hpp"

#include <doctest/doctest.h>

#include <set>

namespace concert::ntp {

TEST_CASE("each way for a key exchange to fail has its own words") {
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < ke_errc_count; ++i)
    texts.insert(to_string(static_cast<ke_errc>(i)));
  CHECK(texts.size() == ke_errc_count);
  CHECK(texts.count("unknown error") == 0);
}

TEST_CASE("the words tell the number where there is one") {
  CHECK(to_string(ke_error{ke_errc::peer_error, 1})
        == "the server refused the request (error 1, bad request)");
  CHECK(to_string(ke_error{ke_errc::peer_error, 77})
        == "the server refused the request (error 77)");
  CHECK(to_string(ke_error{ke_errc::wrong_aead, 31})
        == "the server chose an AEAD that was not offered (AEAD 31)");
  CHECK(to_string(ke_error{ke_errc::duplicate_record, 4})
        == "a record came twice (record type 4)");
  CHECK(to_string(ke_error{ke_errc::no_cookies})
        == "the server gave no cookies");
}

TEST_CASE("clients are told 0, 1 or 2") {
  CHECK(error_record_number(ke_errc::unknown_critical) == 0);
  CHECK(error_record_number(ke_errc::not_permitted) == 0);
  CHECK(error_record_number(ke_errc::internal) == 2);
  for (const auto code :
       {ke_errc::message_too_long, ke_errc::record_length,
        ke_errc::unexpected_record, ke_errc::duplicate_record,
        ke_errc::missing_record, ke_errc::trailing_data, ke_errc::key_length})
    CHECK(error_record_number(code) == 1);
}

} // namespace concert::ntp
