"""Interleaved mode (RFC 9769), with chronyd at either end."""

import subprocess

from concert import client, local_servers
from harness import Case, built, wait_until
from packets import ask
from peers import WatchedChronyd


def chronyd_server(case):
    server = WatchedChronyd(case, "chronyd", [
        "local stratum 1", "allow", "bindaddress 127.0.0.2"]).start()
    wait_until(lambda: ask("127.0.0.2"), 5, "chronyd serves")
    return server


def once(*words):
    """What ntp-once prints."""
    return subprocess.run(
        [built("ntp-once"), "--interleaved", *words], text=True,
        capture_output=True, timeout=30).stdout


def interleaved_answers(daemon):
    """How many answers of this kind a server of ours has given."""
    counters = daemon.observe()["servers"][0]["counters"]
    return sum(c["packets"] for c in counters
               if (c["response"], c["reason"]) == ("answered", "interleaved"))


class Asking(Case):
    """Ours is the client."""

    def test_chronyd_answers_us_in_interleaved_mode(self):
        server = chronyd_server(self)
        name = "127.0.0.2:123"
        daemon = client(self, [name], source={"interleaved": True}).start()

        def answered():
            return int(server.ask("serverstats")["Interleaved NTP packets"])

        wait_until(lambda: answered() >= 5, 20, "chronyd answers interleaved")
        samples = daemon.source(name)["samples"]
        wait_until(lambda: daemon.source(name)["samples"] >= samples + 5, 20,
                   "these answers make samples")
        daemon.wait_synchronized()
        source = daemon.source(name)
        self.assertEqual({"transmit": "kernel", "receive": "kernel"},
                         source["timestamping"])
        self.assertLess(source["delay"], 0.002)
        wait_until(lambda: abs(daemon.true_error()) < 50e-6, 20,
                   "the clock is right")

    def test_ntp_once_says_how_many_answers_were_interleaved(self):
        chronyd_server(self)
        out = once("-n", "6", "-t", "30s", "127.0.0.2")
        self.assertRegex(out, r"[2-9] answers\s+interleaved")

    def test_a_server_without_the_mode_is_measured_as_ever(self):
        (server,), (name,) = local_servers(self, [0.1])
        server.stop()
        server.configure(
            clock={"kind": "virtual", "initial-offset": 0.1},
            server=[{"listen": name, "interleaved": False}],
            synchronization={"local-stratum": 1})
        server.start()
        out = once("-n", "3", name)
        self.assertRegex(out, f"{name}: 3 of 3 requests")
        self.assertNotIn("interleaved", out)
        self.assertIn("this clock is 100 ms slow", out)

    def test_our_server_answers_our_client_in_interleaved_mode(self):
        (server,), (name,) = local_servers(self, [0.1])
        daemon = client(self, [name], source={"interleaved": True}).start()
        wait_until(lambda: interleaved_answers(server) >= 5, 20,
                   "our server answers interleaved")
        wait_until(lambda: abs(daemon.true_error() - 0.1) < 50e-6, 20,
                   "the clock is right")


class Answering(Case):
    """Ours is the server."""

    def test_chronyd_measures_us_in_interleaved_mode(self):
        (server,), _ = local_servers(self, [0.1])
        chronyd = WatchedChronyd(self, "chronyd", [
            "server 127.0.0.1 port 11123 minpoll 0 maxpoll 0 xleave",
            "port 0"]).start()
        wait_until(
            lambda: chronyd.ask("ntpdata", "127.0.0.1")["Interleaved"] == "Yes",
            20, "chronyd measures interleaved")
        seen = wait_until(
            lambda: int(chronyd.ask("ntpdata", "127.0.0.1")["Total good RX"])
            >= 8 and chronyd.ask("ntpdata", "127.0.0.1"), 20,
            "chronyd has good answers")
        # Against the time that chronyd has found by then.
        self.assertAlmostEqual(0, float(seen["Offset"].split()[0]),
                               delta=200e-6)
        self.assertLess(float(seen["Peer delay"].split()[0]), 0.002)
        self.assertGreaterEqual(interleaved_answers(server), 3)
