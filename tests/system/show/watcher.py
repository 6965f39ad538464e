"""Watches a daemon while others do things to it."""

import contextlib
import threading
import time


class Watcher:
    """Looks several times a second: which sources of `names` missed a poll, how
    wrong the clock is, how large the daemon, how slow its answers."""

    def __init__(self, case, daemon, names):
        self.daemon, self.names = daemon, names
        self.errors, self.delays, self.sizes = [], [], []
        self.reachability = {name: set() for name in names}
        self.unanswered = dict.fromkeys(names, 0)
        self.failed = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        case.addCleanup(self.stop)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self):
        while not self._ended.wait(0.2):
            begin = time.monotonic()
            try:
                self._look(self.daemon.observe())
            except OSError:
                self.failed += 1
                continue
            self.delays.append(time.monotonic() - begin)
            with contextlib.suppress(OSError):
                self.sizes.append(resident(self.daemon.pid))

    def _look(self, document):
        self.errors.append(abs(document["clock"]["true_error"]))
        for source in document["sources"]:
            name = source["name"]
            if name in self.names:
                self.reachability[name].add(source["reachability"])
                self.unanswered[name] = max(self.unanswered[name],
                                            source["unanswered_polls"])

    def tell(self, before=None):
        """What was seen, beside what another one saw."""
        for name in self.names:
            seen = ", ".join(f"{r:08b}" for r in
                             sorted(self.reachability[name]))
            print(f"  {name}: reachability {seen};"
                  f" at most {self.unanswered[name]} unanswered in a row")
        then = (f" (before: {1e6 * max(before.errors):.1f} us)"
                if before else "")
        print(f"  largest error of the clock {1e6 * max(self.errors):.1f}"
              f" us{then}; slowest status {1e3 * max(self.delays):.0f} ms,"
              f" {self.failed} failed; memory at most"
              f" {max(self.sizes) / 2**20:.1f} MiB")


def watch_for(case, daemon, names, seconds):
    """What is so when nobody does anything."""
    watcher = Watcher(case, daemon, names).start()
    time.sleep(seconds)
    watcher.stop()
    return watcher


def resident(pid):
    """Memory of a process, octets."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def say(daemon, *words, program="ntp-ctl", lines=40, timeout=20):
    """Runs a program on the daemon and prints it as a transcript."""
    import subprocess
    from harness import built
    done = subprocess.run(
        [built(program), *map(str, words), "-c", str(daemon.config_path)],
        capture_output=True, text=True, timeout=timeout)
    said = (done.stdout + done.stderr).splitlines()
    print(f"$ {program} {' '.join(map(str, words))}")
    print("\n".join(said[:lines]))
    if len(said) > lines:
        print(f"[{len(said) - lines} more lines]")
    print(f"[exit {done.returncode}]\n" if done.returncode else "")
    return done
