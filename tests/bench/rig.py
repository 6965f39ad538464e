"""What the benchmarks of the server stand on: servers in namespaces, and what
they cost.

All runs without the permission to set a clock, on the loopback interface and on
a veth pair between two network namespaces that end with the benchmark.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from clock_guard import ClockGuard
from concert import Daemon
from harness import BUILD, Process, built, peer, wait_until
from nts import Authority
from packets import ask

SERVER_SPACE = "concert-bench"  # the namespace at the far end of the pair
NEAR, FAR = "10.255.0.1", "10.255.0.2"
FAR_CLIENTS = "10.128.0.0/9"    # 8 million addresses at our end
CLIENTS = 2000                  # in most measurements
CACHE_SIZE = 65536              # clients of the rate limit, where it is on


class Link:
    """A way from the generator to the servers."""

    def __init__(self, name, title, address, wrap, clients):
        self.name, self.title, self.address = name, title, address
        self.wrap, self.clients = wrap, clients


LINKS = [
    Link("loopback", "loopback interface", "127.0.0.1", [], "127.0.0.0/8"),
    Link("veth", "veth pair between two network namespaces", FAR,
         ["ip", "netns", "exec", SERVER_SPACE], FAR_CLIENTS),
]


def cores():
    """The core of the server, and that of the generator."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("bench: needs two cores, one for the generator")
    return usable[0], usable[1]


def run(*words):
    subprocess.run([str(word) for word in words], check=True)


class Stage:
    """The place of all processes of a benchmark; a context manager."""

    def __enter__(self):
        self.processes = []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="concert-"))
        self.guard = ClockGuard()
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.end()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.guard.check()

    # What Process and Daemon ask of a test case.

    def path(self, name):
        return self.directory / name

    def assertTrue(self, value, text=""):
        if not value:
            raise SystemExit(f"bench: {text}")

    def assertEqual(self, wanted, value, text=""):
        self.assertTrue(wanted == value, f"{text}: {value}")

    def make_pair(self):
        """The veth pair. `ip netns` keeps names in /run, which is ours alone
        in this mount namespace."""
        run("mount", "-t", "tmpfs", "none", "/run")
        run("ip", "netns", "add", SERVER_SPACE)
        run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far",
            "netns", SERVER_SPACE)
        run("ip", "addr", "add", f"{NEAR}/30", "dev", "near")
        run("ip", "link", "set", "near", "up")
        run("ip", "route", "add", "local", FAR_CLIENTS, "dev", "lo")
        inside = ["ip", "-n", SERVER_SPACE]
        run(*inside, "addr", "add", f"{FAR}/30", "dev", "far")
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "far", "up")
        run(*inside, "route", "add", FAR_CLIENTS, "via", NEAR)


# -- servers ------------------------------------------------------------------

def pinned(link, cpus):
    return [*link.wrap, "taskset", "-c", ",".join(map(str, cpus))]


def prefixes(count):
    """Ranges that none of the clients is in, of several lengths."""
    lengths = (24, 25, 26, 28, 30, 32)
    return [f"{20 + i // 65536}.{i // 256 % 256}.{i % 256}.0/"
            f"{lengths[i % len(lengths)]}" for i in range(count)]


def our_sections(address, port, workers=1, limits=False, nts=None, **server):
    """A configuration that serves the machine's own time; `nts` is an authority
    and the port of the key exchange."""
    if limits:
        server |= {
            "denylist": {"filter": prefixes(100_000), "action": "ignore"},
            "rate-limiting-cache-size": CACHE_SIZE,
            "rate-limiting-cutoff-ms": 1}
    more = {}
    if nts:
        authority, ke_port = nts
        more["nts-ke-server"] = [{
            "listen": f"{address}:{ke_port}", "ntp-port": port,
            "certificate-chain-path": authority.chain,
            "private-key-path": authority.key,
            "rate-limiting-cutoff-ms": 0}]
    return {
        **more,
        "server-workers": workers, "pin-workers": True,
        "clock": {"kind": "read-only"},
        "server": [{"listen": f"{address}:{port}", **server}],
        "synchronization": {"local-stratum": 1},
        "observability": {"log-level": "info"}}


def ours(stage, name, link, port, cpus, **more):
    # The observation document is not asked for while something is measured.
    daemon = Daemon(stage, name, wrap=pinned(link, cpus),
                    **our_sections(link.address, port, **more))
    return daemon.start()


def chronyd(stage, name, link, port, cpus, *lines):
    config = stage.path(f"{name}.conf")
    config.write_text("\n".join([
        "local stratum 1", "allow", f"bindaddress {link.address}",
        f"port {port}", "cmdport 0", "bindcmdaddress /",
        f"pidfile {stage.path(name + '.pid')}", *lines, ""]))
    return Process(stage, name, [
        *pinned(link, cpus), peer("chronyd"), "-x", "-d", "-u", "root", "-f",
        config]).start()


def floor(stage, name, link, port, cpus):
    return Process(stage, name, [
        *pinned(link, cpus), built("floor"), f"{link.address}:{port}"]).start()


def wait_answer(process, address, port):
    wait_until(lambda: ask(address, port), 10, f"{process.name} answers")


# -- cost ---------------------------------------------------------------------

def process_cpu(pid):
    """Time that all threads of a process and its children have run, s, by
    thread."""
    times = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            times[task.name] = int(
                (task / "schedstat").read_text().split()[0]) * 1e-9
            children = (task / "children").read_text().split()
        except OSError:
            continue  # a thread that has just ended
        for child in children:
            times |= process_cpu(child)
    return times


def machine_cpu():
    """Time that all cores were busy, interrupts included, s."""
    with open("/proc/stat") as stat:
        values = list(map(int, stat.readline().split()[1:8]))
    user, nice, system, _idle, _wait, hard, soft = values
    return (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")


def datagrams_sent(pid):
    """UDP datagrams that left the network namespace of a process."""
    lines = [line.split() for line in pathlib.Path(
        f"/proc/{pid}/net/snmp").read_text().splitlines()
        if line.startswith("Udp:")]
    return int(dict(zip(*lines))["OutDatagrams"])


class Cost:
    """What a process and the machine spend inside a `with`."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self._before = process_cpu(self.pid)
        self._machine = machine_cpu()
        self._start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._start
        self.machine = machine_cpu() - self._machine
        after = process_cpu(self.pid)
        self.threads = sorted((t - self._before.get(name, 0)
                               for name, t in after.items()), reverse=True)
        self.cpu = sum(self.threads)


def load(*words):
    """The report of ntp-load; its exit status 1 is an answer too."""
    done = subprocess.run(
        [built("ntp-load"), *map(str, words), "--json", "--quiet"],
        capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"bench: {done.stderr}")
    return json.loads(done.stdout)


def from_clients(link, count=CLIENTS):
    return ["--clients", count, "--client-prefix", link.clients]


# -- the machine --------------------------------------------------------------

def _first_line(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if lines else "unknown"


def machine():
    """What the figures depend on, for people: name and value."""
    model = "unknown"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
        info.seek(0)
        virtual = ", virtual machine" if " hypervisor" in info.read() else ""
    build_type = "unknown"
    cache = BUILD / "CMakeCache.txt"
    if cache.exists():
        for line in cache.read_text().splitlines():
            if line.startswith("CMAKE_BUILD_TYPE:"):
                build_type = line.split("=", 1)[1]
    return {
        "processor": f"{model}, {os.cpu_count()} cores{virtual}",
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "Concert": f"{_first_line(built('ntp-daemon'), '--version')}, "
                   f"{build_type}",
        "chrony": re.search(r"version (\S+)", _first_line(
            peer("chronyd"), "--version"))[1],
        "compiler": _first_line("g++", "--version")}


# -- figures ------------------------------------------------------------------

def quantile(values, q):
    """By linear interpolation; None of nothing."""
    values = sorted(value for value in values if value is not None)
    if not values:
        return None
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def summary(values):
    """Median and quartiles."""
    return {"median": quantile(values, 0.5), "q1": quantile(values, 0.25),
            "q3": quantile(values, 0.75), "values": values}
