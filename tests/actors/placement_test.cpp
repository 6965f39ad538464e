#include "actors/config_manager.hpp"
#include "actors/publisher.hpp"
#include "actors/server.hpp"
#include "actors/server_worker.hpp"
#include "actors/source.hpp"
#include "actors/spawner.hpp"
#include "actors/state_keeper.hpp"
#include "actors/steering.hpp"
#include "actors/supervisor.hpp"
#include "actors/trace_follower.hpp"

#include <doctest/doctest.h>

namespace concert::actors {

TEST_CASE("who touches sockets lives on a loop, who may block has a thread, "
          "the rest is in the pool") {
  CHECK(source::where == placement::event_loop);
  CHECK(spawner::where == placement::event_loop);
  CHECK(publisher::where == placement::control);
  CHECK(trace_follower::where == placement::control);
  CHECK(supervisor::where == placement::event_loop);
  CHECK(config_manager::where == placement::detached);
  CHECK(state_keeper::where == placement::detached);
  CHECK(server_worker::where == placement::detached);
  CHECK(steering::where == placement::pool);
  CHECK(server::where == placement::pool);
}

} // namespace concert::actors
