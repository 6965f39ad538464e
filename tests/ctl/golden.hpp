#pragma once

#include <string>

namespace concert::ctl {

/// Whether `text` is that of tests/ctl/golden/NAME.txt. With the environment's
/// CONCERT_GOLDEN=write the file is made anew instead; look at the difference
/// before you keep it:
///
///     CONCERT_GOLDEN=write build/dev/bin/ctl_tests && git diff
///     tests/ctl/golden
bool matches_golden(const std::string& name, const std::string& text);

} // namespace concert::ctl
