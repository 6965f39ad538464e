"""Our daemon and ntp-ctl, as a test sees them."""

import json
import socket
import struct
import subprocess
import time

from harness import Process, built, wait_until


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = (f"{key} = {_value(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value))


def toml(sections):
    """A configuration file. A list of dicts is an array of tables; what is
    neither that nor a dict stands at the top."""
    lines = [f"{key} = {_value(value)}" for key, value in sections.items()
             if not isinstance(value, (dict, list))]
    for name, content in sections.items():
        if isinstance(content, dict):
            tables, header = [content], f"[{name}]"
        elif isinstance(content, list):
            tables, header = content, f"[[{name}]]"
        else:
            continue
        for table in tables:
            lines += ["", header]
            lines += [f"{key} = {_value(item)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"


def fixed_clock(offset=0.0):
    """A virtual clock that keeps its distance from the truth."""
    return {"kind": "virtual", "initial-offset": offset}


def fast_source(address, **more):
    """A source that is asked every second."""
    return {"mode": "server", "address": address,
            "poll-interval-limits": {"min": 0, "max": 0}, **more}


class Daemon(Process):
    """An ntp-daemon. `stop` checks that it ends well, within a second."""

    STOP_LIMIT = 1

    def __init__(self, case, name="daemon", args=(), wrap=(), **sections):
        self.config_path = case.path(f"{name}.toml")
        self.socket_path = case.path(f"{name}.observe")
        self.state_path = case.path(f"{name}.state")
        super().__init__(case, name, [
            *wrap, built("ntp-daemon"), "-c", self.config_path, *args])
        self.configure(**sections)

    def configure(self, **sections):
        """Writes the configuration anew."""
        sections["synchronization"] = {
            "state-file": self.state_path,
            **sections.get("synchronization", {})}
        sections["observability"] = {
            "observation-path": self.socket_path, "log-level": "debug",
            **sections.get("observability", {})}
        self.config_path.write_text(toml(sections))

    def start(self, wait=True):
        super().start()
        if wait:
            wait_until(self._answers, 5, f"{self.name} shows its state")
        return self

    def _answers(self):
        self.case.assertTrue(self.running(),
                             f"{self.name} ended by itself, see its log")
        return self.observe()

    def stop(self):
        code = super().stop()
        self.case.assertEqual(0, code, f"{self.name}'s exit status")
        return code

    def observe(self, timeout=2.0):
        """The observation document."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(self.socket_path))
            with connection.makefile("rb") as stream:
                (length,) = struct.unpack(">Q", stream.read(8).ljust(8, b"\0"))
                text = stream.read(length)
        if length == 0 or len(text) != length:
            raise OSError("the observation document is cut short")
        return json.loads(text)

    def source(self, address):
        """The state of the source with this configured name."""
        for source in self.observe()["sources"]:
            if source["name"] == address:
                return source
        raise KeyError(address)

    def true_error(self):
        """The virtual clock's error against the machine's, s."""
        return self.observe()["clock"]["true_error"]

    def wait_source(self, address, state, timeout):
        return wait_until(
            lambda: self.source(address)["state"] == state, timeout,
            f"{self.name}'s source {address} is {state}")

    def wait_synchronized(self, timeout=20):
        return wait_until(lambda: self.observe()["system"]["synchronized"],
                          timeout, f"{self.name} is synchronized")

    def wait_state(self, state, timeout):
        return wait_until(
            lambda: self.observe()["system"]["state"] == state, timeout,
            f"{self.name} is {state}")

    def received(self, server=0):
        """Packets that one of its servers got so far."""
        stats = self.observe()["servers"][server]["stats"]
        return stats["received_packets"]

    def ctl(self, *words, timeout=10):
        """Runs ntp-ctl on this daemon: (exit status, stdout, stderr)."""
        done = subprocess.run(
            [built("ntp-ctl"), *words, "-c", str(self.config_path)],
            capture_output=True, text=True, timeout=timeout)
        return done.returncode, done.stdout, done.stderr


def time_server(case, name, listen, offset=0.0, **more):
    """A daemon of ours that claims to be right, `offset` from the truth."""
    return Daemon(
        case, name, clock=fixed_clock(offset), server=[{"listen": listen}],
        synchronization={"local-stratum": 1, "reference-id": "TEST"}, **more)


def local_servers(case, offsets, port=11123):
    """Started time servers, one for each offset: (daemons, addresses)."""
    addresses = [f"127.0.0.{i + 1}:{port}" for i in range(len(offsets))]
    servers = [time_server(case, f"server-{i + 1}", address, offset).start()
               for i, (address, offset) in enumerate(zip(addresses, offsets))]
    return servers, addresses


def client(case, addresses, clock=None, name="client", args=(), source=None,
           **more):
    """A daemon that follows these servers by a poll each second. Its clock is
    a virtual one that outlasts it, unless told otherwise."""
    clock = clock or {"kind": "virtual", "path": case.path(f"{name}.clock")}
    return Daemon(
        case, name, args, clock=clock,
        source=[fast_source(a, **(source or {})) for a in addresses], **more)


def started_before(case, daemon, seconds=3):
    """Lets the daemon make its first correction, and ends it: the next start
    is no first one of this boot, so that it slews."""
    daemon.start()
    daemon.wait_synchronized()
    time.sleep(seconds)
    daemon.stop()
