#!/usr/bin/env python3
"""Changes a running daemon in every way, under polls and server load, and
watches what the others notice of it."""

import signal
import time

from stage import show


def play(case, seconds):
    from concert import client, local_servers, time_server
    from harness import Process, built, wait_until
    from watcher import Watcher, say, watch_for
    servers, names = local_servers(case, [0, 0, 0])
    extra = "127.0.0.9:11123"
    time_server(case, "extra", extra).start()
    place = "127.0.0.10:11123"
    daemon = client(case, names, server=[{"listen": place}],
                    clock={"kind": "virtual", "frequency-error": 20e-6})
    daemon.start()
    daemon.wait_synchronized()
    load = Process(case, "load", [
        built("ntp-load"), "meter", place, "--rate", 20000, "--duration",
        f"{10 * seconds:.0f}s", "--quiet"]).start()
    time.sleep(seconds)
    quiet = watch_for(case, daemon, names, seconds)
    watcher = Watcher(case, daemon, names).start()

    say(daemon, "source", "add", "server", extra, "iburst=true",
        "poll-interval-limits={min=0,max=0}")
    wait_until(lambda: daemon.source(extra)["state"] == "selected", 30,
               "the new source is selected")
    say(daemon, "sources")
    say(daemon, "get", "synchronization.minimum-agreeing-sources")
    say(daemon, "set", "synchronization.minimum-agreeing-sources", "2")
    say(daemon, "set", "synchronization.single-step-panic-threshold", "0.25")
    say(daemon, "set", "synchronization.minimum-agreeing-sources", "-2")
    say(daemon, "set", "synchronization.minimum-agreing-sources", "2")
    say(daemon, "source", "modify", extra, "noselect=true")
    time.sleep(3)
    say(daemon, "why", extra)
    say(daemon, "offline", extra)
    time.sleep(2)
    say(daemon, "online", extra)
    say(daemon, "burst", extra)
    say(daemon, "source", "list")
    say(daemon, "diff")
    say(daemon, "source", "remove", extra)
    good = daemon.config_path.read_text()
    daemon.config_path.write_text(
        good.replace("[observability]", "[observability]\ntop-clients = 3"))
    say(daemon, "reload")
    daemon.config_path.write_text(good + "\n[sorce]\naddress = \"a\"\n")
    say(daemon, "reload")
    daemon.signal(signal.SIGHUP)
    time.sleep(1)
    daemon.config_path.write_text(good)
    say(daemon, "reload")
    say(daemon, "persist")
    say(daemon, "diff")
    time.sleep(3)
    watcher.stop()
    received = daemon.received()
    time.sleep(1)
    print(f"meanwhile: {daemon.received() - received} requests a second")
    watcher.tell(quiet)
    print("\nthe log of the changes:")
    for line in daemon.log().splitlines():
        if "config-" in line:
            print("  " + line)
    load.end()


show(__doc__, play, 10)
