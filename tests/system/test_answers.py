"""Answers that a client must not fall for."""

import time

from concert import client, local_servers, time_server
from harness import Case, Relay, wait_until


class BadAnswers(Case):
    """Two good servers, and one 0.3 s wrong whose answers a relay spoils: they
    must change nothing, and be counted under their name."""

    def behind_relay(self, **options):
        _, good = local_servers(self, [0.0, 0.0])
        time_server(self, "spoilt", "127.0.0.9:11123").start()
        address = "127.0.0.9:12123"
        relay = Relay(self, "relay", address, "127.0.0.9:11123", **options)
        relay.start()
        daemon = client(
            self, [*good, address],
            {"kind": "virtual", "initial-offset": 0.05},
            source={"poll-interval-limits": {"min": 0, "max": 4}})
        daemon.start()
        daemon.wait_synchronized()
        time.sleep(4)
        return daemon, relay, address

    def check_ignored(self, verdict, mode):
        daemon, relay, address = self.behind_relay(mode=mode)
        wait_until(
            lambda: daemon.source(address)["packets"].get(verdict, 0) > 1, 10,
            f"two answers are counted as {verdict}")
        self.assertEqual(0, daemon.source(address)["samples"])
        self.assertLess(abs(daemon.true_error()), 0.001)
        self.assertGreater(relay.stop()["spoilt"], 1)

    def test_answers_to_another_request_are_ignored(self):
        self.check_ignored("bogus-origin", "bogus-origin")

    def test_truncated_answers_are_ignored(self):
        self.check_ignored("malformed", "truncated")

    def test_answers_from_another_port_are_not_even_seen(self):
        daemon, relay, address = self.behind_relay(mode="elsewhere")
        source = daemon.source(address)
        self.assertEqual((0, {}), (source["samples"], source["packets"]))
        self.assertGreater(relay.stop()["spoilt"], 1)

    def test_oversized_answers_do_no_harm(self):
        daemon, relay, _ = self.behind_relay(mode="oversized")
        self.assertTrue(daemon.running())
        self.assertLess(abs(daemon.true_error()), 0.001)
        self.assertGreater(relay.stop()["spoilt"], 1)

    def test_forgeries_around_the_answer_do_not_displace_it(self):
        daemon, relay, address = self.behind_relay(mode="unsolicited")
        wait_until(lambda: daemon.source(address)["samples"] > 2, 10,
                   "the genuine answers are taken")
        self.assertAlmostEqual(0, daemon.source(address)["offset"],
                               delta=0.001)
        self.assertLess(abs(daemon.true_error()), 0.001)
        relay.stop()

    def test_a_kiss_of_rate_makes_us_ask_less_often(self):
        daemon, relay, address = self.behind_relay(kiss="RATE")
        source = daemon.source(address)
        self.assertEqual(0, source["samples"])
        self.assertGreater(source["packets"].get("kiss-rate", 0), 0)
        self.assertGreater(source["poll_interval"], 0)
        relay.stop()

    def test_a_kiss_of_deny_does_not_stop_the_others(self):
        daemon, relay, address = self.behind_relay(kiss="DENY")
        names = [s["name"] for s in daemon.observe()["sources"]]
        if address in names:
            self.assertNotEqual("selected", daemon.source(address)["state"])
        self.assertTrue(daemon.observe()["system"]["synchronized"])
        self.assertLess(relay.stop()["requests"], 6)

    def test_an_unknown_kiss_changes_nothing(self):
        daemon, relay, address = self.behind_relay(kiss="XBAD")
        source = daemon.source(address)
        self.assertEqual(0, source["samples"])
        self.assertEqual(0, source["poll_interval"])
        self.assertGreater(source["packets"].get("kiss-other", 0), 1)
        relay.stop()
