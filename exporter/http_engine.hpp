#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace concert::exporter {

/// A request as its answerer sees it.
struct http_request {
  std::string path;   ///< decoded, without a query
  std::string accept; ///< the Accept header, or empty
};

struct http_response {
  int status = 200;
  std::string_view type; ///< Content-Type
  std::shared_ptr<const std::string> body;
};

using http_answerer = std::function<http_response(const http_request&)>;

/// Turns the text of requests into that of answers, without sockets or threads.
/// Only GET and HEAD are understood, and each connection has one request: what
/// is said of ranges, encodings, bodies and further requests is passed over.
class http_engine {
public:
  explicit http_engine(http_answerer answerer);
  http_engine(http_engine&&) noexcept;
  http_engine& operator=(http_engine&&) noexcept;
  ~http_engine();

  /// @param head of a request, up to its empty line
  /// @returns a whole answer, whatever `head` is.
  std::string answer(std::string_view head);

private:
  class library;
  std::unique_ptr<library> library_;
};

/// A whole answer with a status and a sentence in its body.
std::string plain_answer(int status, std::string_view reason);

} // namespace concert::exporter
