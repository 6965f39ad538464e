#!/usr/bin/env python3
"""Beside a chronyd that adjusts nothing: what we say of its clock. Both see one
clock, so that the true difference is zero."""

import time

from stage import show


def play(case, seconds):
    from harness import Process, built, wait_until
    from peers import Chronyd, WatchedChronyd
    from watcher import say
    servers = [f"127.0.0.{i}" for i in (2, 3, 4)]
    for i, address in enumerate(servers):
        Chronyd(case, f"server-{i + 1}", address).start()
    watched = WatchedChronyd(case, "chronyd", [
        f"server {a} iburst minpoll 3 maxpoll 4" for a in servers])
    watched.start()
    config = case.path("shadow.toml")
    observe = case.path("observe")
    config.write_text(f'[observability]\nobservation-path = "{observe}"\n')
    shadow = Process(case, "shadow", [
        built("ntp-daemon"), f"--shadow={case.path('chronyd.conf')}", "-c",
        config]).start()
    shadow.config_path = config
    wait_until(observe.exists, 5, "the shadow listens")
    time.sleep(seconds)
    say(shadow, "status")
    say(shadow, "compare")
    say(shadow, "-f", "json", "compare")
    say(shadow, "tracking")
    seen = watched.ask("tracking")
    for key in ("System time", "RMS offset", "Root delay", "Root dispersion"):
        print(f"chronyd's {key}: {seen[key]}")
    print(shadow.log())


show(__doc__, play, 600)
