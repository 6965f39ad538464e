"""A daemon that is changed while it runs, through ntp-ctl."""

import json
import os
import pwd
import signal
import subprocess
import time
import unittest

from concert import client, local_servers
from harness import Case, built, wait_until


class Control(Case):

    def setUp(self):
        super().setUp()
        _, self.addresses = local_servers(self, [0.0, 0.0, 0.0, 0.0])
        self.runtime = self.path("runtime.toml")
        self.daemon = client(
            self, self.addresses[:3],
            control={"path": self.path("control"),
                     "runtime-path": self.runtime}).start()
        self.daemon.wait_synchronized()

    def ctl(self, *words, code=0):
        """What ntp-ctl says when it ends with `code`."""
        ended, out, err = self.daemon.ctl(*words)
        self.assertEqual(code, ended, out + err)
        return out if code == 0 else err

    def json(self, *words):
        return json.loads(self.ctl(*words, "-f", "json"))

    def listed(self):
        return {each["source"]: each
                for each in self.json("source", "list")["sources"]}

    def add(self, *more):
        fast = "poll-interval-limits={ min = 0, max = 0 }"
        self.ctl("source", "add", "server", self.addresses[3], fast, *more)

    def test_a_source_comes_is_selected_and_goes_and_others_notice_nothing(
            self):
        self.add()
        self.assertEqual("runtime", self.listed()[self.addresses[3]]["origin"])
        self.daemon.wait_source(self.addresses[3], "selected", 30)
        self.ctl("source", "modify", self.addresses[3], "noselect=true")
        wait_until(lambda: self.daemon.source(
            self.addresses[3])["state"] != "selected", 10, "it is not used")
        self.ctl("source", "remove", self.addresses[3])
        self.assertNotIn(self.addresses[3], self.listed())
        for address in self.addresses[:3]:
            self.assertEqual("selected", self.daemon.source(address)["state"])
            self.assertEqual(0, self.daemon.source(address)["unanswered_polls"])
        self.assertLess(abs(self.daemon.true_error()), 0.01)

    def test_a_key_is_set_shown_compared_and_given_back(self):
        key = "synchronization.minimum-agreeing-sources"
        before = self.ctl("get", key)
        self.ctl("set", key, "2")
        self.assertEqual("2\n", self.ctl("get", key))
        self.assertIn(key, self.ctl("diff"))
        self.assertEqual(2, self.daemon.observe()["system"]["required_sources"])
        self.ctl("unset", key)
        self.assertEqual(before, self.ctl("get", key))
        self.assertEqual([], self.json("diff")["changes"])

    def test_what_cannot_be_is_refused_with_its_reason_and_changes_nothing(
            self):
        key = "synchronization.minimum-agreeing-sources"
        before = self.ctl("get")
        self.assertIn("minimum-agreeing-sources",
                      self.ctl("set", key, "-4", code=1))
        self.assertIn("did you mean",
                      self.ctl("set", "synchronization.minimum-agreeing-source",
                               "2", code=1).lower())
        self.ctl("source", "remove", "no.such.example", code=1)
        self.ctl("source", "add", "server", self.addresses[0], code=1)
        self.ctl("source", "add", "server", "a.example", "pol=4", code=1)
        self.assertEqual(before, self.ctl("get"))
        self.assertEqual(set(self.addresses[:3]), set(self.listed()))

    def test_files_are_read_again_and_bad_ones_refused(self):
        good = self.daemon.config_path.read_text()
        more = good + (f'\n[[source]]\nmode = "server"\n'
                       f'address = "{self.addresses[3]}"\n')
        self.daemon.config_path.write_text(more)
        self.ctl("reload")
        self.assertEqual("file", self.listed()[self.addresses[3]]["origin"])
        self.daemon.config_path.write_text(more + "[sorce]\n")
        self.assertIn("sorce", self.ctl("reload", code=1))
        self.assertIn(self.addresses[3], self.listed())

    def test_changes_last_as_long_as_they_shall(self):
        self.add()
        self.ctl("persist")
        self.assertIn(self.addresses[3], self.runtime.read_text())
        self.ctl("offline", self.addresses[0])
        self.assertTrue(self.listed()[self.addresses[0]]["offline"])
        self.daemon.stop()
        self.daemon.start()
        self.assertIn(self.addresses[3], self.listed())
        self.assertFalse(self.listed()[self.addresses[0]]["offline"])

    def test_a_forced_step_needs_a_yes(self):
        self.assertIn("--yes", self.ctl("force-sync", code=1))
        self.ctl("force-sync", "--yes")
        self.ctl("burst")

    @unittest.skipUnless(os.getuid() == 0, "only root can be somebody else")
    def test_strangers_may_look_but_not_touch(self):
        nobody = pwd.getpwnam("nobody")
        control = self.path("control")

        def as_nobody(*words):
            return subprocess.run(
                ["setpriv", f"--reuid={nobody.pw_uid}",
                 f"--regid={nobody.pw_gid}", "--clear-groups",
                 built("ntp-ctl"), "--control-socket", control, *words],
                capture_output=True, text=True, timeout=10)

        for folder in [control.parent, *control.parent.parents]:
            if os.stat(folder).st_mode & 0o001 == 0:
                if folder.stat().st_uid != os.getuid():
                    self.skipTest(f"nobody may not enter {folder}")
                folder.chmod(folder.stat().st_mode | 0o011)
        self.assertEqual(0, as_nobody("get").returncode)
        refused = as_nobody("set", "synchronization.local-stratum", "5")
        self.assertEqual(4, refused.returncode, refused.stderr)
        self.assertEqual(4, as_nobody("burst").returncode)

    def test_a_daemon_that_hangs_is_reported_within_5_seconds(self):
        self.daemon.signal(signal.SIGSTOP)
        begin = time.monotonic()
        self.assertIn("does not answer", self.ctl("get", code=3))
        self.assertLess(time.monotonic() - begin, 5.5)
        self.daemon.signal(signal.SIGCONT)
