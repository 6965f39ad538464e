#include "actors/key_exchange_thread.hpp"

#include <pthread.h>

namespace concert::actors {

key_exchange_thread::key_exchange_thread(caf::actor_system& system)
  : work_(asio::make_work_guard(io_)),
    unit_(system, io_),
    thread_([this] {
      ::pthread_setname_np(::pthread_self(), "key_exchange");
      io_.run();
    }) {
}

key_exchange_thread::~key_exchange_thread() {
  io_.stop();
  thread_.join();
}

} // namespace concert::actors
