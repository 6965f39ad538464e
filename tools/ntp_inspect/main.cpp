#include "tools/ntp_inspect/options.hpp"
#include "tools/ntp_inspect/run.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  namespace inspect = concert::inspect;
  try {
    const auto parsed = inspect::parse_options({argv + 1, argv + argc});
    if (parsed)
      return inspect::run(*parsed);
    std::fputs(parsed.error().text.c_str(),
               parsed.error().code == 0 ? stdout : stderr);
    return parsed.error().code;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ntp-inspect: %s\n", e.what());
    return static_cast<int>(inspect::exit_code::no);
  }
}
