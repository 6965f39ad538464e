#include "ctl/client.hpp"

#include "ctl/observation.hpp"

#include <fmt/format.h>

namespace concert::ctl {

namespace {

result<std::string> receive(connection& from, std::size_t size,
                            connection::deadline until) {
  std::string text(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const auto n = from.receive(std::span{text}.subspan(done), until);
    if (!n)
      return tl::unexpected{n.error()};
    done += *n;
  }
  return text;
}

} // namespace

result<std::string> fetch_document(const std::filesystem::path& path,
                                   std::chrono::milliseconds limit,
                                   int cancel) {
  const auto until = std::chrono::steady_clock::now() + limit;
  auto from = connection::open(path, until, cancel);
  if (!from)
    return tl::unexpected{from.error()};
  auto head = receive(*from, 8, until);
  if (!head)
    return head;
  const auto size = framed_size(*head);
  if (!size)
    return from->fail(size.error().code,
                      size.error().text
                        + " (is this another program's socket?)");
  return receive(*from, *size, until);
}

} // namespace concert::ctl
