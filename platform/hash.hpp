#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace concert::platform {

std::array<std::byte, 16> md5(std::span<const std::byte> data);
std::array<std::byte, 20> sha1(std::span<const std::byte> data);

} // namespace concert::platform
