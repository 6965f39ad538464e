#!/usr/bin/env python3
"""NTS with chronyd and ntpsec at either end, a poll each second, for five
minutes with two changes of the cookie keys and a restart of each server (ntpsec
changes its keys at a restart, and asks every 2 s). Then the servers lose their
keys."""

import re
import secrets
import subprocess
import time

from stage import show

ROTATION = 100  # s
AFTERWARDS = 60  # s, with servers that have lost their keys


class Server:
    """`counters` gives answers and key exchanges since the last start."""

    def __init__(self, process, keys, counters, change_keys=None):
        self.process = process
        self._keys = keys
        self._counters = counters
        self._change_keys = change_keys
        self._before = (0, 0)

    def totals(self):
        return tuple(map(sum, zip(self._before, self._counters())))

    def restart(self):
        self._restart(lambda: None)

    def lose_keys(self):
        self._restart(self._keys.unlink)

    def change_keys(self):
        """Where the program does not do so by itself as often as we like."""
        if self._change_keys:
            self._restart(lambda: self._change_keys(self._keys))

    def _restart(self, meanwhile):
        self._before = self.totals()
        self.process.stop()
        meanwhile()
        self.process.start()


class Pairing:
    """`counters` gives requests and good answers."""

    def __init__(self, case, name, address, server, counters):
        from capture import Capture
        self.name, self.server, self.counters = name, server, counters
        self.capture = Capture(case, address)
        self._before = (0,) * 8

    def row(self):
        """Since the last one."""
        from nts_wire import is_protected
        sent, good = self.counters()
        answered, exchanges = self.server.totals()
        requests, answers = self.capture.requests(), self.capture.answers()
        naks = sum(p[1] == 0 and p[12:16] == b"NTSN" for p in answers)
        plain = len(requests) - sum(map(is_protected, requests))
        now = (len(requests), plain, len(answers), naks, answered, sent, good,
               exchanges)
        new = [a - b for a, b in zip(now, self._before)]
        self._before = now
        return new


def ours_as_server(case, authority, address, name):
    import nts
    daemon = nts.our_server(
        case, authority, address, 4461, name, keyset={
            "key-storage-path": case.path(f"{name}.keys"),
            "key-rotation-interval": ROTATION}).start()
    return Server(daemon, case.path(f"{name}.keys"), lambda: (
        nts.answered(daemon), nts.ke_server(daemon)["exchanges"]))


def chronyd_as_server(case, authority, address):
    import nts
    process = nts.chronyd_server(
        case, authority, address, "ntsport 4461", f"ntsrotate {ROTATION}",
        f"ntsdumpdir {case.directory}")
    return Server(process, case.path("ntskeys"), lambda: (
        nts.chronyd_answers(process),
        int(process.ask("serverstats")["NTS-KE connections accepted"])))


def new_ntpsec_key(path):
    """As ntpsec does once a day: a new key before the others."""
    head, _, keys = path.read_text().partition("I:")
    head = re.sub(r"T: \d+", f"T: {int(time.time())}", head)
    path.write_text(f"{head}I: {secrets.randbits(32)}\n"
                    f"K: {secrets.token_hex(32)}\nI:{keys}")


def ntpsec_as_server(case, authority, address):
    import nts
    process = nts.ntpsec_server(case, authority, address=address)

    def counters():
        seen = process.nts_counters()
        return seen["server sends"], seen["KE serves good"]

    return Server(process, case.path("ntpsec.cookies"), counters,
                  new_ntpsec_key)


def our_follower(case, authority, address, name):
    import nts
    daemon = nts.our_client(case, authority, address, name=name).start()

    def counters():
        source = daemon.source(address)
        # A server that has just started may have no time to give and say so
        # (ntpsec by a kiss, INIT): authentic, but no measurement.
        return source["requests"], sum(
            source["packets"].get(what, 0)
            for what in ("accepted", "unsynchronized", "kiss-other"))

    return counters


def chronyd_follower(case, authority, address):
    import nts
    process = nts.chronyd_client(case, authority, address,
                                 "ntsport 4461").start()

    def counters():
        seen = process.nts_source(address)
        return seen["sent"], seen["valid"]

    return counters


def ntpsec_follower(case, authority, address, own):
    import nts
    process = nts.ntpsec_client(case, authority, f"{address}:4461",
                                own).start()

    def counters():
        seen = process.nts_counters()
        return seen["client sends"], seen["client recvs good"]

    return counters


def pairings(case, authority):
    # ntpsec takes its key exchange's port of all addresses: 4460.
    subprocess.run(["ip", "address", "add", "127.0.0.9/8", "dev", "lo"],
                   check=True)
    a, b = (ours_as_server(case, authority, f"127.0.0.{n}", f"server-{n}")
            for n in (2, 3))
    c = chronyd_as_server(case, authority, "127.0.0.4")
    d = ntpsec_as_server(case, authority, "127.0.0.9")
    return [
        Pairing(case, "chronyd asks us", "127.0.0.2", a,
                chronyd_follower(case, authority, "127.0.0.2")),
        Pairing(case, "ntpsec asks us", "127.0.0.3", b,
                ntpsec_follower(case, authority, "127.0.0.3", "127.0.0.1")),
        Pairing(case, "we ask chronyd", "127.0.0.4", c,
                our_follower(case, authority, "127.0.0.4:4461", "client-c")),
        Pairing(case, "we ask ntpsec", "127.0.0.9", d,
                our_follower(case, authority, "127.0.0.9:4460", "client-d")),
    ]


def table(title, pairs):
    from nts_wire import is_protected
    print(f"\n{title}:\n{'':16} {'on the wire':^31} {'server':>8}"
          f" {'client says':^15} {'key ex-':>8} {'longest':>8}")
    print(f"{'':16} {'requests':>8} {'plain':>6} {'answers':>8} {'NAKs':>6}"
          f" {'answered':>8} {'sent':>7} {'good':>7} {'changes':>8}"
          f" {'gap, s':>8}")
    for p in pairs:
        requests, plain, answers, naks, answered, sent, good, n = p.row()
        gap = p.capture.longest_gap(is_protected)
        print(f"{p.name:16} {requests:8} {plain:6} {answers:8} {naks:6}"
              f" {answered:8} {sent:7} {good:7} {n:8} {gap:8.1f}", flush=True)


def play(case, seconds):
    from nts import NAMES, Authority
    pairs = pairings(case, Authority(case, *NAMES))
    start = time.monotonic()
    for at, change in ((1 / 3, "change_keys"), (1 / 2, "restart"),
                       (2 / 3, "change_keys"), (1, None)):
        time.sleep(max(0, start + at * seconds - time.monotonic()))
        for p in pairs:
            if change:
                getattr(p.server, change)()
    table(f"{seconds:.0f} s, keys changed twice, servers restarted once",
          pairs)
    for p in pairs:
        p.server.lose_keys()
    time.sleep(AFTERWARDS)
    table(f"{AFTERWARDS} s more, after the servers have lost their keys",
          pairs)


show(__doc__, play, 300)
