#!/usr/bin/env python3
"""A thousand sources at polls of 16 s: CPU, memory, lateness, losses."""

import time

from stage import show

COUNT = 1000
POLL = 4  # log2 s


def play(case, seconds):
    from concert import Daemon, time_server
    from usage import tell, usage
    server = time_server(case, "server", "0.0.0.0:11123").start()
    addresses = [f"127.1.{i // 250}.{i % 250 + 1}:11123" for i in range(COUNT)]
    daemon = Daemon(
        case, "client", clock={"kind": "virtual", "frequency-error": 20e-6},
        source=[{"mode": "server", "address": a, "iburst": False,
                 "poll-interval-limits": {"min": POLL, "max": POLL}}
                for a in addresses],
        observability={"log-level": "info"}).start()
    daemon.wait_synchronized(60)
    time.sleep(3 * 2**POLL)
    before = usage(daemon.pid)
    asked = server.received()
    ages = case.observe_for(seconds, lambda: max(
        source["last_answer_age"] or 1e9
        for source in daemon.observe()["sources"]), 5)
    taken = usage(daemon.pid).since(before)
    polls = server.received() - asked
    document = daemon.observe()
    sources = document["sources"]
    stats = server.observe()["servers"][0]
    # No zero after the first one.
    reached = sum(s["reachability"] & (s["reachability"] + 1) == 0
                  for s in sources)
    unanswered = sum(s["requests"] - s["packets"].get("accepted", 0)
                     for s in sources)
    states = {}
    for source in sources:
        states[source["state"]] = states.get(source["state"], 0) + 1
    print(f"{COUNT} sources, {seconds:.0f} s, {polls} polls"
          f" ({COUNT * seconds / 2**POLL:.0f} expected):")
    tell(taken, seconds)
    print(f"  a poll       {1e3 * taken.cpu_s / max(polls, 1):.3f} ms CPU"
          " for all of it, steering included")
    print(f"  lateness     the oldest answer was {max(ages):.2f} s old"
          f" at a poll of {2**POLL} s")
    print(f"  lost         {unanswered} requests under way or unanswered,"
          f" {stats['queue_overflows']} dropped at the server")
    print(f"  sources      {len(sources)} shown"
          f" (truncated: {document['truncated']}), {reached} with full"
          f" reachability, states {states}")
    print(f"  true error   {1e6 * daemon.true_error():.1f} us")


show(__doc__, play, 120)
