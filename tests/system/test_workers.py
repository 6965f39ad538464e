"""Where our server's workers listen: addresses and interfaces that go and come
back, and cores."""

import pathlib
import subprocess

from concert import time_server
from harness import Case, Process, built, wait_until
from packets import ask


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class OtherNetwork(Process):
    """A namespace at the other end of a cable to interface `conc0` of ours."""

    def __init__(self, case):
        super().__init__(case, "network", ["unshare", "--net", "sleep", "600"])

    def start(self):
        super().start()
        ours = pathlib.Path("/proc/self/ns/net").readlink()
        theirs = pathlib.Path(f"/proc/{self.pid}/ns/net")
        wait_until(lambda: theirs.readlink() != ours, 5, "a network is made")
        return self

    def plug_in(self):
        ip("link", "add", "conc0", "type", "veth", "peer", "name", "conc1",
           "netns", str(self.pid))
        ip("addr", "add", "192.0.2.1/24", "dev", "conc0")
        ip("link", "set", "conc0", "up")
        self.run("ip", "addr", "add", "192.0.2.2/24", "dev", "conc1")
        self.run("ip", "link", "set", "conc1", "up")

    def run(self, *words):
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-n", *words], text=True,
            capture_output=True)

    def asks(self, server):
        """Whether `server` answers a client there."""
        done = self.run(built("ntp-once"), server, "--samples", "1",
                        "--timeout", "2s")
        return done.returncode == 0


class Workers(Case):

    def server(self, listen, **more):
        server = time_server(self, "server", listen)
        server.configure(
            **{"server-workers": 2, "pin-workers": True},
            clock={"kind": "virtual"}, server=[{"listen": listen, **more}],
            synchronization={"local-stratum": 1})
        return server

    def test_an_address_that_goes_and_returns_is_served_again(self):
        server = self.server("192.0.2.77:11123").start()
        server.wait_log("server-not-listening")
        ip("addr", "add", "192.0.2.77/32", "dev", "lo")
        try:
            for _ in range(2):
                wait_until(lambda: ask("192.0.2.77", 11123).mode == 4, 10,
                           "the address is served")
                ip("addr", "del", "192.0.2.77/32", "dev", "lo")
                with self.assertRaises(OSError):
                    ask("192.0.2.77", 11123)
                ip("addr", "add", "192.0.2.77/32", "dev", "lo")
        finally:
            ip("addr", "del", "192.0.2.77/32", "dev", "lo")

    def test_an_interface_that_goes_and_returns_is_served_again(self):
        there = OtherNetwork(self).start()
        there.plug_in()
        self.server("0.0.0.0:11123", interface="conc0").start()
        for _ in range(2):
            wait_until(lambda: there.asks("192.0.2.1:11123"), 15,
                       "the interface is served")
            with self.assertRaises(OSError):
                ask("127.0.0.1", 11123)
            ip("link", "del", "conc0")
            there.plug_in()
        ip("link", "del", "conc0")

    def test_pinned_workers_have_a_core_each(self):
        server = self.server("127.0.0.1:11123").start()
        self.assertEqual(4, ask("127.0.0.1", 11123).mode)
        cores = []
        for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "server_worker":
                status = (task / "status").read_text()
                cores.append(status.split("Cpus_allowed_list:")[1].split()[0])
        self.assertEqual(2, len(cores))
        self.assertTrue(all(core.isdigit() for core in cores), cores)
