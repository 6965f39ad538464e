#pragma once

#include "platform/socket.hpp"
#include "tools/ntp_load/client_addresses.hpp"
#include "tools/ntp_load/exchange_table.hpp"
#include "tools/ntp_load/message_batch.hpp"
#include "tools/ntp_load/messages.hpp"
#include "tools/ntp_load/nts_requests.hpp"
#include "tools/ntp_load/options.hpp"
#include "tools/ntp_load/sample_set.hpp"
#include "tools/ntp_load/schedule.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::load {

/// What a run of the meter found. Requests of the warm-up are in none of the
/// numbers.
struct meter_result {
  double duration_s = 0; ///< in which the requests were sent
  std::optional<double> wanted_rate;
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;  ///< by the kernel, on the way out
  std::uint64_t late = 0;     ///< sent more than a millisecond after their time
  std::uint64_t answered = 0; ///< with a good answer
  std::uint64_t interleaved = 0; ///< of those, in interleaved mode
  std::uint64_t lost = 0;        ///< without any answer
  std::array<std::uint64_t, verdict_count> verdicts{};

  std::uint64_t dropped = 0; ///< answers, at our own socket
  double busy = 0;           ///< share of the time in which there was work
  double cpu_s = 0;          ///< of this thread

  std::uint64_t verified = 0; ///< answers whose authenticator was checked

  sample_set response_ns; ///< kernel transmit to kernel receive stamp
  /// For a server on the same clock: its receive stamp − our transmit stamp,
  /// and its transmit stamp − our receive stamp of the same answer.
  sample_set receive_error_ns;
  sample_set transmit_error_ns;
  sample_set interleaved_error_ns;

  double sent_rate() const { return per_second(sent); }
  double answered_rate() const { return per_second(answered); }
  /// Share of the requests that got no good answer in time.
  double loss() const;
  /// Why the figures may be the generator's rather than the server's; empty if
  /// they are not.
  std::vector<std::string> generator_limits() const;

private:
  double per_second(std::uint64_t n) const {
    return duration_s > 0 ? static_cast<double>(n) / duration_s : 0;
  }
};

/// Which load to make.
struct load_plan {
  std::optional<double> rate; ///< open loop
  std::uint32_t window = 0;   ///< closed loop, without a rate
  double duration_s = 0;
};

/// Sends requests and judges the answers, in one thread.
class meter {
public:
  /// `o` must outlive this. `nts` is for requests with NTS. `told` hears twice
  /// a second how it goes; a signal in `stop` ends a run.
  using listener = std::function<void(double seconds, const meter_result&)>;

  static platform::result<meter> open(const options& o,
                                      const volatile std::sig_atomic_t& stop,
                                      std::optional<nts_requests> nts = {});

  meter_result run(const load_plan& plan, const listener& told);

private:
  using nanoseconds = std::chrono::nanoseconds;

  struct client_state {
    std::uint64_t cited = 0; ///< the server's receive time of its last answer
    nanoseconds received{};  ///< our stamp of that answer
  };
  struct run_state;

  meter(const options& o, platform::unique_fd fd,
        const volatile std::sig_atomic_t& stop,
        std::optional<nts_requests> nts);

  void turn(run_state& r);
  void finish(run_state& r);
  std::size_t allowed(const run_state& r) const;
  void send(run_state& r, std::size_t count);
  void compose(run_state& r, std::size_t i);
  bool receive(run_state& r);
  void take_stamps(run_state& r);
  void take(run_state& r, const arrival_batch::arrival& a);
  verdict identify(run_state& r, const arrival_batch::arrival& a,
                   answer_fields& fields, exchange_table::match& found);
  verdict judge_nts(run_state& r, std::span<const std::byte> bytes,
                    const exchange& e, verdict plain);
  void keep_errors(run_state& r, const answer_fields& fields, const exchange& e,
                   bool interleaved, nanoseconds stamp);
  void idle(run_state& r);

  const options& options_;
  const volatile std::sig_atomic_t& stop_;
  platform::unique_fd fd_;
  std::optional<nts_requests> nts_;
  std::size_t size_; ///< of a request
  std::optional<client_addresses> addresses_;
  std::unique_ptr<message_batch> out_;
  std::unique_ptr<arrival_batch> in_;
  std::unique_ptr<stamp_batch> stamps_;
  std::vector<client_state> clients_;
  fast_random random_;
  std::uint64_t next_client_ = 0;
  std::uint32_t dropped_before_ = 0;
};

} // namespace concert::load
