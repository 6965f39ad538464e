"""Other daemons' configurations, migrated and run."""

import subprocess

from harness import Case, built
from migrated_file import MigratedFile, files, played_servers
from nts import NAMES, Authority


class Migration(Case):

    def test_each_migrated_file_is_valid_and_runs(self):
        authority = Authority(self, *NAMES)
        played_servers(self, authority)
        for file in files():
            with self.subTest(file.name):
                self.check_runs(MigratedFile(self, file, authority))

    def check_runs(self, it):
        done = subprocess.run([built("ntp-ctl"), "migrate", it.path],
                              capture_output=True, text=True, timeout=10)
        self.assertEqual(0, done.returncode, done.stderr)
        daemon = it.daemon(done.stdout)
        code, _, complaints = daemon.ctl("validate")
        self.assertEqual(0, code, complaints)
        it.move_in(daemon)
        daemon.start()
        for server in daemon.observe()["nts_ke_servers"]:
            self.assertTrue(server["listening"], server["problem"])
        daemon.stop()
