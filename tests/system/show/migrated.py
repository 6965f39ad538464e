#!/usr/bin/env python3
"""Configurations of chronyd and ntpd, migrated, validated and run."""

import pathlib
import subprocess
import time

from stage import show

DATA = pathlib.Path(__file__).resolve().parents[2] / "config/migration/data"


def play(case, seconds):
    from concert import Daemon
    from harness import built
    for file in sorted(DATA.glob("*.conf")):
        done = subprocess.run([built("ntp-ctl"), "migrate", str(file)],
                              capture_output=True, text=True, timeout=10)
        print(f"\n$ ntp-ctl migrate {file.name}   [exit {done.returncode}]")
        print(done.stdout + done.stderr)
        daemon = Daemon(case, file.stem, ["--no-adjust"])
        # Only what the sandbox has not: the sockets' places, no privilege.
        text = daemon.config_path.read_text()
        daemon.config_path.write_text(done.stdout)
        code, said, complaints = daemon.ctl("validate")
        print(f"$ ntp-ctl validate   [exit {code}]\n{said}{complaints}")
        places = case.path(f"{file.stem}.toml.d")
        places.mkdir()
        (places / "sandbox.toml").write_text(
            text[text.index("[observability]"):])
        daemon.start()
        time.sleep(seconds)
        print(daemon.ctl("sources")[1])
        daemon.stop()


show(__doc__, play, 3)
