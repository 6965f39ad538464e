#pragma once

#include <string>
#include <string_view>

namespace CLI { // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace concert::ctl {

/// The script that completes the arguments of `app` in "bash", "zsh" or
/// "fish". Words that a value may be are those that the app checks it against;
/// values called FILE or PATH are files, those called SOURCE and KEY are asked
/// of the daemon.
std::string completion(const CLI::App& app, std::string_view shell);

} // namespace concert::ctl
