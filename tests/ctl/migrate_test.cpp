#include "config/config.hpp"
#include "ctl/commands.hpp"
#include "tests/ctl/fake_daemon.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <fstream>

namespace concert::ctl {

namespace {

options migrating(const std::filesystem::path& file) {
  options o;
  o.what = command::migrate;
  o.file = file;
  return o;
}

std::filesystem::path written(const scratch_folder& folder,
                              const std::string& name,
                              const std::string& text) {
  auto path = folder.path() / name;
  std::ofstream{path} << text;
  return path;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("migrate prints TOML, and what became of each line beside it") {
  const scratch_folder folder;
  const auto file = written(folder, "chrony.conf",
                            "pool pool.example iburst\nrefclock PPS /dev/pps0\n"
                            "include "
                              + folder.path().string() + "/more\n");
  written(folder, "more", "server 192.0.2.1\n");
  const outcome r = run_migrate(migrating(file));
  CHECK(r.code == 0);
  const auto made = config::parse(r.out, "ntp.toml");
  REQUIRE(made.has_value());
  CHECK(made->config.sources.size() == 2);
  CHECK(has(r.err, "chrony.conf:1: carried over: `pool pool.example iburst`"));
  CHECK(has(r.err, "chrony.conf:2: not carried over: `refclock PPS"));
  CHECK(has(r.err, "more:1: carried over"));
  CHECK(has(r.err, "1 not carried over\n"));
}

TEST_CASE("migrate as JSON has both in one object") {
  const scratch_folder folder;
  auto o = migrating(written(folder, "ntp.conf", "server a\ncrypto pw x\n"));
  o.form = output_form::json;
  const outcome r = run_migrate(o);
  CHECK(r.code == 0);
  CHECK(r.err.empty());
  rapidjson::Document d;
  d.Parse(r.out.c_str());
  REQUIRE(d.IsObject());
  CHECK(d["dialect"] == "ntpd");
  CHECK(d["valid"].IsTrue());
  CHECK(d["notes"].Size() == 2);
  CHECK(d["notes"][1]["fate"] == "lost");
  CHECK(d["notes"][1]["line"].GetInt() == 2);
  std::string toml;
  for (const auto& line : d["toml"].GetArray())
    toml += std::string{line.GetString()} + '\n';
  CHECK(config::parse(toml, "ntp.toml").has_value());
}

TEST_CASE("migrate cannot read what is no file or nobody's configuration") {
  const scratch_folder folder;
  CHECK(run_migrate(migrating(folder.path() / "absent")).code == 1);
  CHECK(run_migrate(migrating(folder.path())).code == 1);
  CHECK(run_migrate(migrating("/dev/zero")).code == 1);
  auto o = migrating(written(folder, "unknown", "server 192.0.2.1\n"));
  CHECK(has(run_migrate(o).err, "--from"));
  o.from = "chrony";
  CHECK(run_migrate(o).code == 0);
}

} // namespace concert::ctl
