#include "actors/trace_follower.hpp"

#include "actors/type_name.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace {

constexpr std::chrono::milliseconds drain_interval{100};
/// After so many ticks without a message, a sign of life shows whether anybody
/// still listens.
constexpr std::uint32_t ticks_of_silence = 20;
/// A trace sees many short-lived actors; their names are forgotten at once.
constexpr std::size_t max_known = 10'000;

} // namespace

trace_follower::trace_follower(caf::actor_config& cfg, runtime& rt,
                               ctl::control_request request, answer_sink sink)
  : actor_base(cfg, rt, own_kind, ""),
    request_(std::move(request)),
    sink_(std::move(sink)),
    timer_(make_deadline_timer()) {
}

trace_follower::behavior_type trace_follower::make_behavior() {
  begin();
  return {
    [this](deadline) { drain(); },
  };
}

void trace_follower::stopped() {
  trace_.reset();
  timer_.reset();
  sink_ = nullptr;
}

void trace_follower::begin() {
  const auto refuse = [this](ctl::control_refusal why, const char* text) {
    sink_({{}, ctl::control_problem{why, text}, false});
    quit();
  };
  auto& registry = world().registry();
  if (!registry.keeps_statistics())
    return refuse(ctl::control_refusal::not_now,
                  "the inspector is switched off (inspector in [control])");
  if (registry.find(request_.actors).empty())
    return refuse(ctl::control_refusal::not_found, "there is no such actor");
  trace_ = registry.start_trace(request_.actors);
  if (trace_ == nullptr)
    return refuse(ctl::control_refusal::busy,
                  "too many traces are on; end one of them");
  // Says that the trace is on.
  if (!sink_({ctl::to_json(ctl::traced_message{}), {}, true}))
    quit();
  else
    timer_->arm(world().now() + drain_interval);
}

void trace_follower::drain() {
  const auto unix_offset = world().clock().read().unix_time
                           - actor_stats::clock::now().time_since_epoch();
  bool listening = true;
  auto left = actor_registry::trace_capacity;
  while (listening && left-- > 0) {
    const auto entry = trace_->take();
    if (!entry)
      break;
    listening = send(*entry, unix_offset);
  }
  if (listening && ++quiet_ >= ticks_of_silence) {
    quiet_ = 0;
    ctl::traced_message sign_of_life;
    sign_of_life.lost = trace_->lost() - std::exchange(lost_, trace_->lost());
    listening = sink_({ctl::to_json(sign_of_life), {}, true});
  }
  if (listening)
    timer_->arm(world().now() + drain_interval);
  else
    quit();
}

bool trace_follower::send(const trace_entry& entry,
                          std::chrono::nanoseconds unix_offset) {
  const auto receiver = known(entry.receiver);
  if (receiver.kind == own_kind && request_.actors.empty())
    return true;
  const auto sender = known(entry.sender);
  ctl::traced_message line;
  line.at_s = ntp::seconds_of(entry.at.time_since_epoch() + unix_offset);
  line.sender = entry.sender;
  line.sender_kind = sender.kind;
  line.sender_name = sender.name;
  line.receiver = entry.receiver;
  line.receiver_kind = receiver.kind;
  line.receiver_name = receiver.name;
  line.type = type_name(*entry.type);
  line.wait_s = ntp::seconds_of(entry.wait);
  line.handling_s = ntp::seconds_of(entry.handling);
  const auto lost = trace_->lost();
  line.lost = lost - std::exchange(lost_, lost);
  quiet_ = 0;
  return sink_({ctl::to_json(line), {}, true});
}

trace_follower::known_actor trace_follower::known(std::uint64_t id) {
  if (id == 0)
    return {};
  if (const auto found = known_.find(id); found != known_.end())
    return found->second;
  if (known_.size() > max_known)
    known_.clear();
  for (const auto& actor : world().registry().list())
    known_.try_emplace(actor->who.id,
                       known_actor{actor->who.kind, actor->who.name});
  return known_[id];
}

} // namespace concert::actors
