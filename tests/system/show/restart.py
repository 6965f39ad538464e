#!/usr/bin/env python3
"""A restart while locked: the clock's error before and after it, and what it
sends to servers that it has just heard."""

import math
import statistics
import time

from stage import show

WINDOW = 60
QUIET = 10
SERVERS = 3


def world(case):
    """A client of three servers, each behind a jittery path of 4 ms."""
    from concert import client, local_servers
    from harness import Relay
    servers, addresses = local_servers(case, [0.0] * SERVERS)
    paths = [address.replace("11123", "12123") for address in addresses]
    for i, (path, address) in enumerate(zip(paths, addresses)):
        Relay(case, f"path-{i + 1}", path, address, delay_up="2ms",
              delay_down="2ms", jitter="exp:0.2ms", seed=str(i + 1)).start()
    limits = {"poll-interval-limits": {"min": 1, "max": 2}}
    clock = {"kind": "virtual", "path": case.path("client.clock"),
             "initial-offset": 0.05, "frequency-error": 1e-5, "wander": 1e-9,
             "seed": 1}
    return servers, client(case, paths, clock, source=limits)


def figures(when, errors):
    """Prints and returns root mean square and largest error, s."""
    rms = math.sqrt(statistics.fmean(e * e for e in errors))
    worst = max(map(abs, errors))
    print(f"  {when:7} RMS {1e6 * rms:7.1f} us, max {1e6 * worst:7.1f} us, mean"
          f" {1e6 * statistics.fmean(errors):+7.1f} us, deviation"
          f" {1e6 * statistics.pstdev(errors):6.1f} us")
    return rms, worst


def play(case, seconds):
    servers, daemon = world(case)

    def errors(duration):
        return case.observe_for(duration, daemon.true_error, 0.25)

    daemon.start()
    daemon.wait_synchronized()
    time.sleep(seconds)
    print(f"\nrestart after {seconds:.0f} s, {WINDOW} s before and after:")
    before = figures("before", errors(WINDOW))
    heard = [server.received() for server in servers]
    daemon.stop()
    daemon.start()
    seen = errors(QUIET)
    sent = [server.received() - n for server, n in zip(servers, heard)]
    after = figures("after", seen + errors(WINDOW - QUIET))
    print(f"  ratio   RMS {after[0] / before[0]:.2f},"
          f" max {after[1] / before[1]:.2f}")
    print(f"  requests to the servers in the first {QUIET} s: "
          + ", ".join(map(str, sent)) + "\n")


show(__doc__, play, 300)
