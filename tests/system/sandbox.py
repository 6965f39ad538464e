"""The namespaces in which everything runs that could do harm."""

import ctypes
import os
import sys

NETWORK = "/proc/self/ns/net"
OUTSIDE = "CONCERT_SYSTEM_TESTS_OUTSIDE"  # the network that we came from
PROGRAMS = ("ntp-daemon", "ntp-ctl", "ntp-load", "ntp-once", "relay")
CAP_SYS_TIME = 25
PR_SET_CHILD_SUBREAPER = 36


def choose_build(directory):
    """Must come before the first import of `harness`."""
    if directory:
        os.environ["CONCERT_BUILD"] = str(directory.resolve())


def capabilities():
    """All sets of this process, by their name in /proc."""
    with open("/proc/self/status") as status:
        return {line.split(":")[0]: int(line.split()[1], 16)
                for line in status if line.startswith("Cap")}


def enter():
    """Starts this program again with a network of its own and no way to the
    machine's clock; the second time, makes sure of both."""
    from harness import built
    for program in PROGRAMS:
        if not os.access(built(program), os.X_OK):
            sys.exit(f"system tests: no {built(program)}: build first")
    if OUTSIDE not in os.environ:
        _start_again()
    if any(mask >> CAP_SYS_TIME & 1 for mask in capabilities().values()):
        sys.exit("system tests: this process may set the clock; refusing")
    if os.environ[OUTSIDE] == os.readlink(NETWORK):
        sys.exit("system tests: not in a network of its own; refusing")
    # What a killed daemon leaves behind becomes our child, and is found.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _start_again():
    unshare = ["unshare", "--net", "--mount"]
    if os.getuid() != 0:
        unshare.append("--map-root-user")
    os.execvpe("unshare", [
        *unshare, "setpriv", "--no-new-privs", "--bounding-set=-sys_time",
        "--inh-caps=-sys_time", "--ambient-caps=-all",
        "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
        sys.executable, *sys.argv,
    ], {**os.environ, OUTSIDE: os.readlink(NETWORK)})
