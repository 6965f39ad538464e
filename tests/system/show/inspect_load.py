#!/usr/bin/env python3
"""The inspector during full server load, and a trace."""

import time

from stage import show


def play(case, seconds):
    from concert import client, local_servers
    from harness import Process, built
    from watcher import say
    _, names = local_servers(case, [0, 0, 0])
    place = "127.0.0.10:11123"
    daemon = client(case, names, server=[{"listen": place}])
    daemon.start()
    daemon.wait_synchronized()
    load = Process(case, "load", [
        built("ntp-load"), "flood", place, "--duration",
        f"{4 * seconds:.0f}s"]).start()
    time.sleep(seconds / 2)
    say(daemon, "top", "--count", "3", "--interval", "1s",
        program="ntp-inspect", lines=80)
    say(daemon, "tree", program="ntp-inspect")
    say(daemon, "show", "steering", program="ntp-inspect")
    say(daemon, "trace", "source", "steering", "--seconds", "2",
        program="ntp-inspect")
    say(daemon, "trace", "server_worker", "--seconds", "1", "--json",
        program="ntp-inspect", lines=5)
    say(daemon, "graph", "--seconds", "3", program="ntp-inspect", lines=60)
    load.end()
    print(load.log())


show(__doc__, play, 8)
