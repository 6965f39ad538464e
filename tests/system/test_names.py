"""Names that fail, hang and change."""

import time

from concert import Daemon, fast_source, fixed_clock, local_servers
from harness import Case, wait_until
from names import NameServer


def addresses_of(daemon):
    return {s["address"].rpartition(":")[0]
            for s in daemon.observe()["sources"]}


class Names(Case):

    def start(self, names, sources):
        self.names = NameServer(self, names)
        return Daemon(self, "client", clock=fixed_clock(), source=sources,
                      wrap=self.names.wrap).start()

    def test_a_pool_takes_as_many_members_as_it_may_and_none_that_it_must_not(
            self):
        local_servers(self, [0.0] * 4)
        daemon = self.start(
            {"pool.test": [f"127.0.0.{i}" for i in range(1, 5)]},
            [{**fast_source("pool.test:11123"), "mode": "pool", "count": 2,
              "ignore": ["127.0.0.2"]}])
        daemon.wait_synchronized()
        members = addresses_of(daemon)
        self.assertEqual(2, len(members))
        self.assertLess(members, {"127.0.0.1", "127.0.0.3", "127.0.0.4"})

    def test_a_name_server_that_hangs_holds_nobody_up(self):
        _, addresses = local_servers(self, [0.0, 0.0])
        daemon = self.start(
            {"slow.test": None},
            [fast_source("slow.test:11123"), *map(fast_source, addresses)])
        daemon.wait_synchronized()
        self.assertGreater(self.names.asked, 0)
        # With the query still open.
        daemon.stop()

    def test_a_name_that_is_not_there_is_asked_for_again(self):
        local_servers(self, [0.0])
        daemon = self.start({}, [fast_source("late.test:11123")])
        daemon.wait_log("late.test")
        time.sleep(1)
        self.assertLess(self.names.asked, 10, "no flood")
        self.names.names["late.test"] = ["127.0.0.1"]
        wait_until(lambda: addresses_of(daemon) == {"127.0.0.1"}, 30,
                   "the name is found at last")
        daemon.wait_synchronized()
        daemon.stop()
