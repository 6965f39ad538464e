"""Logs that are rotated while the daemon writes them."""

import json
import signal

from concert import client, local_servers
from harness import Case, wait_until


class Rotation(Case):

    def lines(self, path):
        """The lines of a file, all of which must be whole."""
        text = path.read_text()
        self.assertTrue(text.endswith("\n"), f"{path} ends within a line")
        return [json.loads(line) for line in text.splitlines()]

    def test_a_rotation_loses_no_line_and_writes_none_twice(self):
        _, addresses = local_servers(self, [0.0, 0.0])
        path = self.path("measurements.jsonl")
        tracking = self.path("tracking.jsonl")
        daemon = client(self, addresses, observability={
            "measurement-log-path": path,
            "tracking-log-path": tracking}).start()
        daemon.wait_synchronized()
        parts = []
        for number in range(3):
            old = path.with_suffix(f".{number}")
            path.rename(old)
            parts.append(old)
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: path.exists() and path.stat().st_size > 0, 5,
                       "the log is opened anew and written")
        wait_until(lambda: path.read_text().count("\n") > 3, 10,
                   "more is measured of each source")
        daemon.stop()
        lines = [line for part in [*parts, path] for line in self.lines(part)]
        for address in addresses:
            samples = [line["samples"] for line in lines
                       if line["source"] == address]
            # Those still under way at the end may be missing, but no others.
            self.assertEqual(list(range(1, len(samples) + 1)), samples)
            self.assertGreater(len(samples), 3)
        states = self.lines(tracking)
        # The end may come between the two lines of one sample.
        self.assertLessEqual(abs(len(lines) - len(states)), 1)
        self.assertEqual("synchronized", states[-1]["state"])
