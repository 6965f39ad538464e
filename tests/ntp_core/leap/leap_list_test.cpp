#include "ntp_core/leap/leap_list.hpp"

#include "tests/ntp_core/support/sha1.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::ntp {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds unix_epoch{2'208'988'800};
constexpr auto newest = 3692217600s - unix_epoch; // 1 January 2017

/// The list that the IERS published in July 2025, without its comments.
constexpr std::string_view published = R"(#	a comment
#$	3960835200
#@	3991593600
2272060800      10      # 1 Jan 1972
2287785600      11      # 1 Jul 1972
2303683200      12      # 1 Jan 1973
2335219200      13      # 1 Jan 1974
2366755200      14      # 1 Jan 1975
2398291200      15      # 1 Jan 1976
2429913600      16      # 1 Jan 1977
2461449600      17      # 1 Jan 1978
2492985600      18      # 1 Jan 1979
2524521600      19      # 1 Jan 1980
2571782400      20      # 1 Jul 1981
2603318400      21      # 1 Jul 1982
2634854400      22      # 1 Jul 1983
2698012800      23      # 1 Jul 1985
2776982400      24      # 1 Jan 1988
2840140800      25      # 1 Jan 1990
2871676800      26      # 1 Jan 1991
2918937600      27      # 1 Jul 1992
2950473600      28      # 1 Jul 1993
2982009600      29      # 1 Jul 1994
3029443200      30      # 1 Jan 1996
3076704000      31      # 1 Jul 1997
3124137600      32      # 1 Jan 1999
3345062400      33      # 1 Jan 2006
3439756800      34      # 1 Jan 2009
3550089600      35      # 1 Jul 2012
3644697600      36      # 1 Jul 2015
3692217600      37      # 1 Jan 2017
#h	49db2447 571e5e1b 2f002a53 9c8da8e4 39b8e49e
)";

std::string replaced(std::string_view from, std::string_view to) {
  std::string text{published};
  text.replace(text.find(from), from.size(), to);
  return text;
}

errc error_of(std::string_view text) {
  const auto list = leap_list::parse(text, test::sha1);
  REQUIRE(!list);
  return list.error();
}

/// A list of `lines` with the hash that fits them, leading zeros left out.
std::string hashed(std::string_view lines) {
  std::string canonical;
  for (const char c : lines)
    if (c != ' ' && c != '\n' && c != '#' && c != '$' && c != '@')
      canonical += c;
  const auto digest = test::sha1(std::as_bytes(std::span{canonical}));
  std::string text{lines};
  text += "#h";
  for (std::size_t i = 0; i < digest.size(); i += 4) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k)
      word = word << 8 | std::to_integer<std::uint32_t>(digest[i + k]);
    char digits[9];
    std::snprintf(digits, sizeof digits, "%x", word);
    text += ' ';
    text += digits;
  }
  return text + '\n';
}

leap_list parsed(std::string_view lines) {
  const auto list = leap_list::parse(hashed(lines), test::sha1);
  REQUIRE(list);
  return *list;
}

} // namespace

TEST_CASE("the published list is read, and its hash fits") {
  const auto list = leap_list::parse(published, test::sha1);
  REQUIRE(list);
  CHECK(list->updated() == 3960835200s - unix_epoch);
  CHECK(list->expires() == 3991593600s - unix_epoch);
  CHECK(list->at(newest).tai_offset == 37s);
  CHECK(list->at(newest - 1s).tai_offset == 36s);
  CHECK(list->at(0s).tai_offset == std::nullopt);
  CHECK(list->at(2272060800s - unix_epoch).tai_offset == 10s);
  CHECK(!list->at(newest).next_event);
}

TEST_CASE("a leap second is announced in the last day before it") {
  const auto list = leap_list::parse(published, test::sha1);
  REQUIRE(list);
  CHECK(list->at(newest - 25h).leap == leap_indicator::none);
  CHECK(list->at(newest - 24h).leap == leap_indicator::insert_second);
  CHECK(list->at(newest - 1s).leap == leap_indicator::insert_second);
  CHECK(list->at(newest).leap == leap_indicator::none);
  CHECK(list->at(newest - 25h).next_event == newest);
  CHECK(list->at(2272060800s - unix_epoch - 1h).leap == leap_indicator::none);
}

TEST_CASE("a deleted second is announced too") {
  const auto list
    = parsed("#$ 3960835200\n#@ 3991593600\n2272060800 10\n3991593600 9\n");
  CHECK(list.at(3991593600s - unix_epoch - 1h).leap
        == leap_indicator::delete_second);
}

TEST_CASE("hash words without their leading zeros are read") {
  // The update time is varied until some word of the hash starts with a zero.
  int short_words = 0;
  for (int i = 0; i < 50; ++i) {
    const auto lines = "#$ " + std::to_string(3960835200 + i)
                       + "\n#@ 3991593600\n2272060800 10\n";
    const auto text = hashed(lines);
    CHECK(leap_list::parse(text, test::sha1));
    if (text.size() - lines.size() < 2 + 5 * 9 + 1)
      ++short_words;
  }
  CHECK(short_words > 0);
}

TEST_CASE("line ends of other systems do not matter") {
  std::string text;
  for (const char c : published)
    text += c == '\n' ? std::string{"\r\n"} : std::string{c};
  CHECK(leap_list::parse(text, test::sha1));
}

TEST_CASE("a list is expired from its expiry on") {
  const auto list = leap_list::parse(published, test::sha1);
  REQUIRE(list);
  CHECK(!list->expired(list->expires() - 1s));
  CHECK(list->expired(list->expires()));
}

TEST_CASE("a changed digit anywhere is found by the hash") {
  CHECK(error_of(replaced("3692217600      37", "3692217600      38"))
        == errc::leap_hash_mismatch);
  CHECK(error_of(replaced("#@	3991593600", "#@	3991593601"))
        == errc::leap_hash_mismatch);
  CHECK(error_of(replaced("#$	3960835200", "#$	3960835201"))
        == errc::leap_hash_mismatch);
  CHECK(error_of(replaced("49db2447", "49db2448")) == errc::leap_hash_mismatch);
}

TEST_CASE("a list that lacks a part is refused with the name of the part") {
  CHECK(error_of("") == errc::leap_no_update);
  CHECK(error_of(replaced("#$", "# ")) == errc::leap_no_update);
  CHECK(error_of(replaced("#@", "# ")) == errc::leap_no_expiry);
  CHECK(error_of(replaced("#h", "# ")) == errc::leap_no_hash);
  CHECK(error_of("#$ 1\n#@ 2\n") == errc::leap_empty);
}

TEST_CASE("lines that cannot be read are refused") {
  for (const auto* line :
       {"x", "1", "1 2 3", "1 x", "-1 2", "1 99999", "99999999999999999999 1",
        "#$ x", "#$", "#@ 1 2", "#h 1 2 3 4", "#h 1 2 3 4 5 6",
        "#h 1 2 3 4 123456789", "#h g 2 3 4 5"})
    CHECK_MESSAGE(error_of(line) == errc::leap_syntax, line);
}

TEST_CASE("leap seconds out of order are refused") {
  const auto text = hashed("#$ 1\n#@ 2\n2287785600 11\n2272060800 10\n");
  CHECK(error_of(text) == errc::leap_order);
}

TEST_CASE("every error has words of its own") {
  for (int i = 0; i <= static_cast<int>(errc::leap_hash_mismatch); ++i)
    CHECK(to_string(static_cast<errc>(i)) != "unknown error");
}

} // namespace concert::ntp
