"""What the daemon may do once it runs."""

import pathlib

from concert import time_server, fixed_clock
from harness import Case, other_user, wait_until

CAP_NET_BIND_SERVICE = 10


class Privileges(Case):

    def test_every_thread_keeps_only_what_a_server_needs(self):
        nobody = other_user("nobody")
        self.directory.chmod(0o777)
        daemon = time_server(self, "server", "127.0.0.1:123")
        daemon.configure(
            clock=fixed_clock(), server=[{"listen": "127.0.0.1:123"}],
            synchronization={"local-stratum": 1, "user": "nobody"})
        daemon.start()
        wait_until(lambda: daemon.observe()["servers"][0]["listening"], 5,
                   "it listens on a low port")
        threads = list(pathlib.Path(f"/proc/{daemon.pid}/task").iterdir())
        self.assertGreater(len(threads), 1)
        for thread in threads:
            status = dict(
                line.split(":\t", 1) for line in
                (thread / "status").read_text().splitlines() if ":\t" in line)
            for key in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
                # CAP_SYS_TIME went before the daemon started.
                self.assertEqual(
                    0, int(status[key], 16) & ~(1 << CAP_NET_BIND_SERVICE),
                    f"{key} of {status['Name']}")
            self.assertEqual([str(nobody.pw_uid)] * 4, status["Uid"].split())
            self.assertEqual("1", status["NoNewPrivs"])

    def test_a_user_that_is_not_there_is_named(self):
        daemon = time_server(self, "server", "127.0.0.1:11123")
        daemon.configure(clock=fixed_clock(),
                         synchronization={"user": "nobody-of-this-name"})
        daemon.start(wait=False)
        self.assertNotEqual(0, daemon.wait(2))
        self.assertIn("nobody-of-this-name", daemon.log())
