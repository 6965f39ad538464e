#include "tests/exporter/samples.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

namespace concert::exporter {

std::filesystem::path test_folder() {
  return std::filesystem::path{__FILE__}.parent_path();
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file{path};
  REQUIRE_MESSAGE(file, "cannot read " << path.string());
  return {std::istreambuf_iterator<char>{file}, {}};
}

reading sample_reading() {
  auto observed = ctl::read_observation(
    text_of(test_folder() / "samples" / "observation.json"));
  REQUIRE(observed);
  ctl::actor_status steering;
  steering.kind = "steering";
  steering.handled = 1234;
  ctl::actor_status source;
  source.kind = "source";
  source.name = "time.example.org:123";
  source.handled = 99;
  source.restarts = 2;
  source.mailbox_depth = 17;
  source.handling_s = 12.5;
  ctl::actors_status actors;
  actors.actors = {steering, source};
  return {1795464515.5, std::move(*observed), std::move(actors)};
}

} // namespace concert::exporter
