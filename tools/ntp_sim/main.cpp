#include "tools/ntp_sim/commands.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  try {
    const auto parsed = concert::sim::parse_options({argv + 1, argv + argc});
    if (!parsed) {
      const auto& answer = parsed.error();
      std::fputs(answer.text.c_str(), answer.code == 0 ? stdout : stderr);
      return answer.code;
    }
    return static_cast<int>(concert::sim::execute(*parsed));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ntp-sim: %s\n", e.what());
    return static_cast<int>(concert::sim::exit_code::failed);
  }
}
