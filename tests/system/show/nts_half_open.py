#!/usr/bin/env python3
"""2,000 connections that never finish their key exchange, renewed as often as
they are cut off; meanwhile others want cookies and the time."""

import contextlib
import statistics
import time

from stage import show

HELD = 2000
PAUSE = 0.02  # s, between two tries


def play(case, seconds):
    import nts
    from hostile import exchange, hold
    from nts_wire import ke_request
    from packets import ask
    place = ("127.0.0.2", 4460)
    server = nts.our_server(case, nts.Authority(case, *nts.NAMES),
                            place[0]).start()
    exchange(place, ke_request())
    before = nts.resident(server)
    end = time.monotonic() + seconds
    waits, delays, tries, most, largest, held = [], [], 0, 0, before, []
    while time.monotonic() < end:
        if nts.ke_server(server)["connections"] < HELD // 8:
            for connection in held:
                connection.close()
            held = hold(case, place, HELD)
            most = max(most, nts.ke_server(server)["connections"])
        start = time.monotonic()
        source = (f"127.2.0.{len(waits) % 250 + 1}", 0)
        found = None
        while not found:
            tries += 1
            with contextlib.suppress(OSError):
                found = exchange(place, ke_request(), source)
            time.sleep(PAUSE)
        waits.append(time.monotonic() - start - PAUSE)
        delays.append(ask(place[0]).delay)
        largest = max(largest, nts.resident(server))
    seen = nts.ke_server(server)
    print(f"\n{seconds:.0f} s, {seen['accepted'] + seen['too_many']}"
          f" connections, at most {most} at once; {seen['too_many']} were"
          f" turned away and {seen['timed_out']} cut off")
    print(f"others: {len(waits)} exchanges in {tries} tries, each"
          f" {1e3 * statistics.median(waits):.1f} ms in the median,"
          f" {1e3 * max(waits):.1f} ms at most; the time took"
          f" {1e6 * max(delays):.0f} us at most")
    print(f"memory: {before / 2**20:.1f} MiB before,"
          f" {largest / 2**20:.1f} MiB at most\n")


show(__doc__, play, 20)
