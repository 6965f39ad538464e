#!/usr/bin/env python3
"""What the daemon takes of an idle machine: four sources, locked, two minutes.
"""

import time

from stage import show

ADDRESSES = [f"127.0.0.{i}:11123" for i in range(1, 5)]


def play(case, seconds):
    from concert import Daemon, time_server
    from usage import tell, usage
    for address in ADDRESSES:
        time_server(case, f"server-{address}", address).start()
    daemon = Daemon(
        case, "client", clock={"kind": "virtual", "frequency-error": 20e-6},
        source=[{"mode": "server", "address": a} for a in ADDRESSES],
        observability={"log-level": "info"}).start()
    daemon.wait_synchronized(40)
    time.sleep(10)
    before = usage(daemon.pid)
    time.sleep(seconds)
    taken = usage(daemon.pid).since(before)
    polls = [source["poll_interval"] for source in daemon.observe()["sources"]]
    print(f"4 sources with polls of {[2**p for p in polls]} s,"
          f" idle for {seconds:.0f} s:")
    tell(taken, seconds)


show(__doc__, play, 120)
