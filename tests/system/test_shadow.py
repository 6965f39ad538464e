"""A shadow beside a chronyd that adjusts nothing: both see one clock."""

import json
import subprocess

from harness import Case, Process, built, wait_until
from peers import Chronyd, WatchedChronyd

SERVERS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")


class Shadow(Case):

    def test_a_shadow_tells_what_anothers_clock_is_worth(self):
        for i, address in enumerate(SERVERS):
            Chronyd(self, f"server-{i + 1}", address).start()
        WatchedChronyd(self, "chronyd", [
            f"server {a} iburst minpoll 2 maxpoll 2" for a in SERVERS]).start()
        self.config = self.path("shadow.toml")
        self.config.write_text(
            "[observability]\n"
            f'observation-path = "{self.path("shadow.observe")}"\n')
        Process(self, "shadow", [
            built("ntp-daemon"), f"--shadow={self.path('chronyd.conf')}", "-c",
            self.config]).start()
        total = wait_until(self.watched, 12, "five looks at the clock")
        # The offset is no part of what is not known of it.
        self.assertLess(total["uncertainty"], 1e-3)
        self.assertLessEqual(total["rms_offset"], total["max_offset"])
        self.assertLessEqual(total["rms_offset"], total["max_error"])
        self.assertEqual((0, 0), (total["steps"], total["own_steps"]))

    def watched(self):
        """What `compare` says, once it has looked often enough."""
        done = subprocess.run(
            [built("ntp-ctl"), "-f", "json", "compare", "-c", self.config],
            capture_output=True, text=True, timeout=10)
        if done.returncode != 0:
            return None
        total = json.loads(done.stdout)["total"]
        return total if total["looks"] >= 5 else None
