"""200 clients that mean no good, of every kind at once, on each socket."""

import socket
import time
import urllib.request

from concert import client, local_servers
from crowd import KINDS, Crowd
from harness import Case, Process, built, wait_until
from show.watcher import Watcher, resident

HTTP = ("127.0.0.1", 19977)
PLACE = "127.0.0.10:11123"
SECONDS = 3


class HostileClients(Case):

    def setUp(self):
        super().setUp()
        _, self.names = local_servers(self, [0, 0, 0])
        self.daemon = client(self, self.names, server=[{"listen": PLACE}])
        self.daemon.start()
        self.daemon.wait_synchronized()
        self.exporter = Process(self, "exporter", [
            built("ntp-metrics-exporter"), "-c", self.daemon.config_path,
            "--listen", "%s:%d" % HTTP]).start()
        wait_until(self.scrape, 5, "the exporter answers")
        Process(self, "load", [
            built("ntp-load"), "meter", PLACE, "--rate", 500, "--duration",
            "1h", "--quiet"]).start()

    def scrape(self):
        with urllib.request.urlopen("http://%s:%d/metrics" % HTTP,
                                    timeout=5) as answer:
            return b"ntp_up" in answer.read()

    def attack(self, family, place, request, ask):
        """What was seen while all kinds were there, after their first round;
        `ask` is somebody honest."""
        for _ in range(2):
            sizes = [resident(p.pid) for p in (self.daemon, self.exporter)]
            received = wait_until(self.daemon.received, 5,
                                  "the daemon shows its state")
            watcher = Watcher(self, self.daemon, self.names).start()
            crowds = [Crowd(self, family, place, kind, request, 40).start()
                      for kind in KINDS]
            end = time.monotonic() + SECONDS / 2
            while time.monotonic() < end:
                # At once, mostly; a place may be lost to the crowd.
                wait_until(ask, 5, "somebody honest is answered")
                time.sleep(0.1)
            watcher.stop()
            tried = [crowd.stop()[0] for crowd in crowds]
        self.assertTrue(all(tried), f"somebody did nothing: {tried}")
        for process, before in zip((self.daemon, self.exporter), sizes):
            grown = resident(process.pid) - before
            self.assertLess(grown, 4 << 20, f"{process.name} grew")
        self.assertGreater(
            wait_until(self.daemon.received, 5, "the daemon shows its state"),
            received)
        self.assertLess(max(watcher.errors), 1e-3)
        self.assertLessEqual(max(watcher.unanswered.values()), 1)
        self.daemon.wait_synchronized(1)

    def ctl(self, word):
        return lambda: self.daemon.ctl(word)[0] == 0

    def test_neither_socket_and_no_page_can_be_abused(self):
        path = str(self.daemon.socket_path)
        self.attack(socket.AF_UNIX, path, b"\n", self.ctl("status"))
        self.attack(socket.AF_UNIX, path + ".control",
                    b'{"v":1,"id":1,"request":"hello"}\n', self.ctl("get"))
        self.attack(socket.AF_INET, HTTP,
                    b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", self.scrape)
