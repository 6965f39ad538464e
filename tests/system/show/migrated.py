#!/usr/bin/env python3
"""Configurations of chronyd and ntpd, migrated, validated and run."""

import subprocess
import time

from stage import show


def play(case, seconds):
    from harness import built
    from migrated_file import MigratedFile, files, played_servers
    from nts import NAMES, Authority
    authority = Authority(case, *NAMES)
    played_servers(case, authority)
    for file in files():
        it = MigratedFile(case, file, authority)
        done = subprocess.run([built("ntp-ctl"), "migrate", it.path],
                              capture_output=True, text=True, timeout=10)
        print(f"\n$ ntp-ctl migrate {file.name}   [exit {done.returncode}]")
        print(done.stdout + done.stderr)
        daemon = it.daemon(done.stdout)
        code, said, complaints = daemon.ctl("validate")
        print(f"$ ntp-ctl validate   [exit {code}]\n{said}{complaints}")
        case.assertEqual(0, code)
        it.move_in(daemon)
        daemon.start()
        time.sleep(seconds)
        print(daemon.ctl("sources")[1])
        for server in daemon.observe()["servers"]:
            print(f"serves on {server['address']}")
        for server in daemon.observe()["nts_ke_servers"]:
            case.assertTrue(server["listening"], server["problem"])
            print(f"gives out keys on {server['address']}")
        daemon.stop()


show(__doc__, play, 3)
