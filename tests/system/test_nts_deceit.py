"""Our NTS client, and those who would deceive it: servers of key exchange, and
somebody on the way to a good server."""

import itertools
import os
import ssl
import struct

import nts
from capture import Capture
from concert import Daemon, client, fast_source, time_server
from harness import wait_until
from hostile import (
    Server, answers, certificate, hang_up, server_context, wait_for_end)
from middle import Middle
from names import NameServer
from nts import NtsCase
from nts_wire import (
    AEAD, END, ERROR, NTS_COOKIE, PORT, PROTOCOL, SERVER, SIV_256, UNIQUE_ID,
    UNKNOWN, WARNING, field, fields, is_protected, ke_answer, ke_request,
    record, u16)

OURS = "127.0.0.2"
PROTOCOL_4 = record(PROTOCOL, u16(0))
AEAD_15 = record(AEAD, u16(SIV_256))
OVER = record(END)


class KeServers(NtsCase):
    """Our client, and servers that give it no cookies it could use."""

    # A source that has nothing to do with them.
    GOOD = "127.0.0.3:11123"

    def run_client(self, behaviours, **more):
        """A client with a source for each of the servers."""
        time_server(self, "good", self.GOOD).start()
        self.names = {}
        self.servers = {}
        sources = []
        for name, behave in behaviours.items():
            address = ("127.0.0.1", 14000 + len(sources))
            self.names[name] = ":".join(map(str, address))
            if behave:
                self.servers[name] = Server(self, address, behave)
            sources.append(self.authority.source(self.names[name], **more))
        self.daemon = client(self, [self.GOOD])
        self.daemon.configure(
            clock={"kind": "virtual"},
            source=[*sources, fast_source(self.GOOD)],
            synchronization={"minimum-agreeing-sources": 1})
        self.capture = Capture(self, "127.0.0.1")
        return self.daemon.start()

    def keys(self, name):
        return nts.source_keys(self.daemon, self.names[name])

    def check_problems(self, rows, timeout=15):
        """Each server, and what our client says of it."""
        self.run_client({name: behave for name, (behave, _) in rows.items()})
        for name, (_, words) in rows.items():
            with self.subTest(name):
                problem = wait_until(lambda: self.keys(name)["problem"],
                                     timeout, f"a problem with {name}")
                self.assertRegex(problem, words)
                self.assertEqual(0, self.keys(name)["cookies"])
        self.daemon.wait_source(self.GOOD, "selected", 20)
        # Never without NTS, and none asked twice within the first 10 s.
        self.assertEqual([], self.capture.requests())
        for name, server in self.servers.items():
            self.assertIn(server.accepted, (1, 2), name)

    def context(self, **options):
        return server_context(self.authority.chain, self.authority.key,
                              **options)

    def test_servers_that_cannot_be_trusted_are_told_with_the_reason(self):
        good = self.context()
        other = server_context(*certificate(self, self.authority, "127.0.0.9"))
        old = server_context(*certificate(self, self.authority, "127.0.0.1",
                                          days=-1))
        own = server_context(*certificate(self, self.authority, "127.0.0.1",
                                          signed=False))
        tls_1_2 = self.context(version=ssl.TLSVersion.TLSv1_2)

        def handshake_and_silence(connection):
            with good.wrap_socket(connection, server_side=True) as tls:
                wait_for_end(tls)

        self.check_problems({
            "nobody": (None, "refused"),
            "hangs up": (hang_up, "ended|lost"),
            "stalls": (wait_for_end, "too long"),
            "stalls after the handshake": (handshake_and_silence,
                                          "too long"),
            "talks HTTP": (lambda c: c.sendall(b"HTTP/1.1 400 No\r\n\r\n"),
                           "TLS"),
            "another name": (answers(other, ke_answer()),
                             "not in the certificate"),
            "expired": (answers(old, ke_answer()), "expired"),
            "signed by itself": (answers(own, ke_answer()), "unknown issuer"),
            "TLS 1.2": (answers(tls_1_2, ke_answer()), "TLS 1.3"),
            "HTTP by ALPN": (answers(self.context(alpn="h2"), ke_answer()),
                             "ALPN"),
            "no ALPN": (answers(self.context(alpn=None), ke_answer()),
                        "ALPN"),
        })

    def test_servers_that_break_the_rules_give_us_no_cookies(self):
        context = self.context()

        def endless(connection):
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(4096)
                while True:
                    tls.sendall(record(UNKNOWN, bytes(1000), False))

        rows = {
            "error 0": (record(ERROR, u16(0)) + OVER, "refused.*critical"),
            "error 1": (record(ERROR, u16(1)) + OVER, "refused.*bad request"),
            "error 2": (record(ERROR, u16(2)) + OVER, "refused.*internal"),
            "warning": (ke_answer(record(WARNING, u16(7))), "warning"),
            "nothing": (OVER, "missing"),
            "two protocols": (ke_answer(PROTOCOL_4), "twice"),
            "two AEADs": (ke_answer(AEAD_15), "twice"),
            "no protocol in common": (record(PROTOCOL) + OVER, "in common"),
            "no AEAD in common": (PROTOCOL_4 + record(AEAD) + OVER,
                                  "in common"),
            "another protocol": (ke_request(protocol=0x8001), "not offered"),
            "another AEAD": (ke_request(aead=31), "not offered"),
            "unknown, critical": (ke_answer(record(UNKNOWN)), "not known"),
            "no cookies": (ke_answer(cookies=()), "no cookies"),
            "an empty cookie": (ke_answer(cookies=(b"",)), "cookie"),
            "a cookie of 2,048": (ke_answer(cookies=(bytes(2048),)), "cookie"),
            "more after the end": (ke_answer() + OVER, "follows"),
            "huge records": (record(UNKNOWN, bytes(65535), False) * 3,
                             "too long"),
            "cut": (ke_answer()[:-7], "ended before"),
            "no name": (ke_answer(record(SERVER)), "name"),
            "control": (ke_answer(record(SERVER, b"a\n.test")), "name"),
            "zone": (ke_answer(record(SERVER, b"fe80::1%lo")), "name"),
            "long name": (ke_answer(record(SERVER, b"a." * 200)), "length"),
            "port 0": (ke_answer(record(PORT, u16(0))), "port"),
        }
        self.check_problems({
            "endless": (endless, "too long"),
            **{name: (answers(context, message), words)
               for name, (message, words) in rows.items()}})

    def test_odd_but_lawful_answers_are_taken(self):
        context = self.context()
        elsewhere = record(PORT, u16(11999))
        cookies = [u16(n) * 50 for n in range(1000)]
        rows = {
            "one octet at a time": answers(context, ke_answer(elsewhere),
                                           piece=1),
            "an unknown record": answers(context, ke_answer(
                elsewhere, record(UNKNOWN, b"x", False))),
            "1,000 cookies": answers(context, ke_answer(elsewhere,
                                                        cookies=cookies)),
            "one cookie": answers(context, ke_answer(elsewhere,
                                                     cookies=cookies[:1])),
            "no goodbye": answers(context, ke_answer(elsewhere),
                                  goodbye=False),
        }
        capture = Capture(self, "127.0.0.1", 11999)
        self.run_client(rows)
        for name in rows:
            with self.subTest(name):
                wait_until(lambda: self.keys(name)["exchanges"], 10,
                           f"keys from {name}")
                self.assertIn(self.keys(name)["cookies"], range(9))
        wait_until(lambda: len(capture.requests()) >= 2 * len(rows), 10,
                   "requests with their cookies")
        self.daemon.wait_source(self.GOOD, "selected", 20)
        known = {b"c" * 100, *cookies[:8]}
        for packet in capture.requests():
            self.assertTrue(is_protected(packet), packet.hex())
            self.assertIn(nts.cookie_of(packet), known)

    def test_a_machine_without_a_clock_may_take_an_expired_certificate(self):
        old = server_context(*certificate(self, self.authority, "127.0.0.1",
                                          days=-1))
        Server(self, ("127.0.0.1", 14000), answers(old, ke_answer()))
        self.daemon = Daemon(
            self, "client", clock={"kind": "virtual"},
            source=[self.authority.source("127.0.0.1:14000", **{
                "certificate-time-check": "after-first-sync"})]).start()
        wait_until(lambda: nts.source_keys(
            self.daemon, "127.0.0.1:14000")["exchanges"], 10, "keys")

    def test_a_name_to_go_on_with_is_looked_up_as_any_other(self):
        names = NameServer(self, {"time.test": ["127.0.0.4"]})
        context = self.context()
        self.capture = Capture(self, "127.0.0.4", 11999)
        Server(self, ("127.0.0.1", 14000), answers(context, ke_answer(
            record(SERVER, b"time.test"), record(PORT, u16(11999)))))
        Server(self, ("127.0.0.1", 14001), answers(context, ke_answer(
            record(SERVER, b"nowhere.test"))))
        self.names = {"there": "127.0.0.1:14000", "nowhere": "127.0.0.1:14001"}
        self.daemon = nts.our_client(self, self.authority,
                                     *self.names.values(),
                                     wrap=names.wrap).start()
        wait_until(self.capture.requests, 10, "a request where it was sent")
        self.assertEqual("time.test", self.keys("there")["server"])
        problem = wait_until(
            lambda: self.keys("nowhere")["problem"], 10,
            "a problem with the name that does not exist")
        self.assertIn("nowhere.test", problem)


class OnTheWay(NtsCase):
    """Somebody between our client and a good server."""

    PLACE = ("127.0.0.1", 11123)
    NAME = f"{OURS}:4460"

    def setUp(self):
        super().setUp()
        self.middle = Middle(self, self.PLACE, (OURS, 123))
        self.server = nts.our_server(self, self.authority, OURS, ke={
            "ntp-server": self.PLACE[0], "ntp-port": self.PLACE[1]}).start()
        self.daemon = nts.our_client(self, self.authority, OURS).start()
        wait_until(lambda: self.good() >= 2, 15, "answers are good")
        self.source = self.state()["id"]

    def state(self):
        return self.daemon.source(self.NAME)

    def good(self):
        return nts.good_answers(self.daemon, self.NAME)

    def suffer(self, polls=2, **how):
        """Some polls with somebody who does this to packets; then what they
        brought: counts of packets by what became of them."""
        before, sent = self.state()["packets"], len(self.middle.requests)
        for way, change in how.items():
            setattr(self.middle, way, change)
        # One more, so that the last has had its answer.
        wait_until(lambda: len(self.middle.requests) > sent + polls, 20,
                   "the client asks on")
        self.middle.relent()
        after = self.state()["packets"]
        return {key: count - before.get(key, 0)
                for key, count in after.items() if count != before.get(key, 0)}

    def check_unharmed(self, exchanges=1):
        """It is the same source and goes on, with the keys that it had if not
        more exchanges are allowed."""
        good = self.good()
        wait_until(lambda: self.good() >= good + 2, 15,
                   "answers are good afterwards")
        self.assertEqual(self.source, self.state()["id"])
        self.assertLessEqual(
            nts.source_keys(self.daemon, self.NAME)["exchanges"], exchanges)
        self.assertLessEqual(nts.ke_server(self.server)["accepted"], exchanges)
        for packet in self.middle.requests:
            self.assertTrue(is_protected(packet), packet.hex())

    def test_what_is_not_authentic_is_no_answer(self):
        brought = self.suffer(down=lambda packet: [packet[:48]])
        self.assertGreaterEqual(brought["unauthenticated"], 2)
        self.assertLessEqual(brought.get("accepted", 0), 1)
        self.check_unharmed()
        unique = field(UNIQUE_ID, bytes(32))
        additions = itertools.cycle([
            lambda p: p + field(NTS_COOKIE, bytes(100)),
            lambda p: p[:48] + unique + p[48:],
            lambda p: p[:84] + field(NTS_COOKIE, bytes(100)) + p[84:],
            lambda p: p + bytes(65000 - len(p)),
            lambda p: p + u16(0, 4) * 200])
        brought = self.suffer(5, down=lambda packet: [next(additions)(packet)])
        self.assertLessEqual(brought.get("accepted", 0), 1)
        self.check_unharmed()

    def test_what_comes_before_the_true_answer_does_not_displace_it(self):
        brought = self.suffer(down=lambda packet: [
            packet[:48], changed(packet, 40), changed(packet, len(packet) - 1),
            packet])
        self.assertGreaterEqual(brought["unauthenticated"], 6)
        self.assertGreaterEqual(brought["accepted"], 2)
        old_answer = self.middle.answers[0]
        old_request = self.middle.requests[0]
        brought = self.suffer(down=lambda packet: [old_answer, packet, packet],
                              up=lambda packet: [old_request, packet])
        self.assertGreaterEqual(brought["accepted"], 2)
        # It asks for fewer polls and for new keys, and even for the end.
        brought = self.suffer(back=lambda packet: [
            kiss(packet, b"NTSN"), kiss(packet, b"NTSN", b"?" * 32),
            kiss(packet, b"DENY"), kiss(packet, b"RATE")])
        self.assertGreaterEqual(brought["accepted"], 2)
        self.assertEqual(0, self.state()["poll_interval"])
        self.check_unharmed()

    def test_a_flood_of_forged_kisses_alone_brings_one_exchange_at_most(self):
        brought = self.suffer(
            5, up=lambda packet: [],
            back=lambda packet: [kiss(packet, b"NTSN")] * 100)
        self.assertGreaterEqual(brought["kiss-nts"], 1)
        self.check_unharmed(2)


def changed(packet, at):
    """The same with a bit of one octet flipped."""
    spoilt = bytearray(packet)
    spoilt[at] ^= 1
    return bytes(spoilt)


def kiss(packet, code, unique=None):
    """A kiss that quotes the request as far as one can see it."""
    identity = dict(fields(packet))[UNIQUE_ID] if unique is None else unique
    return (struct.pack(">BBbb", 0xe4, 0, 0, -20) + bytes(8) + code + bytes(8)
            + packet[40:48] + os.urandom(8) * 2 + field(UNIQUE_ID, identity))
