#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/watch.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace concert::ctl {

namespace {

/// @returns false when it cannot be written: a full disk, a closed pipe.
bool write(std::string_view text, FILE* where) {
  return std::fwrite(text.data(), 1, text.size(), where) == text.size()
         && std::fflush(where) == 0;
}

outcome run_once(const options& o) {
  switch (o.what) {
    case command::validate:
      return run_validate(o);
    case command::check:
      return run_check(o);
    case command::wait_sync:
      return run_wait_sync(o);
    default:
      return run_view(o);
  }
}

int run(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments);
  if (!parsed) {
    const usage_answer& answer = parsed.error();
    write(answer.text, answer.code == 0 ? stdout : stderr);
    return answer.code;
  }
  if (parsed->what == command::watch)
    return run_watch(*parsed);
  const outcome result = run_once(*parsed);
  write(result.err, stderr);
  if (!write(result.out, stdout)) {
    std::perror("ntp-ctl: cannot write the output");
    return static_cast<int>(exit_code::no);
  }
  return result.code;
}

} // namespace

} // namespace concert::ctl

int main(int argc, char** argv) {
  try {
    return concert::ctl::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ntp-ctl: %s\n", e.what());
    return static_cast<int>(concert::ctl::exit_code::no);
  }
}
