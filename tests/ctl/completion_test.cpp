#include "ctl/completion.hpp"

#include "ctl/options.hpp"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

namespace concert::ctl {

TEST_CASE("each shell's completions know all commands and their options") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    const std::string script = completion(shell);
    for (const char* word : {"tracking", "waitsync", "source add", "makestep",
                             "max-error", "persist", "plain", "nts-pool"})
      CHECK_MESSAGE(script.find(word) != std::string::npos, word);
  }
}

TEST_CASE("what an app learns, its completions learn") {
  CLI::App app{"Tries."};
  std::string form;
  app.add_option("--form", form, "It's a form")
    ->check(CLI::IsMember({"round", "square"}));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    CHECK(completion(app, shell).find("zebra") == std::string::npos);
    CHECK(completion(app, shell).find("round square") != std::string::npos);
  }
  app.add_subcommand("zebra", "Stripes");
  for (const char* shell : {"bash", "zsh", "fish"})
    CHECK(completion(app, shell).find("zebra") != std::string::npos);
  CHECK(completion(app, "zsh").find("'--form:It'\\''s a form'")
        != std::string::npos);
  CHECK(completion(app, "fish").find("-d 'It\\'s a form'")
        != std::string::npos);
}

} // namespace concert::ctl
