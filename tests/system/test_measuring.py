"""What we measure of servers whose truth is known."""

import statistics

from concert import Daemon, fast_source, time_server
from harness import Case, Relay, wait_until
from peers import Chronyd, Ntpsec, Openntpd, chronyd_query


def observer(case, addresses):
    """A client that measures the servers against the machine's clock."""
    return Daemon(case, "observer", ["--no-adjust"],
                  source=[fast_source(address) for address in addresses])


def samples(daemon, address, count):
    return wait_until(
        lambda: daemon.source(address)["samples"] >= count, 20,
        f"{count} samples of {address}")


def median_offset(case, daemon, address):
    return statistics.median(case.observe_for(
        3, lambda: daemon.source(address)["offset"], 0.5))


class Truth(Case):

    def test_our_offsets_and_chronyds_agree_with_the_truth_to_50_us(self):
        truth = {"127.0.0.1:11123": 0.005, "127.0.0.2:11123": -0.020,
                 "127.0.0.3:11123": 0.300, "127.0.0.4:123": 0.0}
        for place, offset in truth.items():
            address, port = place.split(":")
            if port == "123":
                Chronyd(self, "chronyd", address).start()
            else:
                time_server(self, f"server-{address}", place, offset).start()
        daemon = observer(self, truth).start()
        queries = {place: chronyd_query(self, *place.split(":"))
                   for place in truth}
        for place, offset in truth.items():
            with self.subTest(server=place):
                self.assertAlmostEqual(offset, queries[place](), delta=50e-6)
                samples(daemon, place, 6)
                source = daemon.source(place)
                self.assertAlmostEqual(offset, source["offset"], delta=50e-6)
                self.assertLess(source["delay"], 0.002)

    def test_stamps_are_the_kernels_from_the_first_poll_on(self):
        time_server(self, "server", "127.0.0.1:11123").start()
        daemon = observer(self, ["127.0.0.1:11123"]).start()
        samples(daemon, "127.0.0.1:11123", 1)
        for stamps in self.observe_for(
                5, lambda: daemon.source("127.0.0.1:11123")["timestamping"]):
            self.assertEqual({"transmit": "kernel", "receive": "kernel"},
                             stamps)

    def test_a_long_path_with_jitter_and_loss_is_measured_through(self):
        time_server(self, "server", "127.0.0.1:11123", 0.1).start()
        relay = Relay(self, "relay", "127.0.0.1:12123", "127.0.0.1:11123",
                      delay_up="5ms", delay_down="5ms", jitter="exp:300us",
                      loss="0.1", dup="0.1", reorder="0.05", seed="7").start()
        daemon = observer(self, ["127.0.0.1:12123"]).start()
        samples(daemon, "127.0.0.1:12123", 8)
        source = daemon.source("127.0.0.1:12123")
        self.assertAlmostEqual(0.1, source["offset"], delta=0.001)
        self.assertAlmostEqual(0.010, source["delay"], delta=0.002)
        daemon.stop()
        counts = relay.stop()
        self.assertGreater(counts["requests"], 7)


class OtherServers(Case):
    """ntpsec, openntpd and chronyd as our servers: all tell machine's time."""

    def test_chronyd_and_ntpsec_are_measured_right(self):
        Chronyd(self, "chronyd", "127.0.0.2").start()
        Ntpsec(self, "ntpsec").start()
        daemon = observer(self, ["127.0.0.1:123", "127.0.0.2:123"]).start()
        for address, stratum in (("127.0.0.1:123", 3), ("127.0.0.2:123", 1)):
            with self.subTest(server=address):
                samples(daemon, address, 4)
                source = daemon.source(address)
                self.assertEqual(stratum, source["stratum"])
                self.assertAlmostEqual(
                    0, median_offset(self, daemon, address), delta=200e-6)
        self.assertTrue(daemon.observe()["system"]["synchronized"])

    def test_an_unsynchronized_openntpd_is_unusable_and_named_so(self):
        # It calls itself synchronized only once it has set a clock.
        openntpd = Openntpd(self, "openntpd", "listen on 127.0.0.1\n").start()
        openntpd.wait_log("ntp engine ready")
        daemon = observer(self, ["127.0.0.1:123"]).start()
        daemon.wait_source("127.0.0.1:123", "unusable", 15)
        source = daemon.source("127.0.0.1:123")
        self.assertEqual(0, source["samples"])
        self.assertNotEqual("", source["state_reason"])
        self.assertFalse(daemon.observe()["system"]["synchronized"])
