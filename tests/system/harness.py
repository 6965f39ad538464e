"""What every system test stands on: a directory, processes that end with the
test, waiting for something to become true, and a guard of the machine's clock.
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from clock_guard import ClockGuard

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CONCERT_BUILD", ROOT / "build/dev"))
PEERS = pathlib.Path(os.environ.get("CONCERT_PEERS", ROOT / "build/peers"))


def built(name):
    """The path of a program of ours."""
    return str(BUILD / "bin" / name)


def peer(name):
    """The path of somebody else's program; the test is skipped without it."""
    path = PEERS / "bin" / name
    if not path.exists():
        raise unittest.SkipTest(f"no {name}: tools/peers has not been run")
    return str(path)


def other_user(name):
    """For programs that become another user. The test is skipped where none may
    do so."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise unittest.SkipTest(f"no user {name}") from None
    with open("/proc/self/uid_map", encoding="ascii") as uids:
        if int(uids.read().split()[2]) <= found.pw_uid:
            raise unittest.SkipTest("changing the user needs root")
    return found


def wait_until(predicate, timeout, what, interval=0.05):
    """The first true value of `predicate`; fails after `timeout` seconds.

    Errors of a program that is not there yet count as "not yet"."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            last = predicate()
            if last:
                return last
        except (OSError, KeyError, IndexError) as error:
            last = repr(error)
        if time.monotonic() > end:
            raise AssertionError(
                f"not within {timeout} s: {what}; last seen: {last}")
        time.sleep(interval)


def _children():
    """The processes whose parent we are: id and name."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = entry.read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid():
            pid, _, name = head.partition(" (")
            yield int(pid), name


def kill_orphans():
    """Ends, by id, all children that are left, and names them."""
    orphans = []
    for pid, name in list(_children()):
        # Ended ones only wait to be collected.
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            orphans.append(f"{pid} {name}")
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return orphans


class Process:
    """A program that runs beside the test, its output in a log file."""

    STOP_LIMIT = 5

    def __init__(self, case, name, argv, **options):
        self.case = case
        self.name = name
        self.argv = [str(word) for word in argv]
        self.options = options
        self.log_path = case.path(f"{name}.log")
        self.popen = None
        self._log_start = 0
        case.processes.append(self)

    def start(self):
        with open(self.log_path, "ab") as log:
            self._log_start = log.tell()
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.case.directory, **self.options)
        return self

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def log(self):
        """What it said since it was last started."""
        return self.log_path.read_bytes()[self._log_start:].decode(
            errors="replace")

    def wait_log(self, text, timeout=5):
        wait_until(lambda: text in self.log(), timeout,
                   f"{self.name} says {text!r}")

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout):
        """The exit status."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} did not end within {timeout} s") from None

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait(self.STOP_LIMIT)

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait(self.STOP_LIMIT)

    def end(self):
        """For cleaning up: whatever state it is in."""
        if not self.running():
            return
        self.popen.send_signal(signal.SIGCONT)
        self.popen.terminate()
        try:
            self.popen.wait(2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Relay(Process):
    """A path with delay, loss and worse (relay.cpp)."""

    def __init__(self, case, name, listen, server, **options):
        words = [word for key, value in options.items()
                 for word in ("--" + key.replace("_", "-"), value)]
        super().__init__(case, name, [
            built("relay"), "--listen", listen, "--server", server, *words])

    def start(self):
        super().start()
        self.wait_log("ready")
        return self

    def stop(self):
        """What it did, by name."""
        self.case.assertEqual(0, super().stop(), f"{self.name} failed")
        pairs = self.log().splitlines()[-1].split()
        return {key: float(value)
                for key, value in (pair.split("=") for pair in pairs)}


class Case(unittest.TestCase):
    """A test with a directory and processes of its own."""

    maxDiff = None

    def setUp(self):
        self.processes = []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="concert-"))
        self.directory.chmod(0o755)
        guard = ClockGuard()
        # Cleanups run in reverse order: the guard has the last word.
        self.addCleanup(guard.check)
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self._end_processes)

    def _end_processes(self):
        for process in reversed(self.processes):
            process.end()
        # A daemon's helper process may need a moment to notice its end.
        time.sleep(0.1)
        orphans = kill_orphans()
        self.assertEqual([], orphans, "processes were left behind")

    def path(self, name):
        return self.directory / name

    def logs(self):
        """The logs of all programs of the test, for a failure's report."""
        return "\n".join(
            f"--- {process.name}: {' '.join(process.argv)}\n"
            + process.log_path.read_text(errors="replace")
            for process in self.processes if process.log_path.exists())

    def observe_for(self, seconds, measure, interval=0.2):
        """The values of `measure` over some time."""
        values = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            values.append(measure())
            time.sleep(interval)
        return values
