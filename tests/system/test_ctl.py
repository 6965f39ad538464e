"""ntp-ctl against daemons that run, hang and are not there."""

import contextlib
import json
import signal
import socket
import subprocess
import time

from concert import Daemon, client, fixed_clock, local_servers
from harness import Case, built


class Ctl(Case):

    def test_each_view_in_both_forms_of_a_daemon_that_runs(self):
        _, addresses = local_servers(self, [0.0, 0.0, 0.3])
        daemon = client(self, addresses,
                        server=[{"listen": "127.0.0.9:11123"}]).start()
        daemon.wait_synchronized()
        daemon.wait_source(addresses[2], "falseticker", 10)
        for view in ("status", "sources", "tracking", "servers"):
            with self.subTest(view=view):
                code, out, err = daemon.ctl(view)
                self.assertEqual((0, ""), (code, err))
                self.assertGreater(len(out.splitlines()), 1)
                code, out, err = daemon.ctl(view, "-f", "json")
                self.assertEqual((0, ""), (code, err))
                json.loads(out)
        self.assertIn(addresses[0], daemon.ctl("sources")[1])
        self.assertIn("127.0.0.9:11123", daemon.ctl("servers")[1])
        status = json.loads(daemon.ctl("status", "-f", "json")[1])
        self.assertEqual(daemon.observe().keys(), status.keys())
        self.check_keys(status)

    def check_keys(self, status):
        """What the format promises to programs."""
        self.assertLessEqual(
            {"state", "state_reason", "synchronized", "offset", "frequency",
             "frequency_uncertainty", "estimated_error", "stability",
             "max_error", "last_update_age", "steps_total", "last_step",
             "holdover_seconds", "stratum", "reference_id", "precision",
             "root_delay", "root_variance_base", "leap_indicator",
             "accumulated_steps"}, status["system"].keys())
        self.assertLessEqual(
            {"offset", "uncertainty", "delay", "remote_delay",
             "remote_uncertainty", "last_update", "unanswered_polls",
             "poll_interval", "nts_cookies", "name", "address", "id", "state",
             "state_reason", "reachability", "stratum", "reference_id", "leap",
             "asymmetry", "timestamping", "ntp_version"},
            status["sources"][0].keys())
        self.assertLessEqual({"kind", "true_error"}, status["clock"].keys())
        self.assertLessEqual({"address", "stats"}, status["servers"][0].keys())

    def test_check_and_wait_sync_tell_a_right_clock_by_their_exit_codes(self):
        _, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses).start()
        code, _, err = daemon.ctl("wait-sync", "--timeout", "30s", timeout=40)
        self.assertEqual((0, ""), (code, err))
        code, out, _ = daemon.ctl("check", "--max-error", "500ms")
        self.assertEqual(0, code, out)
        code, out, _ = daemon.ctl("check", "--max-error", "1ns")
        self.assertEqual(2, code, out)
        code, out, _ = daemon.ctl("check", "--max-error", "500ms", "-f",
                                  "json")
        self.assertEqual(0, json.loads(out)["exit_code"])

    def test_check_and_wait_sync_tell_a_clock_that_nobody_corrects(self):
        daemon = Daemon(self, clock=fixed_clock()).start()
        self.assertIn(daemon.ctl("check", "--max-error", "1s")[0], (1, 2))
        begin = time.monotonic()
        code, _, err = daemon.ctl("wait-sync", "--timeout", "1s")
        self.assertEqual(1, code)
        self.assertNotEqual("", err)
        self.assertLess(time.monotonic() - begin, 3)

    def test_a_daemon_that_is_stopped_is_reported_within_5_seconds(self):
        daemon = Daemon(self, clock=fixed_clock()).start()
        daemon.signal(signal.SIGSTOP)
        for words, expected in ((["status"], 3), (["check"], 3)):
            with self.subTest(words=words):
                begin = time.monotonic()
                code, out, err = daemon.ctl(*words)
                self.assertLess(time.monotonic() - begin, 5.5)
                self.assertEqual(expected, code)
                self.assertIn(str(daemon.socket_path), out + err)

    def test_a_daemon_that_is_not_there_is_reported_at_once(self):
        daemon = Daemon(self)
        begin = time.monotonic()
        code, out, err = daemon.ctl("status")
        self.assertLess(time.monotonic() - begin, 1)
        self.assertEqual((3, ""), (code, out))
        self.assertIn(str(daemon.socket_path), err)

    def test_a_killed_daemons_socket_is_taken_over(self):
        daemon = Daemon(self, clock=fixed_clock()).start()
        daemon.kill()
        self.assertEqual(3, daemon.ctl("status")[0])
        daemon.start()
        self.assertEqual(0, daemon.ctl("status")[0])

    def test_readers_that_never_read_do_not_keep_others_out(self):
        daemon = Daemon(self, clock=fixed_clock()).start()
        with contextlib.ExitStack() as readers:
            for _ in range(200):
                reader = readers.enter_context(socket.socket(socket.AF_UNIX))
                reader.setblocking(False)
                # As many as get in.
                with contextlib.suppress(BlockingIOError):
                    reader.connect(str(daemon.socket_path))
            time.sleep(1)
            self.assertEqual(0, daemon.ctl("status")[0])

    def test_validate_accepts_a_good_file_and_refuses_a_bad_one(self):
        daemon = Daemon(self, clock=fixed_clock(),
                        server=[{"listen": "127.0.0.1:11123"}])
        self.assertEqual(0, daemon.ctl("validate")[0])
        daemon.config_path.write_text("[[sauce]]\n")
        code, _, err = daemon.ctl("validate")
        self.assertEqual(1, code)
        self.assertIn("source", err)

    def test_wrong_words_end_with_2_and_a_hint(self):
        done = subprocess.run([built("ntp-ctl"), "sorces"],
                              capture_output=True, text=True)
        self.assertEqual(2, done.returncode)
        self.assertIn("--help", done.stderr)
