#include "ctl/control_client.hpp"

#include <array>
#include <utility>

namespace concert::ctl {

namespace {

using steady = std::chrono::steady_clock;

} // namespace

control_client::control_client(connection to, std::chrono::milliseconds limit)
  : to_{std::move(to)},
    limit_{limit} {
}

result<control_client>
control_client::connect(const std::filesystem::path& path,
                        std::chrono::milliseconds limit, int cancel) {
  return connection::open(path, steady::now() + limit, cancel)
    .map([&](connection&& to) {
      return control_client{std::move(to), limit};
    });
}

result<control_answer> control_client::ask(const control_request& request) {
  const auto until = steady::now() + limit_;
  control_request numbered = request;
  numbered.id = ++last_id_;
  const std::string line = to_json(numbered) + '\n';
  if (line.size() > max_request)
    return to_.fail(errc::too_large, "the request is too long to be sent");
  if (auto sent = to_.send(line, until); !sent)
    return tl::unexpected{sent.error()};
  for (;;) {
    auto line_read = receive(until);
    if (!line_read)
      return tl::unexpected{line_read.error()};
    // A daemon that could not read the number answers to none.
    const bool to_none = line_read->id == 0 && line_read->answer.problem;
    if (line_read->id == numbered.id || to_none)
      return std::move(line_read->answer);
  }
}

result<control_answer> control_client::next(std::chrono::milliseconds limit) {
  return receive(steady::now() + limit).map([](read_answer&& line) {
    return std::move(line.answer);
  });
}

result<read_answer> control_client::receive(connection::deadline until) {
  std::array<char, 16 * 1024> octets{};
  std::size_t looked_at = 0;
  for (;;) {
    const std::size_t end = received_.find('\n', looked_at);
    if (end != std::string::npos) {
      auto line
        = read_control_answer(std::string_view{received_}.substr(0, end));
      received_.erase(0, end + 1);
      if (!line)
        return to_.fail(line.error().code,
                        line.error().text
                          + " (is this another program's socket?)");
      return line;
    }
    looked_at = received_.size();
    if (looked_at > max_answer)
      return to_.fail(errc::too_large, "the answer is longer than any may be");
    const auto n = to_.receive(octets, until);
    if (!n)
      return tl::unexpected{n.error()};
    received_.append(octets.data(), *n);
  }
}

} // namespace concert::ctl
