"""Our NTS server under attack: key exchange, and packets."""

import contextlib
import os
import socket
import ssl
import struct
import time

import nts
from concert import time_server
from harness import wait_until
from hostile import client_context, exchange, hold
from nts import NtsCase
from nts_wire import (
    AEAD, AUTHENTICATOR, BAD_REQUEST, COOKIE, END, ERROR, FIXED_KEY, KEEP_ALIVE,
    NTS_COOKIE, PLACEHOLDER, PORT, PROTOCOL, SERVER, SIV_256, TOKEN, UNIQUE_ID,
    UNKNOWN, WARNING, field, fields, ke_request, record, u16)
from packets import ask, fire, request

OURS = "127.0.0.2"
KE = (OURS, 4460)
PROTOCOL_4 = record(PROTOCOL, u16(0))
AEAD_15 = record(AEAD, u16(SIV_256))
OVER = record(END)


class KeClients(NtsCase):
    """Clients that ask our server for cookies."""

    def setUp(self):
        super().setUp()
        self.server = nts.our_server(self, self.authority, OURS, ke={
            "rate-limiting-cutoff-ms": 0}).start()

    def seen(self, key):
        return nts.ke_server(self.server)[key]

    def check_serves(self):
        """It gives eight cookies to a client that behaves."""
        self.assertTrue(self.server.running())
        found = exchange(KE, ke_request())
        self.assertEqual([PROTOCOL, AEAD], [kind for kind, _ in found[:2]])
        self.assertEqual(8, [kind for kind, _ in found].count(COOKIE))
        self.assertEqual(1, len({len(body) for kind, body in found
                                 if kind == COOKIE}))

    def test_requests_that_break_the_rules_are_refused(self):
        refused = {
            "empty": OVER,
            "no protocol": AEAD_15 + OVER,
            "no AEAD": PROTOCOL_4 + OVER,
            "two protocols": ke_request(PROTOCOL_4),
            "two AEADs": ke_request(AEAD_15),
            "odd protocol": record(PROTOCOL, b"\0\0\0") + AEAD_15 + OVER,
            "odd AEAD": PROTOCOL_4 + record(AEAD, b"\0\x0f\0") + OVER,
            "protocol list empty": record(PROTOCOL) + AEAD_15 + OVER,
            "AEAD list empty": PROTOCOL_4 + record(AEAD) + OVER,
            "an error": ke_request(record(ERROR, u16(1))),
            "a warning": ke_request(record(WARNING, u16(0))),
            "a cookie": ke_request(record(COOKIE, bytes(100), False)),
            "more after the end": ke_request() + PROTOCOL_4,
            "a huge record": ke_request(record(UNKNOWN, bytes(65535), False)),
            "10,000 tiny records": ke_request(
                *[record(UNKNOWN, critical=False)] * 10_000),
        }
        for name, message in refused.items():
            with self.subTest(name):
                self.assertEqual([(ERROR, u16(BAD_REQUEST)), (END, b"")],
                                 exchange(KE, message))
        unknown = {
            "unknown, critical": ke_request(record(UNKNOWN)),
            "a pool's keys": ke_request(record(FIXED_KEY, bytes(64))),
            "a pool's keys, wrong token": ke_request(
                record(FIXED_KEY, bytes(64)), record(TOKEN, b"guess", False)),
        }
        for name, message in unknown.items():
            with self.subTest(name):
                self.assertEqual([(ERROR, u16(0)), (END, b"")],
                                 exchange(KE, message))
        self.check_serves()
        refusals = self.seen("refusals")
        self.assertEqual(len(refused) + len(unknown), sum(refusals.values()),
                         refusals)

    def test_nothing_in_common_is_told_by_empty_lists(self):
        self.assertEqual(
            [(PROTOCOL, b""), (END, b"")],
            exchange(KE, ke_request(protocol=0x8001)))
        self.assertEqual(
            [(PROTOCOL, u16(0)), (AEAD, b""), (END, b"")],
            exchange(KE, ke_request(aead=99)))
        self.check_serves()

    def test_odd_but_lawful_requests_are_served(self):
        rows = {
            "unknown, not critical": ke_request(record(UNKNOWN, b"x", False)),
            "a stranger's wish to stay": ke_request(
                record(KEEP_ALIVE, critical=False)),
            "an end that says something": PROTOCOL_4 + AEAD_15
            + record(END, b"bye"),
            "a wish for a server": ke_request(record(SERVER, b"a.test", False)),
            "a wish for a port": ke_request(record(PORT, u16(123), False)),
            "many AEADs": PROTOCOL_4 + record(AEAD, u16(*range(500, 900), 15))
            + OVER,
        }
        for name, message in rows.items():
            for piece in (0, 1):
                with self.subTest(name, piece=piece):
                    kinds = [kind for kind, _ in exchange(KE, message,
                                                          piece=piece)]
                    self.assertEqual(8, kinds.count(COOKIE))

    def test_what_is_no_tls_1_3_for_ntske_is_sent_away(self):
        for name, context in {
            "TLS 1.2": client_context(version=ssl.TLSVersion.TLSv1_2),
            "HTTP": client_context(alpn="http/1.1"),
            "no ALPN": client_context(alpn=None),
        }.items():
            with self.subTest(name), self.assertRaises(OSError):
                if exchange(KE, ke_request(), context=context) is None:
                    raise ConnectionError("hung up")
        for name, opening in {
            "an HTTP request": b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
            "nothing but zeros": bytes(20_000),
            "noise": os.urandom(20_000),
            "a ClientHello of 16 MiB": b"\x16\x03\x01\x40\x00\x01\xff\xff\xfc"
            + bytes(30_000),
        }.items():
            with self.subTest(name), contextlib.suppress(OSError):
                with socket.create_connection(KE, 5) as plain:
                    plain.sendall(opening)
                    while plain.recv(4096):
                        pass
        wait_until(lambda: self.seen("connections") == 0, 5,
                   "all connections are over")
        self.check_serves()
        self.assertEqual(7, sum(self.seen("tls_failures").values())
                         + self.seen("timed_out"))

    def test_those_who_hang_up_or_stall_leave_nothing_behind(self):
        descriptors = f"/proc/{self.server.pid}/fd"
        before = len(os.listdir(descriptors))
        context = client_context()
        stalled = []
        for _ in range(20):
            socket.create_connection(KE, 5).close()
            stalled.append(socket.create_connection(KE, 5))
            for message in (b"", ke_request()[:7]):
                plain = socket.create_connection(KE, 5)
                tls = context.wrap_socket(plain)
                tls.sendall(message)
                stalled.append(tls)
            # This one goes by a reset, in the middle.
            plain = socket.create_connection(KE, 5)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            tls = context.wrap_socket(plain)
            tls.sendall(ke_request()[:9])
            tls.close()
        wait_until(lambda: self.seen("connections") == 0, 5,
                   "all connections are over")
        self.check_serves()
        wait_until(lambda: len(os.listdir(descriptors)) <= before + 1, 5,
                   "no descriptor is left")
        self.assertEqual(60, self.seen("timed_out"))
        for connection in stalled:
            connection.close()


class RateLimit(NtsCase):

    def test_an_address_that_comes_too_often_is_turned_away_alone(self):
        server = nts.our_server(self, self.authority, OURS, ke={
            "rate-limiting-cutoff-ms": 1000,
            "rate-limiting-burst": 5}).start()
        served = 0
        for _ in range(20):
            with contextlib.suppress(OSError):
                served += exchange(KE, ke_request()) is not None
        self.assertIn(served, range(5, 9))
        self.assertEqual(20 - served, nts.ke_server(server)["rate_limited"])
        self.assertIsNotNone(
            exchange(KE, ke_request(), source=("127.0.0.9", 0)))


class HalfOpen(NtsCase):

    def test_2000_that_are_held_keep_nobody_else_from_cookies_or_time(self):
        server = nts.our_server(self, self.authority, OURS, observability={
            "log-level": "info"}).start()
        before = nts.resident(server)
        hold(self, KE, 2000)
        longest = 0.0
        for _ in range(10):
            start = time.monotonic()
            wait_until(lambda: exchange(KE, ke_request()), 5, "cookies come",
                       interval=0.01)
            longest = max(longest, time.monotonic() - start)
            self.assertEqual(4, ask(OURS).mode)
        # Each waits at most until those before it have had their time.
        self.assertLess(longest, 5)
        seen = nts.ke_server(server)
        self.assertLessEqual(seen["connections"], 512)
        self.assertGreater(seen["too_many"] + seen["timed_out"], 100)
        self.assertLess(nts.resident(server) - before, 64 << 20)
        self.assertLess(len(server.log().splitlines()), 50,
                        "nobody fills the log from afar")
        wait_until(lambda: nts.ke_server(server)["connections"] == 0, 10,
                   "the held ones are cut off")


def forged(cookie, placeholders=0, tail=b"", nonce=16, text=16):
    """A request with NTS whose authenticator is none."""
    body = u16(nonce, text) + bytes(32)
    return (request() + field(UNIQUE_ID, os.urandom(32))
            + field(NTS_COOKIE, cookie)
            + field(PLACEHOLDER, bytes(len(cookie))) * placeholders
            + field(AUTHENTICATOR, body) + tail)


class Requests(NtsCase):
    """NTP packets with fields of NTS that fit nothing."""

    def cookie(self):
        return next(body for kind, body in exchange(KE, ke_request())
                    if kind == COOKIE)

    def rows(self, cookie):
        """What a server without NTS may take for a plain request, or not."""
        unique = field(UNIQUE_ID, bytes(32))
        zeros = field(AUTHENTICATOR, u16(16, 16) + bytes(32))
        return [
            request() + unique,
            request() + unique + field(NTS_COOKIE, bytes(20)) + zeros,
            request() + unique + field(NTS_COOKIE, bytes(100)) + zeros,
            request() + field(NTS_COOKIE, cookie) + zeros,
            request() + unique + zeros,
            request() + unique + field(NTS_COOKIE, cookie),
            request() + unique + field(NTS_COOKIE, cookie) * 2 + zeros,
            forged(cookie),
            forged(cookie, placeholders=7),
            forged(cookie, placeholders=60),
            forged(cookie, tail=field(0x2005, bytes(24))),
            *(forged(cookie, nonce=n, text=t)
              for n, t in ((0xffff, 0xffff), (0, 0), (0, 32), (15, 16),
                           (17, 16), (12, 16), (16, 0xfffd), (32, 0))),
            forged(bytes(0)), forged(bytes(4)), forged(bytes(1300)),
            request() + struct.pack(">HH", NTS_COOKIE, 0xffff) + bytes(96),
            request() + struct.pack(">HH", AUTHENTICATOR, 4) + bytes(96),
        ]

    def test_none_gets_the_time_as_if_it_were_authentic(self):
        server = nts.our_server(self, self.authority, OURS).start()
        packets = self.rows(self.cookie())
        for index, reply in fire(OURS, 123, packets):
            packet = packets[index]
            self.assertLessEqual(len(reply), len(packet))
            kinds = [kind for kind, _ in fields(reply)]
            self.assertNotIn(AUTHENTICATOR, kinds)
            self.assertNotIn(NTS_COOKIE, kinds)
        self.assertEqual(0, nts.answered(server))
        # An old cookie and a wrong key look alike: both need another exchange.
        for cookie in (self.cookie(), os.urandom(len(self.cookie()))):
            packet = forged(cookie, placeholders=2)
            (_, reply), = fire(OURS, 123, [packet])
            self.assertEqual((0, b"NTSN", packet[40:48]),
                             (reply[1], reply[12:16], reply[24:32]))
            self.assertEqual(fields(packet)[:1], fields(reply))
        self.assertEqual(4, ask(OURS).mode)

    def test_who_must_have_nts_does_not_get_the_time_without(self):
        for action in ("ignore", "deny"):
            with self.subTest(action):
                server = nts.our_server(
                    self, self.authority, OURS, name=f"server-{action}",
                    server=[{"listen": f"{OURS}:123",
                             "require-nts": action}]).start()
                replies = fire(OURS, 123, [request()])
                self.assertEqual(
                    [b"DENY"] if action == "deny" else [],
                    [reply[12:16] for _, reply in replies])
                (_, reply), = fire(OURS, 123, [forged(self.cookie())])
                self.assertEqual(b"NTSN", reply[12:16])
                server.stop()

    def test_a_server_without_nts_survives_them(self):
        server = time_server(self, "plain", f"{OURS}:123").start()
        packets = self.rows(os.urandom(100))
        for index, reply in fire(OURS, 123, packets):
            self.assertLessEqual(len(reply), len(packets[index]))
        self.assertTrue(server.running())
        self.assertEqual(4, ask(OURS).mode)
