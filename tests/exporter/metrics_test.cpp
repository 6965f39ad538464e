#include "exporter/metrics.hpp"

#include "tests/exporter/openmetrics_reader.hpp"
#include "tests/exporter/samples.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>

namespace concert::exporter {

namespace {

/// As tests/ctl/golden.hpp has it, for tests/exporter/golden.
void check_golden(const std::string& name, const std::string& text) {
  const auto path = test_folder() / "golden" / name;
  const char* const mode = std::getenv("CONCERT_GOLDEN");
  if (mode != nullptr && std::string_view{mode} == "write") {
    std::ofstream{path} << text;
    return;
  }
  CHECK_MESSAGE(text == text_of(path), "differs from " << path.string());
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// All names of samples that a file speaks of.
std::set<std::string> names_in(const std::string& text) {
  static const std::regex name{"\\b(?:ntp|chrony)_[a-z0-9_]+"};
  std::set<std::string> names{
    std::sregex_token_iterator{text.begin(), text.end(), name},
    std::sregex_token_iterator{}};
  names.erase("chrony_exporter"); // a program
  return names;
}

std::filesystem::path project() {
  return test_folder().parent_path().parent_path();
}

std::string all_metrics() {
  return metrics_text(sample_reading(), text_format::prometheus, true);
}

} // namespace

TEST_CASE("a fixed observation gives the same text as ever, in both formats") {
  check_golden("metrics.openmetrics.txt",
               metrics_text(sample_reading(), text_format::openmetrics, true));
  check_golden("metrics.prometheus.txt", all_metrics());
}

TEST_CASE("the text follows the rules of OpenMetrics") {
  CHECK(openmetrics_fault(
          metrics_text(sample_reading(), text_format::openmetrics, true))
        == "");
  CHECK(openmetrics_fault(metrics_text({}, text_format::openmetrics, true))
        == "");
}

TEST_CASE("the reader of OpenMetrics finds faults") {
  CHECK(openmetrics_fault("# EOF\n") == "");
  CHECK(openmetrics_fault("a 1\n# EOF\n") != "");
  CHECK(openmetrics_fault("# TYPE a gauge\na 1\n") != "");
  CHECK(openmetrics_fault("# TYPE a gauge\na 1\na 1\n# EOF\n") != "");
  CHECK(openmetrics_fault("# TYPE a counter\na 1\n# EOF\n") != "");
  CHECK(openmetrics_fault("# TYPE a gauge\na{b=\"\"c\"} 1\n# EOF\n") != "");
  CHECK(openmetrics_fault("# TYPE a gauge\n# UNIT a s\na 1\n# EOF\n") != "");
  CHECK(openmetrics_fault("# TYPE a gauge\n# TYPE b gauge\nb 1\n"
                          "# TYPE a gauge\n# EOF\n")
        != "");
}

TEST_CASE("a daemon that does not answer is down, and nothing else is told") {
  const std::string text = metrics_text({}, text_format::prometheus, false);
  CHECK(has_line(text, "ntp_up 0"));
  CHECK(names_in(text) == std::set<std::string>{"ntp_up"});
}

TEST_CASE("what a source has not measured is left out") {
  const std::string text = all_metrics();
  CHECK(text.find("ntp_source_offset_seconds{name=\"odd") == std::string::npos);
  CHECK(
    has_line(text, R"(ntp_source_unanswered_polls{name="odd\"<b>\\name"} 8)"));
}

TEST_CASE("one source in two places of the document is told once") {
  const std::string text = all_metrics();
  const std::string sample = "ntp_source_delay_seconds{name=\"time.example.org";
  const auto first = text.find(sample);
  REQUIRE(first != std::string::npos);
  CHECK(text.find(sample, first + 1) == std::string::npos);
}

TEST_CASE("buckets of the response time count all that were faster") {
  const std::string text = all_metrics();
  const std::string bucket = "ntp_server_response_duration_seconds_bucket"
                             "{listen_address=\"0.0.0.0:123\",le=";
  CHECK(has_line(text, bucket + "\"4e-06\"} 100"));
  CHECK(has_line(text, bucket + "\"1.6e-05\"} 949"));
  CHECK(has_line(text, bucket + "\"+Inf\"} 950"));
}

TEST_CASE("a stuck actor shows by the time at its message and by its mailbox") {
  const std::string text = all_metrics();
  const std::string labels = R"({actor="source",name="time.example.org:123"} )";
  CHECK(has_line(text, "ntp_actor_handling_seconds" + labels + "12.5"));
  CHECK(has_line(text, "ntp_actor_mailbox_messages" + labels + "17"));
  CHECK(has_line(text, "ntp_actor_restarts_total" + labels + "2"));
}

TEST_CASE("many actors of one kind share one series") {
  reading r;
  r.actors.emplace();
  for (int i = 0; i < 1000; ++i) {
    ctl::actor_status actor;
    actor.kind = "caller";
    actor.name = std::to_string(i);
    actor.handled = 2;
    r.actors->actors.push_back(actor);
  }
  const std::string text = metrics_text(r, text_format::prometheus, false);
  CHECK(has_line(text, R"(ntp_actor_messages_total{actor="caller"} 2000)"));
  CHECK(has_line(text, R"(ntp_actors{actor="caller"} 1000)"));
}

TEST_CASE("names of chrony_exporter come only when they are asked for") {
  const std::string without
    = metrics_text(sample_reading(), text_format::prometheus, false);
  CHECK(without.find("chrony_") == std::string::npos);
  CHECK(has_line(all_metrics(), "chrony_up 1"));
}

TEST_CASE("dashboard and alert rules use metrics that exist") {
  const auto known = names_in(all_metrics());
  for (const char* file :
       {"packaging/grafana/concert.json", "packaging/prometheus/alerts.yml"})
    for (const auto& name : names_in(text_of(project() / file)))
      CHECK_MESSAGE(known.contains(name), file << " has " << name);
}

TEST_CASE("docs/metrics.md tells of each metric, and of no other") {
  const auto known = names_in(all_metrics());
  const auto told = names_in(text_of(project() / "docs/metrics.md"));
  for (const auto& name : known)
    CHECK_MESSAGE(told.contains(name), "not told: " << name);
  for (const auto& name : told)
    CHECK_MESSAGE(known.contains(name), "does not exist: " << name);
}

TEST_CASE("each alert has a section of the runbooks") {
  const std::string rules
    = text_of(project() / "packaging/prometheus/alerts.yml");
  const std::string runbooks = text_of(project() / "docs/runbooks.md");
  static const std::regex alert{"alert: ([A-Za-z]+)"};
  auto match = std::sregex_iterator{rules.begin(), rules.end(), alert};
  REQUIRE(match != std::sregex_iterator{});
  for (; match != std::sregex_iterator{}; ++match)
    CHECK_MESSAGE(runbooks.find("\n## " + (*match)[1].str() + "\n")
                    != std::string::npos,
                  (*match)[1].str());
}

} // namespace concert::exporter
