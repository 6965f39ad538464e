// Whatever a client sends gets one whole answer that ends with its body.

#include "exporter/http_engine.hpp"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace exporter = concert::exporter;

/// The number behind `name`, such as the length of the body; it must be there.
static std::size_t number_behind(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos)
    std::abort();
  std::size_t value = 0;
  const auto text = head.substr(at + name.size());
  const auto [end, bad]
    = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc{} || end == text.data() + text.size() || *end != '\r')
    std::abort();
  return value;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static exporter::http_engine engine{
    [](const exporter::http_request& r) -> exporter::http_response {
      return {200, "text/plain",
              std::make_shared<const std::string>(r.path + "|" + r.accept)};
    }};
  const std::string_view request{reinterpret_cast<const char*>(data), size};
  const std::string text = engine.answer(request);
  const std::string_view answer{text};
  const auto end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 ") || end == std::string_view::npos)
    std::abort();
  const auto body = answer.size() - end - 4;
  const auto promised
    = number_behind(answer.substr(0, end + 2), "Content-Length: ");
  if (body != promised && !(request.starts_with("HEAD ") && body == 0))
    std::abort();
  return 0;
}
