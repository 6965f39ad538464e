"""ntp-metrics-exporter before a daemon that runs, a real Prometheus, a real
browser, and clients that mean no good."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from concert import client, local_servers
from harness import Case, Process, built, peer, wait_until

LISTEN = ("127.0.0.1", 19975)
URL = "http://127.0.0.1:19975/"
RULES = pathlib.Path(__file__).resolve().parents[2] / "packaging/prometheus"


def get(path, timeout=5, accept=None):
    request = urllib.request.Request(URL + path)
    if accept:
        request.add_header("Accept", accept)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read().decode()


class Exporter(Process):

    def __init__(self, case, daemon, *words):
        super().__init__(case, "exporter", [
            built("ntp-metrics-exporter"), "-c", daemon.config_path,
            "--listen", "%s:%d" % LISTEN, *words])

    def start(self):
        super().start()
        self.wait_log("listening")
        return self

    def stop(self):
        code = super().stop()
        self.case.assertEqual(0, code, "the exporter's exit status")
        return code

    def memory(self):
        """Resident, octets."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Exporting(Case):

    def setUp(self):
        super().setUp()
        _, addresses = local_servers(self, [0.0, 0.0, 0.3])
        self.daemon = client(self, addresses).start()
        self.daemon.wait_synchronized()
        self.exporter = Exporter(self, self.daemon).start()

    def test_metrics_tell_the_daemon_and_tell_when_it_is_gone(self):
        self.assertIn("\nntp_system_synchronized 1\n", get("metrics"))
        text = get("metrics", accept="application/openmetrics-text")
        self.assertTrue(text.endswith("# EOF\n"))
        self.assertEqual(3, len(json.loads(get("status.json"))["sources"]))
        self.daemon.stop()
        wait_until(lambda: "\nntp_up 0\n" in get("metrics"), 5,
                   "the exporter tells that the daemon is gone")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            get("status.json")
        self.assertEqual(503, refused.exception.code)
        refused.exception.close()
        self.assertIn("does not answer", get(""))
        self.daemon.start()
        wait_until(lambda: "\nntp_up 1\n" in get("metrics"), 5,
                   "the exporter tells that the daemon is back")
        self.exporter.stop()

    def test_promtool_finds_no_fault(self):
        done = subprocess.run([peer("promtool"), "check", "metrics"],
                              input=get("metrics"), capture_output=True,
                              text=True)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        for words in (["check", "rules", RULES / "alerts.yml"],
                      ["test", "rules", RULES / "alerts_test.yml"]):
            done = subprocess.run([peer("promtool"), *words],
                                  capture_output=True, text=True)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_prometheus_scrapes_it(self):
        config = self.path("prometheus.yml")
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            "scrape_configs:\n  - job_name: ntp\n    static_configs:\n"
            "      - targets: ['%s:%d']\n" % LISTEN)
        Process(self, "prometheus", [
            peer("prometheus"), f"--config.file={config}",
            f"--storage.tsdb.path={self.path('tsdb')}",
            "--web.listen-address=127.0.0.1:19976"]).start()

        def value(query):
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(
                        "http://127.0.0.1:19976/api/v1/query?query=" + query,
                        timeout=2) as answer:
                    found = json.load(answer)["data"]["result"]
                    return found[0]["value"][1] if found else None

        for query in ("up", "ntp_up", "ntp_system_synchronized"):
            wait_until(lambda q=query: value(q) == "1", 20,
                       f"Prometheus knows {query}")

    def test_a_browser_draws_the_plots_without_complaints(self):
        browser = shutil.which("chromium-headless-shell")
        if browser is None:
            raise unittest.SkipTest("there is no chromium-headless-shell")
        wait_until(lambda: len(json.loads(get("history.json"))["rows"]) > 2,
                   10, "there is something to plot")
        done = subprocess.run(
            [browser, "--no-sandbox", "--disable-gpu",
             "--enable-logging=stderr", "--virtual-time-budget=4000",
             f"--user-data-dir={self.path('browser')}", "--dump-dom", URL],
            capture_output=True, text=True, timeout=60)
        self.assertEqual([], re.findall(r".*CONSOLE.*", done.stderr))
        self.assertGreaterEqual(done.stdout.count("<canvas"), 6)
        self.assertIn("falseticker", done.stdout)

    def test_hostile_clients_do_no_harm(self):
        end = threading.Event()
        answered = []
        threads = [threading.Thread(target=behave, args=(end, answered))
                   for behave in (silent, slow, garbage, oversized, deaf)
                   for _ in range(40)]
        threads += [threading.Thread(target=hasty, args=(end, answered))
                    for _ in range(4)]
        for thread in threads:
            thread.start()
        slowest = 0
        try:
            begin = time.monotonic()
            while time.monotonic() - begin < 6:
                asked = time.monotonic()
                self.assertIn("\nntp_up 1\n", get("metrics"))
                slowest = max(slowest, time.monotonic() - asked)
                time.sleep(0.2)
        finally:
            end.set()
            for thread in threads:
                thread.join()
        print(f"{len(answered)} requests answered to hostile clients in 6 s, "
              f"slowest scrape {slowest * 1e3:.0f} ms, "
              f"{self.exporter.memory() >> 20} MiB")
        self.assertLess(slowest, 3)
        self.assertLess(self.exporter.memory(), 64 << 20)
        self.assertTrue(self.daemon.observe()["system"]["synchronized"])


def attack(end, use):
    """Connections of one client, one after the other."""
    while not end.is_set():
        with contextlib.suppress(OSError):
            with socket.create_connection(LISTEN, timeout=3) as connection:
                use(connection)


def silent(end, _):
    attack(end, lambda connection: connection.recv(1))


def slow(end, _):
    def use(connection):
        for octet in b"GET /metrics HTTP/1.1\r\nHost: slow\r\n\r\n":
            connection.send(bytes([octet]))
            if end.wait(0.2):
                return
    attack(end, use)


def garbage(end, _):
    def use(connection):
        connection.sendall(os.urandom(1000) + b"\r\n\r\n")
        connection.recv(100)
        time.sleep(0.05)
    attack(end, use)


def oversized(end, _):
    def use(connection):
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + bytes(200_000))
        time.sleep(0.05)
    attack(end, use)


def deaf(end, _):
    """Asks for what is large and does not take it."""
    def use(connection):
        connection.sendall(b"GET /dygraph.min.js HTTP/1.1\r\n\r\n")
        end.wait(3)
    attack(end, use)


def hasty(end, answered):
    def use(connection):
        connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        if connection.recv(12) == b"HTTP/1.1 200":
            answered.append(1)
    attack(end, use)
