#include "actors/loop_thread.hpp"

#include <pthread.h>

namespace concert::actors {

loop_thread::loop_thread(caf::actor_system& system, const char* name)
  : work_(asio::make_work_guard(io_)),
    unit_(system, io_),
    thread_([this, name] {
      ::pthread_setname_np(::pthread_self(), name);
      io_.run();
    }) {
}

loop_thread::~loop_thread() {
  io_.stop();
  thread_.join();
}

} // namespace concert::actors
