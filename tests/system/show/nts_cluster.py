#!/usr/bin/env python3
"""Two servers of ours with one secret, and clients (ours and chronyd) that are
moved between them every 10 s, over some changes of the period's key."""

import time

from stage import show

PLACE = ("127.0.0.1", 11123)
SERVERS = ("127.0.0.2", "127.0.0.3")
KE = f"{SERVERS[0]}:4460"
MOVE = 10  # s


def play(case, seconds):
    import nts
    from middle import Middle
    authority = nts.Authority(case, *nts.NAMES)
    secret = case.path("secret")
    secret.write_text("a secret of the cluster, for no more than this\n")
    secret.chmod(0o600)
    servers = [
        nts.our_server(case, authority, address, name=f"server-{address}",
                       ke={"ntp-server": PLACE[0], "ntp-port": PLACE[1]},
                       keyset={"cluster-secret-file": secret,
                               "key-rotation-interval": 60}).start()
        for address in SERVERS]
    middle = Middle(case, PLACE, (SERVERS[0], 123))
    ours = nts.our_client(case, authority, KE).start()
    chronyd = nts.chronyd_client(case, authority, SERVERS[0]).start()
    periods, moves = set(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(MOVE)
        moves += 1
        middle.server = (SERVERS[moves % 2], 123)
        periods |= {s.observe()["keyset"]["newest_since"] for s in servers}
    source, keys = ours.source(KE), nts.source_keys(ours, KE)
    other = chronyd.nts_source(PLACE[0])
    print(f"\n{seconds:.0f} s, {moves} moves, {len(periods)} periods")
    for server in servers:
        print(f"{server.name}: {nts.answered(server)} authentic answers,"
              f" {nts.answered(server, 'nts-cookie', 'kiss-nts')} NAKs,"
              f" {nts.ke_server(server)['exchanges']} key exchanges")
    print(f"our client: {source['requests']} requests,"
          f" {source['packets']} packets; {keys['exchanges']} key exchange\n"
          f"chronyd: {other['sent']} requests,"
          f" {other['valid']} authentic answers, {other['naks']} NAKs\n")


show(__doc__, play, 150)
