#!/usr/bin/env python3
"""A handler stuck on purpose, a mailbox that fills behind it, an actor that is
killed: as inspector, metrics and log show them."""

import time
import urllib.request

from stage import show


def play(case, seconds):
    from concert import client, local_servers
    from harness import Process, built, wait_until
    from watcher import say
    _, names = local_servers(case, [0, 0, 0])
    daemon = client(case, names, server=[{"listen": "127.0.0.10:11123"}],
                    control={"fault-injection": True})
    daemon.start()
    daemon.wait_synchronized()
    listen = "127.0.0.1:19975"
    Process(case, "exporter", [
        built("ntp-metrics-exporter"), "-c", daemon.config_path, "--listen",
        listen]).start()

    def metrics(*words):
        with urllib.request.urlopen(f"http://{listen}/metrics",
                                    timeout=5) as answer:
            text = answer.read().decode()
        for line in text.splitlines():
            if all(word in line for word in words) and line[0] != "#":
                print("  " + line)

    wait_until(lambda: urllib.request.urlopen(f"http://{listen}/metrics"), 5,
               "the exporter answers")
    say(daemon, "inject", "steering", f"stick {seconds:.0f}s",
        program="ntp-inspect")
    say(daemon, "inject", "steering", "fill 5000", program="ntp-inspect")
    time.sleep(seconds / 2)
    say(daemon, "list", program="ntp-inspect")
    say(daemon, "top", "--count", "1", program="ntp-inspect")
    metrics("ntp_actor", 'steering')
    time.sleep(seconds)
    say(daemon, "list", program="ntp-inspect")
    # A spawner and its source, one after the other.
    say(daemon, "inject", names[0], f"stick {seconds * 0.8:.1f}s",
        program="ntp-inspect")
    time.sleep(seconds * 0.7)
    print("the event loop hangs; the inspector answers all the same:")
    say(daemon, "list", program="ntp-inspect")
    time.sleep(seconds * 1.2)
    say(daemon, "inject", "publisher", "kill", program="ntp-inspect")
    say(daemon, "inject", names[0], "kill", program="ntp-inspect")
    time.sleep(2)
    say(daemon, "list", program="ntp-inspect")
    say(daemon, "show", "publisher", program="ntp-inspect")
    metrics("ntp_actor_restarts")
    say(daemon, "status")
    print("the log:")
    for line in daemon.log().splitlines():
        if any(word in line for word in (
                "inject", "actor-", "mailbox-", "source-died", "watchdog")):
            print("  " + line)


show(__doc__, play, 6)
