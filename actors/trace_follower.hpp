#pragma once

#include "actors/actor_base.hpp"

#include <map>
#include <memory>

namespace concert::actors {

/// Sends the messages of some actors to one connection as they are handled,
/// until that is closed.
using trace_follower_actor = caf::typed_actor<tells<deadline>>;

class trace_follower final
  : public actor_base<trace_follower_actor, placement::control> {
public:
  static constexpr const char* own_kind = "trace_follower";

  /// `request` names the actors; without any, all are traced but those that
  /// follow traces.
  trace_follower(caf::actor_config& cfg, runtime& rt,
                 ctl::control_request request, answer_sink sink);

  behavior_type make_behavior() override;

private:
  struct known_actor {
    std::string kind;
    std::string name;
  };

  void stopped() override;
  void begin();
  void drain();
  /// Whether the trace may go on.
  bool send(const trace_entry& entry, std::chrono::nanoseconds unix_offset);
  known_actor known(std::uint64_t id);

  ctl::control_request request_;
  answer_sink sink_;
  std::unique_ptr<actor_registry::trace> trace_;
  std::map<std::uint64_t, known_actor> known_; ///< so far, dead ones too
  std::uint64_t lost_ = 0;                     ///< as told last
  std::uint32_t quiet_ = 0;                    ///< ticks since the last line
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
