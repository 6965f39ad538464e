#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concert::config {

/// The one of `names` that `text` most probably meant: at most a third of its
/// letters mistyped, left out, added or exchanged with the next one; letter
/// case is ignored and `_` is as good as `-`. Nothing when none is that near.
std::optional<std::string_view>
nearest_name(std::string_view text, std::span<const std::string_view> names);

/// "did you mean `x`?" or, with nothing near, "known here: a, b, c".
std::string suggestion(std::string_view text,
                       std::span<const std::string_view> names);

} // namespace concert::config
