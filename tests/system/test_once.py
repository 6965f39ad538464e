"""ntp-once: one shot, following, and what it must not fall for."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time

from concert import local_servers, time_server
from harness import Case, Process, Relay, built, wait_until
from names import NameServer

# What a program that runs on simulated clocks and networks may not call.
NOT_PLAIN = {
    "pthread_create", "thrd_create", "clone", "epoll_create", "epoll_create1",
    "epoll_wait", "epoll_pwait", "ppoll", "pselect", "select", "sendmmsg",
    "recvmmsg", "send", "sendto", "recv", "recvfrom", "accept4", "eventfd",
    "timerfd_create", "signalfd", "nanosleep", "clock_nanosleep", "usleep",
    "sleep", "settimeofday", "clock_settime", "adjtime", "gettimeofday",
}
PLAIN = {"poll", "recvmsg", "sendmsg", "clock_gettime", "adjtimex",
         "getaddrinfo", "socket", "fcntl"}


def once(*words, wrap=(), timeout=30):
    """Runs ntp-once: (exit status, stdout, stderr)."""
    done = subprocess.run([*wrap, built("ntp-once"), *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def ask(case, *words, status=0):
    """The document that it prints."""
    code, out, err = once("--json", *words)
    case.assertEqual(status, code, out + err)
    return json.loads(out)


class Following(Process):
    """An ntp-once that follows on a virtual clock, with its log."""

    def __init__(self, case, *words, clock="virtual"):
        self.statistics = case.path("statistics.log")
        super().__init__(case, "once", [
            built("ntp-once"), "--follow", "--clock", clock, "--poll", "0:0",
            "--log", self.statistics, *words])

    def lines(self):
        """The log's lines by the names in its header."""
        header, *lines = self.statistics.read_text().splitlines()
        names = header.removeprefix("# ").split()
        return [dict(zip(names, line.split(), strict=True)) for line in lines]


class OneShot(Case):

    def test_it_measures_what_servers_are_ahead(self):
        truth = [0.005, -0.020, 0.0]
        _, addresses = local_servers(self, truth)
        document = ask(self, "-n", 2, *addresses, status=1)
        self.assertFalse(document["measured"]["agreed"])
        self.assertIsNone(document["measured"]["offset"])
        for offset, source in zip(truth, document["sources"], strict=True):
            self.assertAlmostEqual(offset, source["offset"], delta=50e-6)
            self.assertEqual(2, source["samples"])
            self.assertEqual({"transmit": "kernel", "receive": "kernel"},
                             source["timestamping"])

    def test_it_finds_the_liar_among_three(self):
        _, addresses = local_servers(self, [0.1, 0.5, 0.1])
        document = ask(self, *addresses)
        measured = document["measured"]
        self.assertAlmostEqual(0.1, measured["offset"], delta=50e-6)
        self.assertLess(abs(measured["offset"] - 0.1), measured["max_error"])
        self.assertLess(measured["estimated_error"], measured["max_error"])
        self.assertLess(measured["max_error"], 0.01)
        self.assertEqual(["selected", "falseticker", "selected"],
                         [s["state"] for s in document["sources"]])
        code, out, _ = once(*addresses)
        self.assertEqual(0, code)
        self.assertIn("2 of 3 servers agree: this clock is 100 ms slow", out)
        self.assertIn(f"x {addresses[1]}", out)

    def test_it_believes_neither_of_two_that_disagree(self):
        _, addresses = local_servers(self, [0.0, 0.5])
        code, out, _ = once("-n", 2, *addresses)
        self.assertEqual(1, code)
        self.assertIn("No verdict: the 2 usable sources disagree.", out)

    def test_it_takes_either_family_as_told(self):
        time_server(self, "server-6", "[::1]:11123", 0.2).start()
        time_server(self, "server-4", "127.0.0.1:11123", 0.1).start()
        for option, name, offset in (("-4", "127.0.0.1:11123", 0.1),
                                     ("-6", "[::1]:11123", 0.2)):
            document = ask(self, option, "-n", 1, name)
            self.assertAlmostEqual(offset, document["measured"]["offset"],
                                   delta=200e-6)
        code, _, err = once("-4", "[::1]:11123")
        self.assertEqual(1, code)
        self.assertIn("[::1]:11123: ", err)

    def test_it_tries_the_other_addresses_of_a_name(self):
        time_server(self, "server", "127.0.0.7:11123", 0.1).start()
        # One that is silent, one that refuses; the answering one comes last in
        # one of the two orders.
        names = NameServer(self, {
            "a.test": ["127.0.0.5", "127.0.0.6", "127.0.0.7"],
            "b.test": ["127.0.0.7", "127.0.0.6", "127.0.0.5"]})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.5", 11123))
            for name in ("a.test", "b.test"):
                code, out, err = once("-n", 1, "-t", "20s", f"{name}:11123",
                                      wrap=names.wrap)
                self.assertEqual(0, code, out + err)
                self.assertIn("127.0.0.7:11123: 1 of 1 requests", out)

    def test_it_lets_no_server_agree_with_itself(self):
        _, (address,) = local_servers(self, [0.0])
        code, out, err = once("-n", 1, address, address)
        self.assertEqual(0, code)
        self.assertIn("the same server", err)
        self.assertIn("1 of 1 servers", out)


class Hostile(Case):
    """Servers that do what no server should, beside two good ones."""

    def server(self, port, answers):
        """Sends what `answers` makes of each request."""
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(("127.0.0.1", port))

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    request, client = peer.recvfrom(2048)
                    if not client:
                        break
                    for answer in answers(request):
                        peer.sendto(answer, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def end():
            # Only this wakes a thread that is receiving.
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
            peer.close()
            thread.join(5)

        self.addCleanup(end)
        return f"127.0.0.1:{port}"

    def test_it_is_neither_hung_nor_fooled_by_bad_answers(self):
        _, good = local_servers(self, [0.1, 0.1])
        bad = [
            self.server(12001, lambda _: []),
            self.server(12002, lambda _: [os.urandom(48)] * 200),
            self.server(12003, lambda _: [os.urandom(65000)] * 20),
            self.server(12004, lambda request: [request]),
            self.server(12005, lambda _: [b""] * 50),
            self.server(12006, lambda request: [
                b"\x24" + request[1:24] + request[40:48] + bytes(16)]),
        ]
        for number, kind in enumerate(
                [{"kiss": "RATE"}, {"kiss": "DENY"}, {"kiss": "XBAD"},
                 {"mode": "bogus-origin"}, {"mode": "truncated"},
                 {"mode": "oversized"}, {"mode": "elsewhere"}], 1):
            time_server(self, f"spoilt-{number}", f"127.0.1.{number}:11123",
                        0.7).start()
            bad.append(f"127.0.2.{number}:11123")
            Relay(self, f"relay-{number}", bad[-1],
                  f"127.0.1.{number}:11123", **kind).start()
        begin = time.monotonic()
        document = ask(self, "--agree", 2, "-t", "8s", *good, *bad)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertAlmostEqual(0.1, document["measured"]["offset"],
                               delta=100e-6)
        for source in document["sources"][2:]:
            self.assertNotEqual("selected", source["state"], source["name"])
            self.assertLessEqual(source["requests"], 4, source["name"])
        # One that was told to ask less often does so at once.
        rated = document["sources"][2 + 6]
        self.assertEqual((1, {"kiss-rate": 1}),
                         (rated["requests"], rated["packets"]))

    def test_it_ends_soon_where_nobody_answers(self):
        begin = time.monotonic()
        code, out, _ = once("-t", "2s", "127.0.0.1:12999")
        self.assertEqual(1, code)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertIn("refused", out)
        self.assertIn("No verdict: waiting for the first usable answer.", out)


class Follow(Case):

    def test_it_puts_a_virtual_clock_right(self):
        _, addresses = local_servers(self, [0.0, 0.3, 0.0])
        program = Following(
            self, "--virtual", "initial-offset=0.25,frequency-error=4e-5",
            *addresses).start()
        wait_until(lambda: len(program.lines()) > 60, 60, "60 updates")
        program.signal(signal.SIGINT)
        self.assertEqual(0, program.wait(1), program.log())
        lines = program.lines()
        self.assertAlmostEqual(0.25, float(lines[0]["true-error"]), delta=0.01)
        self.assertEqual("starting", lines[0]["state"])
        last = lines[-1]
        self.assertEqual(("synchronized", "2"),
                         (last["state"], last["selected"]))
        self.assertLess(abs(float(last["true-error"])), 100e-6)
        self.assertLess(abs(float(last["true-error"])),
                        float(last["max-error"]))
        self.assertAlmostEqual(-40, float(last["frequency"]), delta=2)
        self.assertIn("clock-stepped", program.log())
        self.assertIn("2 of 3 servers agree", program.log())

    def test_it_watches_the_machines_clock_and_appends(self):
        _, addresses = local_servers(self, [0.1])
        for runs in (1, 2):
            program = Following(self, "--duration", "1s", *addresses,
                                clock="none").start()
            self.assertEqual(0, program.wait(5), program.log())
            text = program.statistics.read_text()
            self.assertEqual(runs, text.count("# time source "))
        self.assertIn(" synchronized -\n", text)

    def test_it_may_not_set_the_clock_here_and_says_so(self):
        code, out, err = once("--follow", "--clock", "system", "127.0.0.1")
        self.assertEqual((3, ""), (code, out))
        self.assertIn("cannot set the system clock", err)

    def test_it_ends_on_a_signal_though_no_server_answers(self):
        program = Following(self, "127.0.0.1:12999").start()
        time.sleep(1)
        self.assertEqual(1, program.stop())
        self.assertIn("No verdict", program.log())


class Plain(Case):

    def test_it_makes_no_call_that_simulators_do_not_know(self):
        done = subprocess.run(
            ["nm", "-D", "--undefined-only", built("ntp-once")],
            capture_output=True, text=True, check=True)
        calls = {line.split()[-1].split("@")[0]
                 for line in done.stdout.splitlines()}
        self.assertEqual(set(), calls & NOT_PLAIN)
        self.assertEqual(PLAIN, calls & PLAIN)

    def test_it_says_what_is_wrong_with_its_arguments(self):
        for words, named in ((["a:0x"], "a:0x"), ([], "SERVER"),
                             (["a", "--poll", "1"], "--follow"),
                             (["--follow", "a", "--poll", "9:1"], "9:1")):
            code, out, err = once(*words)
            self.assertEqual((2, ""), (code, out))
            self.assertIn(named, err)
        code, _, err = once("no-such-host.invalid")
        self.assertEqual(1, code)
        self.assertIn("no-such-host.invalid:123: ", err)
