#include "platform/kernel_clock.hpp"
#include "platform/kernel_rate.hpp"

#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>

namespace concert::platform {

namespace {

class read_only_clock final : public kernel_clock {
public:
  std::string_view kind() const override { return "read-only"; }

  result<ntp::frequency> frequency() const override {
    timex values{};
    if (adjtimex(&values) < 0)
      return tl::unexpected(
        system_error("cannot read the clock's frequency", errno));
    return from_kernel_rate({values.tick, values.freq}, sysconf(_SC_CLK_TCK));
  }

  result<ntp::frequency> set_frequency(ntp::frequency, ntp::frequency,
                                       std::optional<ntp::mono_time>) override {
    return refused();
  }

  result<void> step(ntp::ntp_duration) override { return refused(); }
  result<void> set_status(const kernel_status&) override { return refused(); }
  std::uint64_t step_count() const override { return 0; }

private:
  static tl::unexpected<error> refused() {
    return tl::unexpected(
      error{errc::permission, "the clock is read-only and stays as it is"});
  }
};

} // namespace

std::unique_ptr<clock> open_read_only_clock() {
  return std::make_unique<read_only_clock>();
}

} // namespace concert::platform
