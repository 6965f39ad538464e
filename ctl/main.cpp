#include "ctl/colour.hpp"
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
    case command::why:
      return run_why(o);
    case command::compare:
      return run_compare(o);
    case command::doctor:
      return run_doctor(o);
    case command::migrate:
      return run_migrate(o);
    case command::completion:
      return {0, completion(o.shell), {}};
    case command::status:
    case command::sources:
    case command::tracking:
    case command::servers:
    case command::nts:
      return run_view(o);
    default:
      return run_control(o);
  }
}

/// Whether the output is for people and speaks of states.
bool is_view(const options& o) {
  return o.form == output_form::plain
         && (o.what <= command::nts || o.what == command::check
             || o.what == command::doctor || o.what == command::why);
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
  if (!write(is_view(*parsed) && colour_wanted() ? coloured(result.out)
                                                 : result.out,
             stdout)) {
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
