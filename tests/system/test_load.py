"""ntp-load against our server and chronyd: what it says must be true."""

import json
import subprocess

from concert import Daemon, time_server
from harness import Case, built, wait_until
from nts import Authority, chronyd_answers, chronyd_server
from packets import ask
from peers import Chronyd

PLACE = "127.0.0.1:11123"


def load(*words, timeout=30):
    """Runs ntp-load: (exit status, its report, standard error)."""
    done = subprocess.run([built("ntp-load"), *map(str, words), "--json"],
                          capture_output=True, text=True, timeout=timeout)
    return (done.returncode, json.loads(done.stdout) if done.stdout else None,
            done.stderr)


class LoadCase(Case):

    def meter(self, *words):
        status, report, said = load("meter", *words, "--quiet")
        self.assertEqual(0, status, said)
        return report


class Load(LoadCase):

    def machine_time_server(self):
        """A server of ours that serves the machine's own clock."""
        server = Daemon(self, "server", clock={"kind": "read-only"},
                        server=[{"listen": PLACE}],
                        synchronization={"local-stratum": 1})
        server.start()
        wait_until(lambda: ask("127.0.0.1", 11123).leap == 0, 5,
                   "the server serves")
        return server

    def test_every_request_of_a_rate_is_sent_answered_and_counted(self):
        server = self.machine_time_server()
        before = server.received()
        report = self.meter(PLACE, "--rate", 500, "--duration", "2s",
                            "--warm-up", "0s", "--clients", 20)
        self.assertEqual((1000, 1000, 0), (
            report["sent"], report["answered"], report["lost"]))
        self.assertEqual({0}, set(report["bad"].values()))
        self.assertEqual(1000, server.received() - before)
        self.assertLess(report["response_time"]["p50"], 0.005)

    def test_a_window_is_kept_over_both_versions(self):
        self.machine_time_server()
        for version in (3, 4):
            report = self.meter(PLACE, "--window", 16, "--duration", "500ms",
                                "--version", version)
            self.assertGreater(report["answered"], 100)
            self.assertEqual({0}, set(report["bad"].values()))

    def test_stamps_of_our_server_are_within_the_exchange(self):
        self.machine_time_server()
        for words in ((), ("--interleaved",)):
            report = self.meter(PLACE, "--rate", 500, "--clients", 16,
                                "--duration", "2s", "--same-clock", *words)
            self.assertGreater(report["answered"], 0.5 * report["sent"])
            self.assertLess(abs(report["receive_error"]["p50"]), 5e-6)
            self.assertEqual("--interleaved" in words,
                             report["interleaved"] > 0.5 * report["answered"])
        self.assertLess(abs(report["interleaved_error"]["p50"]), 2e-6)

    def test_chronyd_is_measured_in_both_modes(self):
        Chronyd(self, "chronyd", "127.0.0.1", 11123).start()
        for words in ((), ("--interleaved",)):
            report = self.meter(PLACE, "--rate", 500, "--clients", 16,
                                "--duration", "1s", "--same-clock", *words)
            self.assertEqual({0}, set(report["bad"].values()))
            self.assertGreater(report["answered"], 0.5 * report["sent"])
        self.assertGreater(report["interleaved"], 0.9 * report["sent"])
        self.assertLess(abs(report["interleaved_error"]["p50"]), 2e-6)

    def test_a_clock_that_is_not_this_machines_is_found_out(self):
        time_server(self, "server", PLACE, 0.5).start()
        status, report, _ = load("meter", PLACE, "--rate", 100, "--duration",
                                 "500ms", "--same-clock")
        self.assertEqual((1, 0), (status, report["answered"]))
        self.assertEqual(report["sent"], report["bad"]["outside"])

    def test_a_server_that_is_not_there_answers_nothing(self):
        status, report, _ = load("meter", PLACE, "--rate", 100, "--duration",
                                 "500ms", "--timeout", "100ms")
        self.assertEqual((1, 0, report["sent"]),
                         (status, report["answered"], report["lost"]))

    def test_a_search_ends_with_a_rate_that_is_carried(self):
        self.machine_time_server()
        report = self.meter(PLACE, "--search", "--rate", 1000, "--step",
                            "200ms", "--max-loss", 0.2)
        self.assertGreaterEqual(report["best_rate"], 1000)
        good = [step["rate"] for step in report["steps"] if step["good"]]
        self.assertEqual(report["best_rate"], max(good))

    def test_the_server_counts_what_the_flood_sent_from_many_addresses(self):
        server = self.machine_time_server()
        before = server.received()
        status, report, said = load("flood", PLACE, "--duration", "1s",
                                    "--rate", 5000, "--clients", 1000000,
                                    "--batch", 4)
        self.assertEqual(0, status, said)
        self.assertAlmostEqual(5000, report["sent"], delta=200)
        wait_until(lambda: server.received() - before == report["sent"], 5,
                   "all are counted")
        self.assertTrue(ask("127.0.0.1", 11123))

    def test_other_peoples_servers_are_not_loaded(self):
        for command in ("meter", "flood", "handshakes"):
            status, report, said = load(command, "192.0.2.1", "--duration",
                                        "1s")
            self.assertEqual((3, None), (status, report))
            self.assertIn("192.0.2.1", said)


class NtsLoad(LoadCase):
    """chronyd gives out cookies on port 4460 and serves on port 123."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self, "127.0.0.1")
        self.server = chronyd_server(self, self.authority, "127.0.0.1")

    def trusting(self, *words):
        return (*words, "--certificate-authority", self.authority.root)

    def test_every_request_is_authentic_and_so_is_every_answer(self):
        for words in ((), ("--interleaved",)):
            before = chronyd_answers(self.server)
            report = self.meter(*self.trusting(
                "127.0.0.1", "--nts", "--rate", 500, "--clients", 16,
                "--duration", "1s", "--warm-up", "0s", "--same-clock", *words))
            self.assertEqual({0}, set(report["bad"].values()))
            self.assertEqual((500, 500, 500), (
                report["sent"], report["answered"], report["verified"]))
            self.assertEqual(500, chronyd_answers(self.server) - before)
        self.assertGreater(report["interleaved"], 0.9 * report["sent"])

    def test_answers_are_checked_by_sample(self):
        report = self.meter(*self.trusting(
            "127.0.0.1", "--nts", "--rate", 1000, "--duration", "1s",
            "--sessions", 1, "--verify", 10))
        self.assertEqual({0}, set(report["bad"].values()))
        self.assertTrue(20 < report["verified"] < 300, report["verified"])

    def test_cookies_of_another_server_are_refused(self):
        chronyd_server(self, self.authority, "127.0.0.2", name="other")
        status, report, _ = load("meter", *self.trusting(
            "127.0.0.2", "--nts", "--ke", "127.0.0.1", "--rate", 20,
            "--duration", "1s"))
        self.assertEqual((1, 0), (status, report["answered"]))
        self.assertEqual(report["bad"]["nts-refused"],
                         sum(report["bad"].values()))
        self.assertGreater(report["bad"]["nts-refused"], 0)

    def test_handshakes_are_counted_and_so_is_why_they_fail(self):
        status, report, said = load("handshakes", *self.trusting(
            "127.0.0.1", "--duration", "1s", "--connections", 4))
        self.assertEqual((0, 0), (status, report["failed"]), said)
        self.assertGreater(report["done"], 10)
        for words, why in ((("--name", "other"), "certificate"),
                           (("127.0.0.1:4461",), "Connection refused")):
            address = () if ":" in words[0] else ("127.0.0.1",)
            status, report, _ = load("handshakes", *self.trusting(
                *address, *words, "--duration", "500ms"))
            self.assertEqual((1, 0, {why}), (
                status, report["done"], set(report["failures"])))

    def test_without_the_authority_there_are_no_keys(self):
        status, report, said = load("meter", "127.0.0.1", "--nts",
                                    "--duration", "1s")
        self.assertEqual((3, None), (status, report))
        self.assertIn("no keys from 127.0.0.1:4460: certificate", said)
