#!/usr/bin/env python3
"""Beside a chronyd that adjusts nothing: what we say of its clock. Both see one
clock, so that the true difference is zero. Once with the servers' stamps as they
are, of which those of the answers are early, and once in interleaved mode, where
the kernel makes them all."""

import time

from stage import show


def watch(case, name, servers, options):
    """A chronyd that sets nothing, and a shadow beside it."""
    from harness import Process, built, wait_until
    from peers import WatchedChronyd
    watched = WatchedChronyd(case, f"chronyd-{name}", [
        f"server {a} iburst minpoll 3 maxpoll 4{options}" for a in servers])
    watched.start()
    config = case.path(f"{name}.toml")
    observe = case.path(f"{name}.observe")
    config.write_text(f'[observability]\nobservation-path = "{observe}"\n')
    shadow = Process(case, f"shadow-{name}", [
        built("ntp-daemon"),
        f"--shadow={case.path(f'chronyd-{name}.conf')}", "-c", config]).start()
    shadow.config_path = config
    wait_until(observe.exists, 5, "the shadow listens")
    return watched, shadow


def report(title, watched, shadow):
    from watcher import say
    print(f"== {title}")
    say(shadow, "status")
    say(shadow, "compare")
    say(shadow, "-f", "json", "compare")
    say(shadow, "tracking")
    seen = watched.ask("tracking")
    for key in ("System time", "RMS offset", "Root delay", "Root dispersion"):
        print(f"chronyd's {key}: {seen[key]}")
    print(shadow.log(), flush=True)


def play(case, seconds):
    from peers import Chronyd
    servers = [f"127.0.0.{i}" for i in (2, 3, 4)]
    for i, address in enumerate(servers):
        Chronyd(case, f"server-{i + 1}", address).start()
    plain = watch(case, "plain", servers, "")
    xleave = watch(case, "xleave", servers, " xleave")
    time.sleep(seconds)
    report("Answers with the servers' own stamps", *plain)
    report("Interleaved mode", *xleave)


show(__doc__, play, 600)
