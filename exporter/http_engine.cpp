#include "exporter/http_engine.hpp"

#include <fmt/format.h>

#include <httplib.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace concert::exporter {

namespace {

/// The page needs its own scripts and style and its own data, and nothing else.
/// The hash is that of the one style attribute that the plots' library sets, to
/// measure the width of a letter.
constexpr const char* security_policy
  = "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-hashes' "
    "'sha256-MJyOH6fkfzWPCLv2CfAAYjOtxkqoLBYZsmiMyy1D4sc='; "
    "connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

/// A request out of memory, and its answer into memory.
class memory_stream : public httplib::Stream {
public:
  explicit memory_stream(std::string request) : request_{std::move(request)} {}

  bool is_readable() const override { return at_ < request_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const std::size_t n = std::min(size, request_.size() - at_);
    std::memcpy(to, request_.data() + at_, n);
    at_ += n;
    return static_cast<ssize_t>(n);
  }
  ssize_t write(const char* from, std::size_t size) override {
    answer_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return 0; }

  std::string take() { return std::move(answer_); }

private:
  std::string request_;
  std::size_t at_ = 0;
  std::string answer_;
};

bool begins_with_name(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':'
         && std::equal(
           name.begin(), name.end(), line.begin(), [](char expected, char c) {
             return std::tolower(static_cast<unsigned char>(c)) == expected;
           });
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find("\r\n");
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  return line;
}

/// The request line and the Accept header. The library would multiply a body
/// for each of many ranges, match header lines by recursion, and wait for
/// bodies: it does not get to see what asks for that.
std::string essence(std::string_view head) {
  std::string text{take_line(head)};
  text += "\r\n";
  while (!head.empty()) {
    const auto line = take_line(head);
    if (begins_with_name(line, "accept")) {
      text += line;
      text += "\r\n";
      break;
    }
  }
  return text + "\r\n";
}

} // namespace

/// The library's server, which never gets a socket: it would read a line of any
/// length, and give each connection a thread for as long as it likes.
class http_engine::library : private httplib::Server {
public:
  explicit library(http_answerer answerer) : answerer_{std::move(answerer)} {
    set_default_headers({{"Content-Security-Policy", security_policy},
                         {"X-Content-Type-Options", "nosniff"},
                         {"Referrer-Policy", "no-referrer"},
                         {"Cross-Origin-Resource-Policy", "same-origin"},
                         {"Cache-Control", "no-store"}});
    set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        const auto answer
          = answerer_({request.path, request.get_header_value("Accept")});
        response.status = answer.status;
        response.set_content(*answer.body, std::string{answer.type});
        return HandlerResponse::Handled;
      });
  }

  std::string answer(std::string_view head) {
    memory_stream stream{essence(head)};
    bool closed = false;
    process_request(stream, true, closed, {});
    return stream.take();
  }

private:
  http_answerer answerer_;
};

http_engine::http_engine(http_answerer answerer)
  : library_{std::make_unique<library>(std::move(answerer))} {
}
http_engine::http_engine(http_engine&&) noexcept = default;
http_engine& http_engine::operator=(http_engine&&) noexcept = default;
http_engine::~http_engine() = default;

std::string http_engine::answer(std::string_view head) {
  if (!head.starts_with("GET ") && !head.starts_with("HEAD "))
    return plain_answer(405, "Method Not Allowed");
  std::string text = library_->answer(head);
  return text.empty() ? plain_answer(400, "Bad Request") : text;
}

std::string plain_answer(int status, std::string_view reason) {
  return fmt::format("HTTP/1.1 {} {}\r\n"
                     "Allow: GET, HEAD\r\n"
                     "Connection: close\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Length: {}\r\n\r\n{}\n",
                     status, reason, reason.size() + 1, reason);
}

} // namespace concert::exporter
