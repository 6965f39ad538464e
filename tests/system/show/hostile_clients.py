#!/usr/bin/env python3
"""200 hostile clients on each socket and on HTTP: silent, slow, garbage,
oversized, and 10,000 requests a second; meanwhile the daemon steers and
serves, and others are answered."""

import time
import urllib.request

from stage import show

PLACE = "127.0.0.10:11123"
HTTP = "127.0.0.1:19975"


def attacks(daemon):
    """Names and addresses of the sockets, with a request of each."""
    import socket
    host, port = HTTP.split(":")
    return {
        "observe": (socket.AF_UNIX, str(daemon.socket_path), b"\n"),
        "control": (socket.AF_UNIX, str(daemon.socket_path) + ".control",
                    b'{"v":1,"id":1,"request":"hello"}\n'),
        "http": (socket.AF_INET, (host, int(port)),
                 b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
    }


def play(case, seconds):
    from concert import client, local_servers
    from crowd import KINDS, Crowd
    from harness import Process, built, wait_until
    from watcher import Watcher, resident, watch_for
    _, names = local_servers(case, [0, 0, 0])
    daemon = client(case, names, server=[{"listen": PLACE}],
                    observability={"log-level": "info"})
    daemon.start()
    daemon.wait_synchronized()
    exporter = Process(case, "exporter", [
        built("ntp-metrics-exporter"), "-c", daemon.config_path,
        "--listen", HTTP]).start()
    url = f"http://{HTTP}/metrics"
    wait_until(lambda: urllib.request.urlopen(url, timeout=2), 5,
               "the exporter answers")
    Process(case, "load", [
        built("ntp-load"), "meter", PLACE, "--rate", 5000, "--duration",
        "1h", "--quiet"]).start()
    time.sleep(seconds)
    quiet = watch_for(case, daemon, names, seconds)
    print("before:")
    quiet.tell()
    for name, (family, place, request) in attacks(daemon).items():
        for kind in KINDS:
            size = resident(exporter.pid)
            watcher = Watcher(case, daemon, names).start()
            received = daemon.received()
            begin = time.monotonic()
            crowd = Crowd(case, family, place, kind, request).start()
            waits = []
            while time.monotonic() < begin + seconds:
                start = time.monotonic()
                if name == "http":
                    honest = get(url)
                else:
                    honest = daemon.ctl(
                        "get" if name == "control" else "status")[0] == 0
                waits.append((time.monotonic() - start) if honest else None)
                time.sleep(0.2)
            took = time.monotonic() - begin
            tried, sent = crowd.stop()
            now = wait_until(daemon.received, 5, "the daemon shows its state")
            received = (now - received) / (time.monotonic() - begin)
            watcher.stop()
            good = [w for w in waits if w is not None]
            print(f"\n200 {kind} clients at {name}: {sent / took:.0f}"
                  f" messages/s ({tried / took:.0f} tried); others: {len(good)} of {len(waits)} answered"
                  f", slowest {1e3 * max(good, default=0):.0f} ms;"
                  f" {received:.0f} time requests/s served; exporter"
                  f" {size / 2**20:.1f} ->"
                  f" {resident(exporter.pid) / 2**20:.1f} MiB")
            watcher.tell(quiet)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return b"# EOF" in answer.read() or answer.status == 200
    except OSError:
        return False


show(__doc__, play, 6)
