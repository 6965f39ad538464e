#!/usr/bin/env python3
"""A slew of 100 ms that is killed, and one that is stopped for a minute: what
becomes of the clock."""

import signal
import time

from stage import show

OFFSET = 0.1


def slewing(case, name, addresses, state):
    """A restarted client with its clock 100 ms fast, and this clock."""
    from concert import client
    clock = {"kind": "virtual", "initial-offset": OFFSET,
             "path": case.path(f"{name}.clock")}
    slewer = client(case, addresses, clock, name=name)
    slewer.state_path.write_bytes(state)
    slewer.start()
    slewer.wait_synchronized()
    time.sleep(10)
    return slewer, clock


def watch(reader, seconds):
    """Prints the error now and then; returns the first and the last."""
    begin = time.monotonic()
    first = last = reader.true_error()
    while (age := time.monotonic() - begin) < seconds:
        print(f"  {age:6.1f} s  {1e3 * last:+9.3f} ms")
        time.sleep(min(10, seconds))
        last = reader.true_error()
    print(f"  {age:6.1f} s  {1e3 * last:+9.3f} ms")
    return first, last


def play(case, seconds):
    from concert import Daemon, client, local_servers, started_before
    _, addresses = local_servers(case, [0.0, 0.0, 0.0])
    earlier = client(case, addresses, name="earlier")
    started_before(case, earlier)
    state = earlier.state_path.read_bytes()

    slewer, clock = slewing(case, "killed", addresses, state)
    before = slewer.true_error()
    slewer.kill()
    print(f"\nSIGKILL 10 s into the slew, at {1e3 * before:+.3f} ms; after it:")
    time.sleep(5)
    first, last = watch(Daemon(case, "reader", clock=clock).start(), 20)
    print(f"  the kill cost {1e6 * (first - before):+.1f} us,"
          f" the 20 s after it {1e6 * (last - first):+.1f} us")

    slewer, _ = slewing(case, "stopped", addresses, state)
    before = slewer.true_error()
    slewer.signal(signal.SIGSTOP)
    time.sleep(seconds)
    slewer.signal(signal.SIGCONT)
    after = slewer.true_error()
    print(f"\nSIGSTOP for {seconds:.0f} s, 10 s into the slew, from"
          f" {1e3 * before:+.3f} to {1e3 * after:+.3f} ms; after SIGCONT:")
    watch(slewer, 120)


show(__doc__, play, 60)
