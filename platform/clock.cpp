#include "platform/clock.hpp"

namespace concert::platform {

ntp::local_stamp clock::stamp_now() const {
  const auto now = read();
  return {now.wall, now.raw, ntp::stamp_kind::daemon};
}

} // namespace concert::platform
