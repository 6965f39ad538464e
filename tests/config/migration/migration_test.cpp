#include "config/migration/migration.hpp"

#include "tests/config/parsing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace concert::config {

namespace {

const include_reader nothing_included;

migration migrated(std::string_view text, dialect from) {
  auto result = migrate(text, from, "their.conf", nothing_included);
  if (!result.errors.empty())
    FAIL("refused: " << lines_of(result.errors) << result.toml);
  return result;
}

daemon_config from_chrony(std::string_view text) {
  return valid(migrated(text, dialect::chrony).toml).config;
}

daemon_config from_ntpd(std::string_view text) {
  return valid(migrated(text, dialect::ntpd).toml).config;
}

std::string sample(const std::string& name) {
  std::ifstream file{"tests/config/migration/data/" + name};
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The notes, a line each.
std::string report(const migration& m) {
  std::string result;
  for (const auto& note : m.notes)
    result += note.to_string() + '\n';
  return result;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> texts(const std::vector<ntp::ip_prefix>& prefixes) {
  std::vector<std::string> result;
  result.reserve(prefixes.size());
  for (const auto& prefix : prefixes)
    result.push_back(prefix.to_string());
  return result;
}

} // namespace

TEST_CASE("a chronyd client keeps its pool and its place as a client") {
  const auto m = migrated(sample("chrony-client.conf"), dialect::chrony);
  const auto c = valid(m.toml).config;
  REQUIRE(c.sources.size() == 1);
  CHECK(c.sources[0].mode == source_mode::pool);
  CHECK(c.sources[0].address.host == "2.pool.ntp.example");
  CHECK(c.sources[0].iburst);
  CHECK(c.servers.empty());
  CHECK(c.steering.minimum_agreeing_sources == 1);
  CHECK(c.leap_seconds_file == "/usr/share/zoneinfo/leap-seconds.list");
  CHECK(m.count(fate::lost) == 0);
}

TEST_CASE("a chronyd server with NTS keeps its policy") {
  const auto m = migrated(sample("chrony-nts-server.conf"), dialect::chrony);
  const auto c = valid(m.toml).config;
  REQUIRE(c.sources.size() == 3);
  CHECK(c.sources[0].mode == source_mode::nts);
  CHECK(c.sources[0].nts.certificate_authorities.at(0)
        == "/etc/ssl/campus-ca.pem");
  CHECK(c.sources[1].interleaved);
  CHECK(c.sources[1].prefer);
  CHECK(c.sources[2].min_poll == 4);
  CHECK(c.sources[2].max_poll == 6);
  CHECK(c.sources[2].offset_s == doctest::Approx(-20e-6));
  // `authselectmode require`: who is not authenticated may not vote.
  CHECK(c.sources[2].noselect);
  CHECK(c.steering.minimum_agreeing_sources == 2);
  CHECK(c.steering.max_slew == doctest::Approx(500e-6));
  CHECK(c.steering.local_stratum == 8);
  REQUIRE(c.servers.size() == 2);
  const auto& server = c.servers[0];
  CHECK(texts(server.allowlist.prefixes)
        == std::vector<std::string>{"10.0.0.0/8"});
  CHECK(texts(server.denylist.prefixes)
        == std::vector<std::string>{"10.66.0.0/16"});
  CHECK(server.filter_order == ntp::access_order::longest_match);
  CHECK(server.rate_limiting_cutoff == std::chrono::seconds{2});
  CHECK(server.rate_limiting_burst == 16);
  CHECK(server.rate_limiting_leak == 8);
  CHECK(server.rate_limiting_kiss == 4);
  CHECK(server.client_table_size == 524288);
  REQUIRE(c.nts_ke_servers.size() == 2);
  CHECK(c.nts_ke_servers[0].certificates.at(0).chain == "/etc/chrony/time.crt");
  CHECK(c.nts_ke_servers[0].concurrent_connections == 200);
  CHECK(c.nts_ke_servers[0].ntp_server == "time.campus.example");
  CHECK(c.keyset.key_storage_path.has_value());
  CHECK(has(report(m), "their.conf:4: not carried over: `key`"));
}

TEST_CASE("what a stratum 1 has and Concert has not is told with its line") {
  const auto m = migrated(sample("chrony-gps.conf"), dialect::chrony);
  const auto c = valid(m.toml).config;
  const auto said = report(m);
  CHECK(has(said, "their.conf:2: not carried over: `refclock SHM 0"));
  CHECK(has(said, "their.conf:3: not carried over: `refclock PPS"));
  CHECK(has(said, "their.conf:15: not carried over: `tempcomp"));
  CHECK(c.sources.at(1).address.port == 1123);
  REQUIRE(c.servers.size() == 1);
  CHECK(c.servers[0].listen.to_string() == "192.0.2.1:123");
  CHECK(c.servers[0].interface == "eth0");
  CHECK(!c.servers[0].interleaved);
  CHECK(c.steering.exit_on_panic);
  CHECK(c.steering.single_step_panic_threshold.forward_s == 1);
  // Its own sources may not be followed, which our check says.
  CHECK(has(lines_of(m.warnings), "impossible"));
}

TEST_CASE("an ntpd client serves whom it has served, and no faster") {
  const auto m = migrated(sample("ntp-pool-client.conf"), dialect::ntpd);
  const auto c = valid(m.toml).config;
  REQUIRE(c.sources.size() == 3);
  CHECK(c.sources[0].mode == source_mode::pool);
  CHECK(c.sources[2].prefer);
  CHECK(!c.sources[2].iburst);
  REQUIRE(c.servers.size() == 2);
  CHECK(c.servers[0].rate_limiting_cutoff == std::chrono::seconds{8});
  CHECK(c.servers[0].rate_limiting_kiss > 0);
  CHECK(c.servers[0].denylist.prefixes.empty());
  CHECK(c.steering.exit_on_panic);
  CHECK(c.leap_seconds_file.has_value());
  CHECK(m.count(fate::lost) == 0);
}

TEST_CASE("an ntpsec server with NTS keeps who may ask, where, and its keys") {
  const auto m = migrated(sample("ntp-nts-server.conf"), dialect::ntpd);
  const auto c = valid(m.toml).config;
  REQUIRE(c.sources.size() == 3);
  CHECK(c.sources[1].mode == source_mode::nts);
  CHECK(c.sources[1].address.port == 4461);
  CHECK(c.sources[1].max_poll == 12);
  CHECK(c.sources[2].nts.certificate_authorities.at(0) == "/etc/ssl/lab.pem");
  CHECK(c.steering.minimum_agreeing_sources == 3);
  REQUIRE(c.servers.size() == 2);
  CHECK(c.servers[0].listen.to_string() == "192.0.2.1:123");
  CHECK(texts(c.servers[0].allowlist.prefixes)
        == std::vector<std::string>{"192.0.2.0/24"});
  CHECK(texts(c.servers[0].denylist.prefixes)
        == std::vector<std::string>{"192.0.2.66/32"});
  CHECK(texts(c.servers[1].allowlist.prefixes)
        == std::vector<std::string>{"2001:db8:7::/48"});
  CHECK(c.nts_ke_servers.size() == 2);
  CHECK(c.steering.startup_step_panic_threshold.backward_s
        == std::numeric_limits<double>::infinity());
}

TEST_CASE("old peers become sources, and their keys are missed aloud") {
  const auto m = migrated(sample("ntp-peers.conf"), dialect::ntpd);
  const auto c = valid(m.toml).config;
  const auto said = report(m);
  REQUIRE(c.sources.size() == 3);
  CHECK(c.sources[0].ntp_version == 3);
  CHECK(c.sources[2].interleaved);
  CHECK(c.servers.at(0).answer_symmetric_active);
  // The clock of stratum 12 is its source, so that 13 is what it serves.
  CHECK(c.steering.local_stratum == 13);
  CHECK(has(said, "their.conf:2: not carried over: `key`"));
  CHECK(has(said, "their.conf:4: changed: `peer 192.0.2.20"));
  CHECK(has(said, "their.conf:8: not carried over: `server 127.127.20.0"));
  CHECK(!has(said, "not-to-be-shown"));
  CHECK(!has(m.toml, "not-to-be-shown"));
}

TEST_CASE("a limit on steps outlives a leave to step, wherever it stands") {
  for (const auto* text :
       {"server a.example\nmakestep 1 -1\nmaxchange 2 1 0\n",
        "server a.example\nmaxchange 2 1 0\nmakestep 1 -1\n"}) {
    const auto c = valid(migrated(text, dialect::chrony).toml).config;
    CHECK(c.steering.single_step_panic_threshold.forward_s == 2);
  }
}

TEST_CASE("a step that chronyd would not make is told of") {
  const auto never = migrated("server a.example\n", dialect::chrony);
  CHECK(has(never.toml, "Without `makestep` chronyd steps never"));
  const auto may
    = migrated("server a.example\nmakestep 1 3\n", dialect::chrony);
  CHECK(!has(may.toml, "steps never"));
}

TEST_CASE("an authority of one ntpd source is none of it alone any more") {
  const auto m = migrated("server a.example nts ca /a.pem\n", dialect::ntpd);
  CHECK(has(report(m), "changed: `ca`: the system's authorities"));
}

TEST_CASE("OpenNTPD's sources and listeners are carried over") {
  const auto m = migrated("servers pool.ntp.example\n"
                          "server time.example weight 5\n"
                          "constraints from \"https://www.example.com\"\n"
                          "listen on 192.0.2.1\n",
                          dialect::openntpd);
  const auto c = valid(m.toml).config;
  CHECK(c.sources.at(0).mode == source_mode::pool);
  CHECK(c.sources.at(1).address.host == "time.example");
  CHECK(c.servers.at(0).listen.to_string() == "192.0.2.1:123");
  CHECK(m.count(fate::lost) == 2);
}

TEST_CASE("a dialect is known by its directives, then by the file's name") {
  CHECK(detect_dialect("pool a\nmakestep 1 3\n", "x") == dialect::chrony);
  CHECK(detect_dialect("server a\nrestrict default\n", "chrony.conf")
        == dialect::ntpd);
  CHECK(detect_dialect("servers a\n", "x") == dialect::openntpd);
  CHECK(detect_dialect("server a\n", "/etc/chrony/chrony.conf")
        == dialect::chrony);
  CHECK(detect_dialect("server a\n", "/etc/ntp.conf") == dialect::ntpd);
  CHECK(!detect_dialect("server a\n", "x"));
  for (const auto d : {dialect::chrony, dialect::ntpd, dialect::openntpd})
    CHECK(dialect_of(to_string(d)) == d);
  CHECK(!dialect_of("rdate"));
}

TEST_CASE("included files are read in the place that names them") {
  std::vector<std::string> asked;
  const include_reader files
    = [&](std::string_view pattern) -> std::vector<included_file> {
    asked.emplace_back(pattern);
    return {{"dhcp.sources", "server 192.0.2.1\nbogus\n"}};
  };
  const auto m = migrate("sourcedir /run/dhcp\ninclude /etc/more.conf\n",
                         dialect::chrony, "chrony.conf", files);
  CHECK(asked
        == std::vector<std::string>{"/run/dhcp/*.sources", "/etc/more.conf"});
  CHECK(valid(m.toml).config.sources.size() == 2);
  CHECK(has(report(m), "dhcp.sources:2: not carried over: `bogus`"));
}

TEST_CASE("files that include themselves come to an end") {
  std::size_t reads = 0;
  const include_reader itself
    = [&](std::string_view) -> std::vector<included_file> {
    ++reads;
    const std::string text = "include a\ninclude a\ninclude a\n";
    return {{"a", text}, {"b", text}};
  };
  const auto m = migrate("include a\n", dialect::chrony, "c", itself);
  CHECK(m.errors.empty());
  CHECK(reads < 1000);
  CHECK(has(report(m), "too deeply"));
}

TEST_CASE("what is too large is left out, and said") {
  const std::string large(largest_migrated + 1, '\n');
  CHECK(migrated(large, dialect::chrony).count(fate::lost) == 1);
  std::string many;
  for (int i = 0; i < 1200; ++i)
    many += "server a" + std::to_string(i) + "\n";
  CHECK(from_chrony(many).sources.size() == 1000);
}

TEST_CASE("chrony's access rules: the longest range counts, `all` clears") {
  const auto c = from_chrony("allow\ndeny 192.0.2.0/24\nallow 192.0.2.128/25\n"
                             "deny 198.51.100.7\nallow all 198.51.100.0/24\n"
                             "deny ::/0\nallow 2001:db8::1\n");
  REQUIRE(c.servers.size() == 2);
  CHECK(c.servers[0].filter_order == ntp::access_order::longest_match);
  CHECK(texts(c.servers[0].denylist.prefixes)
        == std::vector<std::string>{"192.0.2.0/24"});
  CHECK(texts(c.servers[1].allowlist.prefixes)
        == std::vector<std::string>{"2001:db8::1/128"});
}

TEST_CASE("nobody is served unless chrony.conf allows it, or on port 0") {
  CHECK(from_chrony("bindaddress 192.0.2.1\n").servers.empty());
  CHECK(from_chrony("allow\nport 0\n").servers.empty());
  const auto c = from_chrony("allow 10/8\nbindaddress 192.0.2.1\nport 1123\n");
  REQUIRE(c.servers.size() == 1);
  CHECK(c.servers[0].listen.to_string() == "192.0.2.1:1123");
}

TEST_CASE("values out of range are moved into it or left out") {
  const auto c = from_chrony("server a minpoll -6 maxpoll -4\n"
                             "server b minpoll 12 maxpoll 3 version 2\n"
                             "server c maxpoll 24 offset 1e9\n"
                             "pool d maxsources 99\n"
                             "server e minpoll\n"
                             "port 70000\nmaxslewrate 83333\n"
                             "local stratum 99\n");
  REQUIRE(c.sources.size() == 5);
  CHECK(c.sources[0].min_poll == 0);
  CHECK(c.sources[0].max_poll == 0);
  CHECK(c.sources[1].max_poll == 12);
  CHECK(c.sources[2].max_poll == 17);
  CHECK(c.sources[3].count == 4);
  CHECK(c.steering.max_slew == doctest::Approx(1e-3));
  CHECK(c.steering.local_stratum == 15);
}

TEST_CASE("what is no host or hostile becomes no source and no TOML") {
  const auto m
    = migrated("server a\"]\npool \nserver a:b\nserver 192.0.2.300..\n"
               "leapseclist \"/a\\b \x01\xff\n",
               dialect::chrony);
  const auto c = valid(m.toml).config;
  CHECK(c.sources.empty());
  CHECK(c.leap_seconds_file == "/a\\b ??");
}

TEST_CASE("what cannot name a server to NTS clients names none") {
  for (const auto* name : {"time.2.7", "a..b", "time.example:123", "fe80::1%1"})
    CHECK(has(report(migrated(fmt::format("ntsserverkey /k\nntsservercert /c\n"
                                          "ntsntpserver {}\n",
                                          name),
                              dialect::chrony)),
              fmt::format("not carried over: `ntsntpserver {}`", name)));
  CHECK(from_chrony("ntsserverkey /k\nntsservercert /c\nallow\n"
                    "ntsntpserver 2001:db8::1\n")
          .nts_ke_servers.at(0)
          .ntp_server
        == "2001:db8::1");
}

TEST_CASE("ntpd's wildcard interfaces and refusals") {
  CHECK(from_ntpd("interface ignore wildcard\n").servers.empty());
  CHECK(from_ntpd("restrict default noserve\n").servers.empty());
  const auto c = from_ntpd("interface ignore all\ninterface listen eth1\n");
  REQUIRE(c.servers.size() == 2);
  CHECK(c.servers[0].interface == "eth1");
}

TEST_CASE(
  "times in certificates wait for the first correction if chrony's do") {
  const auto c = from_chrony("nocerttimecheck 1\nserver a nts\n"
                             "ntsaeads 30 15 99\n");
  CHECK(c.sources.at(0).nts.time_check
        == certificate_time_check::after_first_sync);
  CHECK(c.sources.at(0).nts.aeads
        == aead_list{ntp::aead_id::aes_128_gcm_siv,
                     ntp::aead_id::aes_siv_cmac_256});
}

TEST_CASE("included files are read from the disk if they are regular files") {
  const auto files = read_included("tests/config/migration/data/chrony-*.conf");
  REQUIRE(files.size() == 3);
  CHECK(files[0].name == "tests/config/migration/data/chrony-client.conf");
  CHECK(read_included("/dev/zero").empty());
  CHECK(read_included("tests").empty());
}

} // namespace concert::config
