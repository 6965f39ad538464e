#pragma once

#include "exporter/collector.hpp"
#include "exporter/http_engine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace concert::exporter {

/// The answers to all requests. Each text is made once for each collection, so
/// that ten thousand requests a second cost their transport only.
class site {
public:
  site(const collector& from, bool chrony_names)
    : from_{from},
      chrony_names_{chrony_names} {}

  http_response answer(const http_request& request);

private:
  enum class text : std::uint8_t { prometheus, openmetrics, page, history };
  static constexpr std::size_t texts = 4;

  /// The text for the present collection.
  std::shared_ptr<const std::string> now(text which);
  std::string make(text which, const collected& latest) const;
  http_response status() const;

  const collector& from_;
  bool chrony_names_;
  struct made_text {
    std::uint64_t number = 0; ///< of its collection
    std::shared_ptr<const std::string> text;
  };
  std::array<made_text, texts> made_;
};

} // namespace concert::exporter
