#!/usr/bin/env python3
"""Servers with known truth, measured by us and by chronyd; and our server half
a second ahead, measured by chronyd, ntpdig and openntpd."""

import statistics

from stage import show

TRUTH = {"127.0.0.1:11123": 0.005, "127.0.0.2:11123": -0.020,
         "127.0.0.3:11123": 0.300, "127.0.0.4:123": 0.0}


def us(offset, truth):
    return f"{1e6 * (offset - truth):+8.2f}"


def measure(case, seconds):
    from concert import time_server
    from harness import wait_until
    from peers import Chronyd, chronyd_query
    from test_measuring import observer, samples
    for place, offset in TRUTH.items():
        address, port = place.split(":")
        if port == "123":
            Chronyd(case, "chronyd", address).start()
        else:
            time_server(case, f"server-{address}", place, offset).start()
    daemon = observer(case, TRUTH).start()
    for place in TRUTH:
        samples(daemon, place, 6)
    seen = case.observe_for(
        seconds, lambda: {s["name"]: s["offset"]
                          for s in daemon.observe()["sources"]}, 1)
    print("\nserver            truth ms   ours, error us: median   worst"
          "   chronyd -Q, error us")
    for place, truth in TRUTH.items():
        ours = [offsets[place] for offsets in seen]
        worst = max(ours, key=lambda offset: abs(offset - truth))
        chronyd = chronyd_query(case, *place.split(":"))()
        print(f"{place:16} {1e3 * truth:+9.3f}               "
              f"{us(statistics.median(ours), truth)} {us(worst, truth)}"
              f"   {us(chronyd, truth)}")


def be_measured(case):
    from concert import time_server
    from harness import wait_until
    from peers import Openntpd, chronyd_query, ntpdig
    time_server(case, "half-a-second", "127.0.0.5:123", 0.5).start()
    openntpd = Openntpd(case, "openntpd", "server 127.0.0.5\n").start()
    chronyd = chronyd_query(case, "127.0.0.5")()
    openntpd = wait_until(lambda: openntpd.offset("127.0.0.5"), 15,
                          "openntpd logs an offset")
    print("\nour server, +0.5 s: chronyd", f"{chronyd:+.6f} s, ntpdig",
          f"{ntpdig('127.0.0.5')['offset']:+.6f} s, openntpd",
          f"{openntpd:+.6f} s\n")


def play(case, seconds):
    measure(case, seconds)
    be_measured(case)


show(__doc__, play, 20)
