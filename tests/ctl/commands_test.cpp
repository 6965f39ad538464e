#include "ctl/commands.hpp"

#include "ctl/status.hpp"
#include "tests/ctl/fake_daemon.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <fstream>

namespace concert::ctl {

namespace {

using manner = fake_daemon::manner;

options asking(command what, const fake_daemon& daemon, bool json = false) {
  options o;
  o.what = what;
  o.form = json ? output_form::json : output_form::plain;
  o.socket = daemon.path();
  return o;
}

std::filesystem::path written(const scratch_folder& folder,
                              const std::string& text) {
  auto path = folder.path() / "ntp.toml";
  std::ofstream{path} << text;
  return path;
}

} // namespace

TEST_CASE("status as JSON is the daemon's document unchanged") {
  const std::string document = "{\"future\" : [1.50, 2e3] }";
  const fake_daemon daemon{frame(document), manner::answers};
  const outcome r = run_view(asking(command::status, daemon, true));
  CHECK(r.code == 0);
  CHECK(r.out == document + '\n');
}

TEST_CASE("the other views as JSON are parts of the document") {
  const fake_daemon daemon{frame(to_json(samples::locked())), manner::answers};
  const auto shown = [&](command what) {
    rapidjson::Document d;
    d.Parse(run_view(asking(what, daemon, true)).out.c_str());
    return d;
  };
  CHECK(shown(command::sources).Size() == 4);
  CHECK(shown(command::servers)[0]["listening"].IsTrue());
  CHECK(shown(command::tracking)["state"] == "synchronized");
}

TEST_CASE("what is known of NTS as JSON is three parts of the document") {
  const fake_daemon daemon{frame(to_json(samples::nts())), manner::answers};
  rapidjson::Document d;
  d.Parse(run_view(asking(command::nts, daemon, true)).out.c_str());
  REQUIRE(d.IsObject());
  CHECK(d.MemberCount() == 3);
  CHECK(d["nts_sources"].Size() == 3);
  CHECK(d["nts_ke_servers"][0]["exchanges"].GetUint64() == 1190);
  CHECK(d["keyset"]["keys"].GetUint() == 8);
  CHECK(run_view(asking(command::nts, daemon)).out.find("AES-SIV-CMAC-256")
        != std::string::npos);
}

TEST_CASE("files that only the daemon may read do not hide its socket") {
  const scratch_folder folder;
  options o;
  o.config = written(folder, "[[source]]\nmode = \"nts\"\n"
                             "address = \"nts.example.org\"\n"
                             "certificate-authority = \"/nonexistent/ca\"\n"
                             "[observability]\n"
                             "observation-path = \"/nonexistent/observe\"\n");
  const auto place = find_socket(o);
  REQUIRE(place.has_value());
  CHECK(place->path == "/nonexistent/observe");
  CHECK(run_validate(o).code == 1);
}

TEST_CASE("a configuration with errors tells where the daemon is") {
  const scratch_folder folder;
  options o;
  o.config = written(folder, "[observability]\n"
                             "observation-path = \"/nonexistent/o\"\n"
                             "[sorce]\nkind = \n"
                             "[control]\npath = \"/nonexistent/c\"\n");
  CHECK(find_socket(o).value().path == "/nonexistent/o");
  const auto place = find_control_socket(o).value();
  CHECK(place.path == "/nonexistent/c");
  CHECK(place.origin.find("ntp.toml:4:") != std::string::npos);
  std::string worse;
  for (int i = 0; i < 100; ++i)
    worse += "kind = \n";
  o.config = written(folder, worse);
  CHECK_FALSE(find_socket(o));
  CHECK_FALSE(find_control_socket(o));
}

TEST_CASE("a view of a daemon that is away says where it should be") {
  const scratch_folder folder;
  const auto socket = (folder.path() / "observe").string();
  options o;
  o.config = written(folder, "[observability]\nobservation-path = \"" + socket
                               + "\"\n");
  const outcome r = run_view(o);
  CHECK(r.code == 3);
  CHECK(r.out.empty());
  CHECK(r.err
        == "ntp-ctl: no daemon listens at " + socket
             + "; is ntp-daemon running? (path from " + o.config->string()
             + ")\n");
}

TEST_CASE("a configuration that cannot be read cannot tell the socket") {
  options o;
  o.config = "/nonexistent/ntp.toml";
  const outcome r = run_view(o);
  CHECK(r.code == 3);
  CHECK(r.err.find("/nonexistent/ntp.toml") != std::string::npos);
}

TEST_CASE("an answer that is no document is a failure in a sentence") {
  const fake_daemon daemon{frame("nonsense"), manner::answers};
  const outcome r = run_view(asking(command::status, daemon));
  CHECK(r.code == 3);
  CHECK(r.err.find("no observation document") != std::string::npos);
}

TEST_CASE("a good configuration looks good and a bad one is named") {
  const scratch_folder folder;
  options o;
  o.config = written(folder, "[[source]]\nmode = \"server\"\n"
                             "address = \"ntp.example.org\"\n");
  CHECK(run_validate(o).code == 0);
  CHECK(run_validate(o).out == "Config looks good\n");
  o.config = written(folder, "[[sorce]]\n");
  const outcome bad = run_validate(o);
  CHECK(bad.code == 1);
  CHECK(bad.out.empty());
  CHECK(bad.err.find("ntp.toml:1") != std::string::npos);
  o.config = folder.path() / "missing.toml";
  CHECK(run_validate(o).code == 1);
}

TEST_CASE("warnings fail a configuration only when they shall") {
  const scratch_folder folder;
  options o;
  o.config = written(
    folder, "[[source]]\nmode = \"server\"\n"
            "address = \"ntp.example.org\"\n"
            "[synchronization.algorithm]\nprecision-low-probability = 0.3\n");
  const outcome lax = run_validate(o);
  REQUIRE_FALSE(lax.err.empty());
  CHECK(lax.code == 0);
  o.strict = true;
  CHECK(run_validate(o).code == 1);
}

TEST_CASE("check gives a plug-in's codes, unknown where nobody answers") {
  const fake_daemon daemon{frame(to_json(samples::locked())), manner::answers};
  options o = asking(command::check, daemon);
  CHECK(run_check(o).code == 0);
  o.limits.critical_s = 1e-6;
  CHECK(run_check(o).code == 2);
  o.socket = "/nonexistent/observe";
  const outcome r = run_check(o);
  CHECK(r.code == 3);
  CHECK(r.out.starts_with("NTP UNKNOWN: no daemon listens at"));
}

TEST_CASE("wait-sync ends at once when the clock is good enough") {
  const fake_daemon daemon{frame(to_json(samples::locked())), manner::answers};
  options o = asking(command::wait_sync, daemon);
  CHECK(run_wait_sync(o).code == 0);
  o.max_error_s = 0.00242;
  CHECK(run_wait_sync(o).code == 0);
}

TEST_CASE("wait-sync gives up after its time") {
  const fake_daemon daemon{frame(to_json(samples::lonely())), manner::answers};
  options o = asking(command::wait_sync, daemon);
  o.timeout_s = 0.01;
  const outcome r = run_wait_sync(o);
  CHECK(r.code == 1);
  CHECK(r.err.find("unsynchronized") != std::string::npos);
  o.socket = "/nonexistent/observe";
  CHECK(run_wait_sync(o).code == 3);
}

} // namespace concert::ctl
