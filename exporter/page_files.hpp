#pragma once

#include <span>
#include <string_view>

namespace concert::exporter {

/// A file of the status page, part of the program since it was built.
struct page_file {
  std::string_view name; ///< "page.js"
  std::string_view octets;
};

std::span<const page_file> page_files();

} // namespace concert::exporter
