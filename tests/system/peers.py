"""Other people's programs as peers. All run here without the permission to set
a clock, and with their option not to, where they have one.
"""

import json
import os
import pwd
import re
import subprocess
import sys
import unittest

from harness import PEERS, Process, peer, wait_until
from packets import ask


class Chronyd(Process):
    """chronyd as a server of the machine's time, on port 123 of an address."""

    def __init__(self, case, name, address, port=123):
        config = case.path(f"{name}.conf")
        config.write_text(
            f"local stratum 1\nallow\nbindaddress {address}\nport {port}\n"
            "cmdport 0\nbindcmdaddress /\n"
            f"pidfile {case.path(name + '.pid')}\n")
        super().__init__(case, name, [
            peer("chronyd"), "-x", "-d", "-u", "root", "-f", config])
        self.address, self.port = address, port

    def start(self):
        super().start()
        wait_until(lambda: ask(self.address, self.port), 5,
                   f"{self.name} answers")
        return self


class WatchedChronyd(Process):
    """A chronyd that chronyc may ask. It serves the machine's time, and
    follows what `lines` name, without setting anything."""

    def __init__(self, case, name, lines):
        # chronyd wants a directory for its socket that is nobody else's.
        self.place = case.path(f"{name}-control")
        self.place.mkdir(mode=0o750)
        config = case.path(f"{name}.conf")
        config.write_text("".join(f"{line}\n" for line in [
            *lines, "cmdport 0", f"bindcmdaddress {self.place}/socket",
            f"pidfile {case.path(name + '.pid')}"]))
        super().__init__(case, name, [
            peer("chronyd"), "-x", "-d", "-u", "root", "-f", config])

    def start(self):
        super().start()
        wait_until(lambda: self.ask("tracking"), 5, f"{self.name} answers")
        return self

    def ask(self, *words):
        """What chronyc reads: values by their names."""
        return dict(re.findall(r"^(\S.*?) *: (.*)$", self._chronyc(*words),
                               re.M))

    def table(self, *words):
        """What chronyc reads: rows of values."""
        return [line.split(",")
                for line in self._chronyc("-c", "-n", *words).splitlines()]

    def _chronyc(self, *words):
        return subprocess.run(
            [peer("chronyc"), "-h", f"{self.place}/socket", *words],
            text=True, capture_output=True, timeout=10).stdout

    def nts_source(self, address):
        """Its dealings with a source: NAKs, cookies, and of the packets those
        that went out, came in, and were good."""
        row = next(r for r in self.table("authdata") if r[0] == address)
        seen = self.ask("-n", "ntpdata", address)
        return {"mode": row[1], "aead": int(row[3]), "attempts": int(row[6]),
                "naks": int(row[7]), "cookies": int(row[8]),
                "authenticated": seen["Authenticated"] == "Yes",
                "sent": int(seen["Total TX"]),
                "valid": int(seen["Total valid RX"])}


def chronyd_query(case, address, port=123, samples=4):
    """The offset that chronyd measures, s: positive = the server is ahead.

    Starts at once; call the result for the value, so that several can run."""
    pidfile = case.path(f"chronyd-query-{address}-{port}.pid")
    query = Process(case, f"chronyd-query-{address}-{port}", [
        peer("chronyd"), "-Q", "-x", "-t", 15, "-f", "/dev/null", "-u", "root",
        "cmdport 0", "bindcmdaddress /", f"pidfile {pidfile}",
        f"server {address} port {port} iburst maxsamples {samples}"])
    query.start()

    def result():
        case.assertEqual(0, query.wait(20), query.log())
        found = re.search(r"System clock wrong by (\S+) seconds", query.log())
        return float(found[1])

    return result


def ntpdig(address):
    """What ntpdig says of the server on port 123 of `address`."""
    done = subprocess.run([peer("ntpdig"), "-j", address], text=True,
                          capture_output=True, timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"ntpdig: {done.stderr}")
    return json.loads(done.stdout.splitlines()[0])


class Ntpsec(Process):
    """ntpsec's ntpd, serving the machine's time as an orphan of stratum 3 if
    `lines` name no source. It takes port 123 of the loopback addresses that are
    on an interface, or of the given one alone."""

    def __init__(self, case, name, lines=(), address=None):
        self.address = address or "127.0.0.1"
        if address:
            # "all" is not meant to be all: it leaves out loopback.
            lines = [*lines, f"restrict {address}", "interface ignore ipv4",
                     "interface ignore ipv6", f"interface listen {address}"]
        config = case.path(f"{name}.conf")
        config.write_text(
            # Not even its limit on how often one client may ask.
            "disable ntp\ndisable monitor\nunrestrict default limited kod\n"
            "restrict 127.0.0.1\ntos orphan 3 orphanwait 1\n"
            "interface ignore wildcard\n"
            + "".join(f"{line}\n" for line in lines))
        super().__init__(case, name, [
            peer("ntpsec-ntpd"), "-n", "-N", "-c", config,
            "-p", case.path(f"{name}.pid")])

    def start(self):
        super().start()
        wait_until(lambda: re.search(r"stratum=([2-9]|1[0-5])\b",
                                     self.ntpq("-c", "rv 0 stratum")), 10,
                   f"{self.name} serves")
        return self

    def ntpq(self, *words):
        """What ntpq reads."""
        python = PEERS / "python3-ntp/usr/lib/python3/dist-packages"
        done = subprocess.run(
            [sys.executable, PEERS / "ntpsec/usr/bin/ntpq", "-n", *words,
             self.address], text=True, capture_output=True, timeout=10,
            env={**os.environ, "PYTHONPATH": str(python)})
        return done.stdout

    def nts_counters(self):
        """ntpq's counters about NTS, by their names."""
        found = re.findall(r"^NTS (\S.*?): +(\d+)$",
                           self.ntpq("-c", "ntsinfo"), re.M)
        return {name: int(value) for name, value in found}


class Openntpd(Process):
    """openntpd's ntpd. Its paths and its user are compiled in, so that it gets
    a view of the files with both."""

    PREPARE = """
set -e
mount -t tmpfs none /var/lib
mkdir -p /var/lib/openntpd/run /var/lib/openntpd/db /var/lib/openntpd/empty
mount --bind "$1" /etc/passwd
shift
exec "$@"
"""

    def __init__(self, case, name, config):
        path = case.path(f"{name}.conf")
        path.write_text(config)
        nobody = pwd.getpwnam("nobody")
        with open("/proc/self/uid_map") as uids:
            if os.getuid() != 0 or int(uids.read().split()[2]) <= nobody.pw_uid:
                raise unittest.SkipTest(
                    "openntpd changes to a user of its own: needs root")
        users = case.path("passwd")
        with open("/etc/passwd") as present:
            users.write_text(
                present.read() + f"ntpd:x:{nobody.pw_uid}:{nobody.pw_gid}"
                "::/var/lib/openntpd/empty:/usr/sbin/nologin\n")
        super().__init__(case, name, [
            "unshare", "-m", "sh", "-c", self.PREPARE, "sh", users,
            peer("openntpd"), "-d", "-v", "-f", path])

    def offset(self, address):
        """The first offset that it measured to `address`, s; None so far."""
        found = re.search(
            rf"reply from {re.escape(address)}: offset (\S+)", self.log())
        return float(found[1]) if found else None
