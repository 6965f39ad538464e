"""Another daemon's configuration, as it is migrated and run in a sandbox."""

import re

from concert import Daemon
from harness import ROOT
from nts import our_server

DATA = ROOT / "tests/config/migration/data"
# What the sandbox has not, and what stands there for it.
ADDRESSES = {"192.0.2.1": "127.0.0.1", "2001:db8:7::1": "::1", "eth0": "lo"}
# Of their sources these are played, by servers of ours with NTS. These give out
# keys on a port of their own: a migrated one takes the usual one everywhere.
PLAYED = ("127.0.0.5", "127.0.0.6", "127.0.0.7")
KE_PORT = 4461
PLAIN = ("192.0.2.10", "192.0.2.11", "192.0.2.20", "ntp1.example",
         "ntp.isp.example")
NTS = ("nts1.time.example", "nts2.time.example", "nts3.time.example")


def sources(dialect):
    """The names in the files, and what stands for them."""
    port = f" ntsport {KE_PORT}" if dialect == "chrony" else f":{KE_PORT}"
    return {name: PLAYED[i % len(PLAYED)] for i, name in enumerate(PLAIN)} | {
        name: PLAYED[i] + port for i, name in enumerate(NTS)}


KEYS = {"/etc/chrony/time.key", "/etc/ntpsec/key.pem"}
CHAINS = {"/etc/chrony/time.crt", "/etc/ntpsec/cert-chain.pem"}
ROOTS = {"/etc/ssl/campus-ca.pem", "/etc/ssl/lab.pem"}


def files():
    return sorted(DATA.glob("*.conf"))


def played_servers(case, authority):
    return [our_server(case, authority, address, KE_PORT,
                       name=f"server-{address}").start()
            for address in PLAYED]


class MigratedFile:
    """A copy of `file` that names what is there: certificates of `authority`,
    and addresses and interfaces of the sandbox."""

    def __init__(self, case, file, authority):
        self.case, self.stem = case, file.stem
        self.path = case.path(file.name)
        self.path.write_text(_replaced(file.read_text(), {
            **ADDRESSES, **sources(self.stem.split("-")[0]),
            **dict.fromkeys(KEYS, authority.key),
            **dict.fromkeys(CHAINS, authority.chain),
            **dict.fromkeys(ROOTS, authority.root)}))

    def daemon(self, toml):
        """A daemon that adjusts nothing, with this configuration."""
        daemon = Daemon(self.case, self.stem, ["--no-adjust"])
        daemon.config_path.write_text(toml)
        return daemon

    def move_in(self, daemon):
        """The paths of the machine become some of the sandbox."""
        text = daemon.config_path.read_text()
        text = text.replace("/var/log/concert", str(self.case.path(".")))
        text = text.replace("/var/lib/concert/nts-keys",
                            str(self.case.path(f"{self.stem}.keys")))
        daemon.config_path.write_text(text)
        places = self.case.path(f"{self.stem}.toml.d")
        places.mkdir()
        (places / "sandbox.toml").write_text(
            f'state-file = "{daemon.state_path}"\n'
            f'[observability]\nobservation-path = "{daemon.socket_path}"\n')


def _replaced(text, words):
    """With each word replaced that stands for itself."""
    for old, new in words.items():
        text = re.sub(rf"(?<![\w.:/]){re.escape(old)}(?![\w.:/])", str(new),
                      text)
    return text
