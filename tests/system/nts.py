"""What tests of NTS share: certificates, and who gives out cookies and uses
them."""

import subprocess

from concert import Daemon, fast_source, fixed_clock
from harness import ROOT, Case, wait_until
from nts_wire import NTS_COOKIE, fields, is_protected
from packets import ask
from peers import Ntpsec, WatchedChronyd

NAMES = ("localhost", *(f"127.0.0.{n}" for n in range(1, 10)))
ENOUGH = 4  # exchanges that show that it works


class Authority:
    """A try-out authority, and the certificate of a server of these names."""

    def __init__(self, case, *names, directory="authority"):
        self.directory = case.path(directory)
        subprocess.run([ROOT / "tools/try-ca", self.directory, *names],
                       check=True, capture_output=True)
        self.root = self.directory / "ca.pem"
        self.chain = self.directory / "server.pem"
        self.key = self.directory / "server-key.pem"

    def ke_server(self, listen, **more):
        """An [[nts-ke-server]] of ours."""
        return {"listen": listen, "certificate-chain-path": self.chain,
                "private-key-path": self.key, **more}

    def source(self, address, **more):
        """A source of ours that is asked every second."""
        return fast_source(address, mode="nts",
                           **{"certificate-authority": self.root, **more})


def chronyd_server(case, authority, address, *lines, name="chronyd-server"):
    """Gives out cookies on port 4460."""
    server = WatchedChronyd(case, name, [
        "local stratum 1", "allow", f"bindaddress {address}",
        f"ntsserverkey {authority.key}", f"ntsservercert {authority.chain}",
        "ntsprocesses 1", *lines]).start()
    wait_until(lambda: ask(address), 5, f"{name} serves")
    return server


def chronyd_answers(server):
    """How many authentic requests it has answered."""
    return int(server.ask("serverstats")["Authenticated NTP packets"])


def chronyd_client(case, authority, address, *options, name="chronyd-client"):
    return WatchedChronyd(case, name, [
        f"server {address} nts minpoll 0 maxpoll 0 {' '.join(options)}",
        f"ntstrustedcerts {authority.root}", "port 0"])


def ntpsec_source(authority, address, *options):
    """It takes an address on loopback only if a port stands with it."""
    return " ".join(["server", address, "nts ca", str(authority.root),
                     "minpoll 0 maxpoll 0", *options])


def ntpsec_server(case, authority, *lines, address=None):
    """Gives out cookies on port 4460 of all addresses."""
    return Ntpsec(case, "ntpsec-server", [
        f"nts enable cert {authority.chain} key {authority.key}"
        f" cookie {case.path('ntpsec.cookies')}", *lines], address).start()


def ntpsec_client(case, authority, server, address=None):
    return Ntpsec(case, "ntpsec-client", [ntpsec_source(authority, server)],
                  address)


def our_server(case, authority, address, ke_port=4460, name="server", ke=None,
               **more):
    """A time server of ours that gives out cookies, for itself if `ke` does not
    say otherwise."""
    return Daemon(case, name, **{
        "clock": fixed_clock(),
        "server": [{"listen": f"{address}:123"}],
        "nts-ke-server": [authority.ke_server(f"{address}:{ke_port}",
                                              **(ke or {}))],
        "keyset": {"key-storage-path": case.path(f"{name}.keys")},
        "synchronization": {"local-stratum": 1}, **more})


def our_client(case, authority, *addresses, name="client", wrap=()):
    """A daemon of ours that follows these servers."""
    return Daemon(
        case, name, wrap=wrap,
        clock={"kind": "virtual", "path": case.path(f"{name}.clock")},
        source=[authority.source(address) for address in addresses])


def source_keys(daemon, name):
    """Keys and cookies of the source with this configured name."""
    for source in daemon.observe()["nts_sources"]:
        if source["name"] == name:
            return source
    raise KeyError(name)


def good_answers(daemon, name):
    """How many answers became measurements; a source is there only once it has
    keys."""
    for source in daemon.observe()["sources"]:
        if source["name"] == name:
            return source["packets"].get("accepted", 0)
    return 0


def answered(daemon, reason="nts", response="answered"):
    """How often our server did that for this reason."""
    return sum(c["packets"]
               for c in daemon.observe()["servers"][0]["counters"]
               if (c["response"], c["reason"]) == (response, reason))


def cookie_of(request):
    return dict(fields(request))[NTS_COOKIE]


def ke_server(daemon, place=0):
    return daemon.observe()["nts_ke_servers"][place]


def resident(daemon):
    """Its memory, octets."""
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


class NtsCase(Case):

    def setUp(self):
        super().setUp()
        self.authority = Authority(self, *NAMES)

    def check_protected(self, capture):
        """All passed with the fields of NTS, and was enough."""
        self.check_never_plain(capture)
        answers = capture.answers()
        self.assertGreaterEqual(len(answers), ENOUGH)
        for packet in answers:
            self.assertTrue(is_protected(packet), packet.hex())

    def check_never_plain(self, capture):
        """All requests passed with the fields of NTS."""
        for packet in capture.requests():
            self.assertTrue(is_protected(packet), packet.hex())
