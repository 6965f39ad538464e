#pragma once

#include <memory>
#include <utility>

namespace concert::actors {

/// A member of an object with handlers on an event loop: those that run after
/// the object has gone do nothing.
class handler_guard {
public:
  handler_guard() = default;
  handler_guard(const handler_guard&) = delete;
  handler_guard& operator=(const handler_guard&) = delete;

  template <class Handler>
  auto operator()(Handler handler) const {
    return [handler, life = std::weak_ptr<char>{life_}](auto... args) {
      if (!life.expired())
        handler(std::move(args)...);
    };
  }

private:
  std::shared_ptr<char> life_ = std::make_shared<char>();
};

} // namespace concert::actors
