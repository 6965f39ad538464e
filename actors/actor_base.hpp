#pragma once

#include "actors/actor_registry.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime.hpp"
#include "platform/log.hpp"

#include <caf/all.hpp>

#include <pthread.h>

#include <memory>
#include <string>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#  define CONCERT_TSAN 1
#elif defined(__has_feature)
#  if __has_feature(thread_sanitizer)
#    define CONCERT_TSAN 1
#  endif
#endif

#ifdef CONCERT_TSAN
// Debian's CAF is not instrumented: its mailbox and its scheduler order what
// TSan cannot see. These notes tell it.
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#endif

namespace concert::actors {

inline void note_release([[maybe_unused]] void* what) {
#ifdef CONCERT_TSAN
  __tsan_release(what);
#endif
}

inline void note_acquire([[maybe_unused]] void* what) {
#ifdef CONCERT_TSAN
  __tsan_acquire(what);
#endif
}

/// Where an actor runs.
enum class placement {
  pool,         ///< CAF's worker
  event_loop,   ///< the thread of the sockets: must never block
  key_exchange, ///< the thread of the NTS-KE servers' sockets
  control,      ///< the thread of the observation and control sockets
  detached,     ///< a thread of its own: may block
};

constexpr const char* to_string(placement p) {
  switch (p) {
    case placement::event_loop:
      return "event-loop";
    case placement::key_exchange:
      return "key-exchange";
    case placement::control:
      return "control";
    case placement::detached:
      return "detached";
    case placement::pool:
      break;
  }
  return "pool";
}

/// A message that no actor has a handler for: it is counted, and dropped.
struct harmless {};

/// What a message is to the inspector.
inline const std::type_info* type_of(const caf::mailbox_element& x) {
  if (x.content().empty())
    return &typeid(void);
  const auto [number, type] = x.content().type(0);
  if (type != nullptr)
    return type;
  // CAF's own types have numbers only.
  if (number == caf::type_nr<caf::down_msg>::value)
    return &typeid(caf::down_msg);
  if (number == caf::type_nr<caf::exit_msg>::value)
    return &typeid(caf::exit_msg);
  if (number == caf::type_nr<caf::error>::value)
    return &typeid(caf::error);
  return &typeid(void);
}

/// The base of every actor: statistics, trace hook, placement, and one way for
/// errors. `Handle` is its interface.
template <class Handle, placement Where = placement::pool>
class actor_base : public Handle::base {
public:
  using super = typename Handle::base;
  using handle_type = Handle;
  static constexpr placement where = Where;

  actor_base(caf::actor_config& cfg, runtime& rt, const char* kind,
             std::string name)
    : super(cfg),
      rt_(rt),
      kind_(kind),
      unit_(unit_of(rt)),
      stats_(rt.registry().add(
        {this->id(), kind, std::move(name), current_actor, to_string(Where)},
        poker())) {
    // A message of a peer that was restarted since is no reason to die.
    this->set_default_handler(caf::drop);
    this->set_error_handler([this](caf::error& e) {
      platform::log::warning("actor-error", "actor={} error=\"{}\"", kind_,
                             this->system().render(e));
      stats_->on_error(this->system().render(e));
    });
    this->set_exception_handler([this](std::exception_ptr& p) -> caf::error {
      std::string what = "unknown exception";
      try {
        std::rethrow_exception(p);
      } catch (const std::exception& e) {
        what = e.what();
      } catch (...) {
        // nop
      }
      platform::log::error("actor-failed", "actor={} name=\"{}\" error=\"{}\"",
                           kind_, stats_->who.name, what);
      return caf::make_error(caf::sec::runtime_error, what);
    });
  }

  const char* name() const override { return kind_; }

  using super::enqueue;
  void enqueue(caf::mailbox_element_ptr p, caf::execution_unit* eu) override {
    stats_->on_enqueue();
    note_release(p.get());
    super::enqueue(std::move(p), unit_ != nullptr ? unit_ : eu);
  }

  void launch(caf::execution_unit* eu, bool lazy, bool hide) override {
    super::launch(unit_ != nullptr ? unit_ : eu, lazy, hide);
  }

  /// On the actor's own thread, before its first message.
  void initialize() override {
    if (Where == placement::detached && rt_.threads())
      ::pthread_setname_np(::pthread_self(), kind_);
    super::initialize();
  }

  caf::resumable::subtype_t subtype() const override {
    return unit_ != nullptr ? caf::resumable::io_actor : super::subtype();
  }

  caf::resumable::resume_result resume(caf::execution_unit* eu,
                                       size_t max_throughput) override {
    const as_current_actor current{this->id()};
    note_acquire(this);
    auto result = super::resume(eu, max_throughput);
    note_release(this);
    return result;
  }

  using super::consume;
  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    note_acquire(&x);
    if (!stats_->enabled)
      return super::consume(x);
    const actor_stats::handling_scope scope{*stats_, type_of(x),
                                            x.sender ? x.sender->id() : 0};
    return super::consume(x);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    if (!stats_->ended) {
      const bool failed = reason && reason != caf::exit_reason::normal
                          && reason != caf::exit_reason::user_shutdown;
      world().registry().ended(*stats_, failed ? this->system().render(reason)
                                               : std::string{});
    }
    return super::cleanup(std::move(reason), host);
  }

  void on_exit() override {
    stopped();
    super::on_exit();
  }

protected:
  /// The actor ends: release sockets, timers and handles of peers.
  virtual void stopped() {
    // nop
  }

  runtime& world() { return rt_; }
  actor_stats& stats() { return *stats_; }

  /// A timer that sends `deadline` to this actor, without keeping it alive.
  std::unique_ptr<timer> make_deadline_timer() {
    auto fire = [weak = this->address()] { tell(weak, deadline{}); };
    if constexpr (Where == placement::control)
      return rt_.make_control_timer(std::move(fire));
    else
      return rt_.make_timer(std::move(fire));
  }

  /// A function that sends `message` to this actor if it still lives.
  template <class Message>
  auto teller() {
    return [weak = this->address()](Message message) {
      tell(weak, std::move(message));
    };
  }

private:
  std::function<void(std::uint32_t)> poker() {
    return [weak = this->address()](std::uint32_t messages) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
        for (std::uint32_t i = 0; i < messages; ++i)
          caf::anon_send(caf::actor_cast<caf::actor>(strong), harmless{});
    };
  }

  static caf::execution_unit* unit_of(runtime& rt) {
    if constexpr (Where == placement::event_loop)
      return rt.event_loop();
    else if constexpr (Where == placement::key_exchange)
      return rt.key_exchange_loop();
    else if constexpr (Where == placement::control)
      return rt.control_loop();
    else
      return nullptr;
  }

  template <class Message>
  static void tell(const caf::actor_addr& weak, Message message) {
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      caf::anon_send(caf::actor_cast<Handle>(strong), std::move(message));
  }

  runtime& rt_;
  const char* kind_;
  caf::execution_unit* unit_;
  std::shared_ptr<actor_stats> stats_;
};

/// Spawns an actor where it belongs; in simulation everything is in the pool.
template <class Actor, class... Ts>
typename Actor::handle_type spawn_actor(caf::actor_system& system, runtime& rt,
                                        Ts&&... args) {
  if constexpr (Actor::where == placement::detached) {
    if (rt.threads())
      return system.spawn<Actor, caf::detached>(std::ref(rt),
                                                std::forward<Ts>(args)...);
  }
  return system.spawn<Actor>(std::ref(rt), std::forward<Ts>(args)...);
}

} // namespace concert::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(concert::actors::harmless)
