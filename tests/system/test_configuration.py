"""Configurations, files and permissions that are not as they should be."""

import os
import signal
import socket
import subprocess
import time
import unittest

from concert import Daemon, client, fixed_clock, local_servers, time_server
from harness import Case, wait_until
from packets import ask


class BadConfiguration(Case):

    def refused(self, text, code=78):
        """What the daemon says of this configuration, ending with `code`."""
        daemon = Daemon(self)
        daemon.config_path.write_text(text)
        daemon.start(wait=False)
        self.assertEqual(code, daemon.wait(2))
        return daemon.log()

    def test_an_unknown_key_is_refused_with_its_place_and_a_suggestion(self):
        said = self.refused('[[source]]\nmode = "server"\n'
                            'adress = "127.0.0.1"\n')
        self.assertIn("did you mean", said.lower())
        self.assertIn("daemon.toml:3:1", said)
        self.assertIn("address", said.replace("adress", ""))

    def test_wrong_types_ranges_and_duplicates_are_each_named(self):
        rows = {
            '[[server]]\nlisten = 123\n': ":2:",
            '[[server]]\nlisten = "nowhere"\n': ":2:",
            '[synchronization]\nlocal-stratum = 17\n': ":2:",
            '[clock]\nkind = "sundial"\n': ":2:",
            '[[source]]\nmode = "server"\naddress = "a"\n'
            'poll-interval-limits = { min = 5, max = 4 }\n': ":4:",
            '[[server]]\nlisten = "127.0.0.1:11123"\n'
            '[[server]]\nlisten = "127.0.0.1:11123"\n': ":4:",
            '[[nts-ke-server]]\nlisten = "127.0.0.1:4460"\n':
                "`certificate-chain-path` is missing",
            'this is no TOML': ":1:",
        }
        for text, expected in rows.items():
            with self.subTest(text=text):
                self.assertIn(expected, self.refused(text))

    def test_a_configuration_that_is_not_there_is_named(self):
        daemon = Daemon(self)
        daemon.config_path.unlink()
        daemon.start(wait=False)
        self.assertEqual(78, daemon.wait(2))
        self.assertIn(str(daemon.config_path), daemon.log())


class Reload(Case):

    def test_sighup_adds_and_removes_sources_and_leaves_the_others(self):
        _, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses[:2]).start()
        daemon.wait_synchronized()
        kept = daemon.source(addresses[0])
        other = client(self, [addresses[0], addresses[2]], name="other")
        daemon.config_path.write_text(
            other.config_path.read_text().replace("other.", "client."))
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: {s["name"] for s in daemon.observe()["sources"]}
                   == {addresses[0], addresses[2]}, 5, "the sources changed")
        after = daemon.source(addresses[0])
        self.assertEqual(kept["id"], after["id"])
        self.assertGreaterEqual(after["samples"], kept["samples"])
        daemon.wait_source(addresses[2], "selected", 15)

    def test_sighup_opens_and_closes_servers(self):
        daemon = time_server(self, "server", "127.0.0.1:11123").start()
        daemon.configure(clock=fixed_clock(),
                         server=[{"listen": "127.0.0.1:11124"}],
                         synchronization={"local-stratum": 1})
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: ask("127.0.0.1", 11124), 5, "the new port answers")
        with self.assertRaises(OSError):
            ask("127.0.0.1", 11123, timeout=0.3)

    def test_a_bad_file_is_refused_and_the_daemon_goes_on(self):
        daemon = time_server(self, "server", "127.0.0.1:11123").start()
        good = daemon.config_path.read_text()
        daemon.config_path.write_text(good + "\n[nonsense]\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_log("nonsense")
        self.assertEqual(1, ask("127.0.0.1", 11123).stratum)
        daemon.config_path.write_text(good)
        daemon.signal(signal.SIGHUP)
        time.sleep(0.5)
        self.assertEqual(1, ask("127.0.0.1", 11123).stratum)


class Ports(Case):

    def test_a_port_in_use_is_reported_and_taken_once_it_is_free(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 11123))
            daemon = time_server(self, "server", "127.0.0.1:11123").start()
            daemon.wait_log("127.0.0.1:11123")
            daemon.wait_log("in use")
            server = daemon.observe()["servers"][0]
            self.assertFalse(server["listening"])
            self.assertIn("in use", server["problem"])
        wait_until(lambda: ask("127.0.0.1", 11123), 10, "the port is taken")
        self.assertTrue(daemon.observe()["servers"][0]["listening"])
        self.assertEqual("", daemon.observe()["servers"][0]["problem"])

    def test_port_0_and_an_address_of_another_machine_do_no_harm(self):
        daemon = time_server(self, "server", "127.0.0.1:11123")
        daemon.configure(clock=fixed_clock(),
                         server=[{"listen": "127.0.0.1:11123"},
                                 {"listen": "203.0.113.1:123"}],
                         synchronization={"local-stratum": 1})
        daemon.start()
        self.assertEqual(1, ask("127.0.0.1", 11123).stratum)
        wait_until(lambda: any(not s["listening"] and s["problem"]
                               for s in daemon.observe()["servers"]), 3,
                   "the other address has a problem")


class Permissions(Case):

    def no_permission(self, wrap=()):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            # Were a socket opened, it would complain of this.
            other.bind(("127.0.0.1", 11123))
            daemon = Daemon(self, clock={"kind": "system"}, wrap=wrap,
                            source=[{"mode": "server",
                                     "address": "127.0.0.1:11124"}],
                            server=[{"listen": "127.0.0.1:11123"}])
            daemon.start(wait=False)
            self.assertEqual(77, daemon.wait(2))
        self.assertNotIn("in use", daemon.log())
        self.assertFalse(daemon.socket_path.exists())
        self.assertIn("permi", daemon.log().lower())
        self.assertIn("clock", daemon.log())

    def test_without_permission_to_set_the_clock_it_ends_before_any_socket(
            self):
        self.no_permission()

    def test_a_user_namespace_that_claims_the_permission_is_seen_through(self):
        wrap = ["unshare", "--user", "--map-root-user"]
        if subprocess.run([*wrap, "true"], capture_output=True).returncode:
            raise unittest.SkipTest("no further user namespace to be had")
        self.no_permission(wrap)

    def test_without_sources_it_needs_no_permission(self):
        daemon = Daemon(self, clock={"kind": "system"},
                        server=[{"listen": "127.0.0.1:11123"}],
                        synchronization={"local-stratum": 1}).start()
        self.assertEqual("read-only", daemon.observe()["clock"]["kind"])
        self.assertEqual(1, ask("127.0.0.1", 11123).stratum)

    def test_kind_auto_falls_back_to_read_only_with_one_warning(self):
        _, addresses = local_servers(self, [0.0])
        daemon = client(self, addresses, {"kind": "auto"}).start()
        self.assertEqual("read-only", daemon.observe()["clock"]["kind"])
        daemon.wait_synchronized()
        warnings = [line for line in daemon.log().splitlines()
                    if line.startswith("<4>") and "clock" in line]
        self.assertEqual(1, len(warnings), daemon.log())


class VirtualClock(Case):

    def test_no_adjust_leaves_a_virtual_clock_alone_too(self):
        _, addresses = local_servers(self, [0.0])
        daemon = client(self, addresses,
                        {"kind": "virtual", "initial-offset": 0.25},
                        args=["--no-adjust"]).start()
        wait_until(lambda: daemon.source(addresses[0])["samples"] > 2, 10,
                   "it measures")
        status = daemon.observe()
        if status["clock"]["true_error"] is not None:
            self.assertAlmostEqual(0.25, status["clock"]["true_error"],
                                   delta=0.001)
        self.assertEqual(0, status["system"]["steps_total"])

    def test_a_virtual_clock_in_use_is_shared_or_refused_but_not_waited_for(
            self):
        clock = {"kind": "virtual", "path": self.path("clock")}
        Daemon(self, "first", clock=clock).start()
        second = Daemon(self, "second", clock=clock).start(wait=False)
        wait_until(lambda: not second.running() or second.observe(), 3,
                   "the second one runs or has ended")
        if not second.running():
            self.assertIn(str(self.path("clock")), second.log())


class StateFile(Case):

    def start_client(self, **more):
        _, addresses = local_servers(self, [0.0])
        return client(self, addresses, **more)

    def check_goes_on(self, daemon):
        daemon.start()
        daemon.wait_synchronized()
        daemon.stop()
        self.assertIn("<4>", daemon.log())
        self.assertIn("state", daemon.log())

    def test_an_unwritable_state_file_is_a_warning(self):
        self.check_goes_on(self.start_client(synchronization={
            "state-file": "/proc/version/concert.state"}))

    def test_a_corrupt_state_file_is_a_warning_and_is_replaced(self):
        daemon = self.start_client()
        for content in (b"", os.urandom(1000), b"{" * 5000, bytes(1 << 21)):
            with self.subTest(start=content[:8], size=len(content)):
                daemon.state_path.write_bytes(content)
                self.check_goes_on(daemon)
                self.assertNotEqual(content, daemon.state_path.read_bytes())
        # One flipped bit in a good one.
        good = bytearray(daemon.state_path.read_bytes())
        good[len(good) // 2] ^= 1
        daemon.state_path.write_bytes(good)
        self.check_goes_on(daemon)

    def test_a_full_disk_is_a_warning_and_the_old_state_stays(self):
        disk = self.path("disk")
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk],
            capture_output=True)
        if mounted.returncode != 0:
            raise unittest.SkipTest("no file system may be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        state = disk / "state"
        daemon = self.start_client(synchronization={"state-file": state})
        daemon.start()
        daemon.wait_synchronized()
        daemon.stop()
        before = state.read_bytes()
        with open(disk / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass
        self.check_goes_on(daemon)
        self.assertEqual(before, state.read_bytes())
        self.assertEqual({"state", "filler"}, set(os.listdir(disk)))


class LeapFile(Case):

    def test_a_bad_leap_seconds_file_is_a_warning(self):
        path = self.path("leap-seconds.list")
        path.write_text("#$ 3676924800\n#@ 3991593600\n2272060800 10\n"
                        "#h 1 2 3 4 5\n")
        daemon = time_server(self, "server", "127.0.0.1:11123")
        daemon.configure(
            clock=fixed_clock(), server=[{"listen": "127.0.0.1:11123"}],
            synchronization={"local-stratum": 1, "leap-seconds-file": path})
        daemon.start()
        daemon.wait_log("leap")
        self.assertEqual(1, ask("127.0.0.1", 11123).stratum)
