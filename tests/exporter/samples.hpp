#pragma once

#include "exporter/metrics.hpp"

#include <filesystem>
#include <string>

namespace concert::exporter {

/// tests/exporter.
std::filesystem::path test_folder();

/// What a file says; fails the test if it cannot be read.
std::string text_of(const std::filesystem::path& path);

/// A daemon with sources of all kinds, one of them named to break formats and
/// one named like another; a server of time and one of keys; and some actors.
reading sample_reading();

} // namespace concert::exporter
