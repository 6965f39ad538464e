#include "actors/simulation/timer_queue.hpp"

namespace concert::actors {

/// Takes its node of the map out and puts it back: arming does not allocate.
class timer_queue::entry final : public timer {
public:
  entry(timer_queue& queue, std::function<void()> fire)
    : queue_(queue),
      fire_(std::move(fire)) {
    spare_ = queue_.armed_.extract(
      queue_.armed_.emplace(key{ntp::mono_time::max(), ++queue_.count_}, this)
        .first);
  }
  ~entry() override { cancel(); }

  void arm(ntp::mono_time when) override {
    cancel();
    at_ = {when, ++queue_.count_};
    spare_.key() = at_;
    queue_.armed_.insert(std::move(spare_));
  }

  void cancel() override {
    if (spare_.empty())
      spare_ = queue_.armed_.extract(at_);
  }

  void fire() {
    cancel();
    fire_();
  }

private:
  timer_queue& queue_;
  std::function<void()> fire_;
  key at_{};
  std::map<key, entry*>::node_type spare_; ///< empty while armed
};

std::unique_ptr<timer> timer_queue::make(std::function<void()> fire) {
  return std::make_unique<entry>(*this, std::move(fire));
}

std::optional<ntp::mono_time> timer_queue::next() const {
  if (armed_.empty())
    return {};
  return armed_.begin()->first.first;
}

bool timer_queue::fire_one(ntp::mono_time now) {
  if (armed_.empty() || armed_.begin()->first.first > now)
    return false;
  armed_.begin()->second->fire();
  return true;
}

} // namespace concert::actors
