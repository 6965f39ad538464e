#include "exporter/page.hpp"

#include "exporter/page_files.hpp"
#include "tests/exporter/samples.hpp"

#include <doctest/doctest.h>

namespace concert::exporter {

TEST_CASE("the page shows the clock and its sources without a script") {
  const std::string page = page_html(sample_reading(), "");
  CHECK(page.find("<p class=\"state good\">synchronized") != std::string::npos);
  CHECK(page.find("<td>time.example.org:123</td>") != std::string::npos);
}

TEST_CASE("text of the daemon is no markup on the page") {
  const std::string page = page_html(sample_reading(), "");
  CHECK(page.find("odd&quot;&lt;b&gt;\\name") != std::string::npos);
  CHECK(page.find("no &lt;answer&gt; &amp; no") != std::string::npos);
  CHECK(page.find("<b>") == std::string::npos);
}

TEST_CASE("the page tells why the daemon does not answer") {
  const std::string page = page_html({}, "it is <gone>");
  CHECK(page.find("class=\"state bad\"") != std::string::npos);
  CHECK(page.find("it is &lt;gone&gt;") != std::string::npos);
}

TEST_CASE("the page needs no other server") {
  const std::string page = page_html(sample_reading(), "");
  CHECK(page.find("//") == std::string::npos);
  CHECK(page.find("style=") == std::string::npos);
}

TEST_CASE("the files of the page are in the program") {
  bool has_plots = false;
  for (const auto& file : page_files()) {
    CHECK_FALSE(file.octets.empty());
    has_plots = has_plots || file.octets.find("Dygraph") != std::string::npos;
  }
  CHECK(has_plots);
}

} // namespace concert::exporter
