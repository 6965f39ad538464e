"""Our server, as other people's clients and attackers meet it."""

import random

from concert import time_server
from harness import Case, wait_until
from packets import ask, fire, request
from peers import Openntpd, chronyd_query, ntpdig


class Serving(Case):

    def test_chronyd_ntpdig_and_openntpd_see_that_we_are_half_a_second_ahead(
            self):
        time_server(self, "server", "127.0.0.1:123", 0.5).start()
        openntpd = Openntpd(self, "openntpd", "server 127.0.0.1\n").start()
        chronyd = chronyd_query(self, "127.0.0.1")
        seen = ntpdig("127.0.0.1")
        self.assertAlmostEqual(0.5, seen["offset"], delta=0.005)
        self.assertEqual((1, "no-leap"), (seen["stratum"], seen["leap"]))
        self.assertAlmostEqual(0.5, chronyd(), delta=50e-6)
        offset = wait_until(lambda: openntpd.offset("127.0.0.1"), 15,
                            "openntpd logs an offset")
        self.assertAlmostEqual(0.5, offset, delta=0.001)

    def test_v3_and_v4_are_answered_over_ipv4_and_ipv6(self):
        for listen in ("127.0.0.1", "::1"):
            place = f"[{listen}]:11123" if ":" in listen else f"{listen}:11123"
            server = time_server(
                self, "server-" + listen.replace(":", "-"), place, -0.25)
            server.start()
            for version in (3, 4):
                with self.subTest(listen=listen, version=version):
                    packet = request(version=version)
                    answer = ask(listen, 11123, packet)
                    self.assertEqual(packet[40:48], answer.origin)
                    self.assertEqual(
                        (0, version, 4, 1, b"TEST"),
                        (answer.leap, answer.version, answer.mode,
                         answer.stratum, answer.reference_id))
                    self.assertAlmostEqual(-0.25, answer.offset, delta=0.002)
                    self.assertLess(answer.root_dispersion, 0.1)
            server.stop()

    def test_an_unsynchronized_server_says_so(self):
        server = time_server(self, "server", "127.0.0.1:11123")
        server.configure(clock={"kind": "virtual"},
                         server=[{"listen": "127.0.0.1:11123"}])
        server.start()
        answer = ask("127.0.0.1", 11123)
        self.assertEqual(3, answer.leap)
        self.assertIn(answer.stratum, (0, 16))

    def test_denied_and_ignored_clients_get_a_kiss_and_nothing(self):
        for action in ("deny", "ignore"):
            server = time_server(self, f"server-{action}", "127.0.0.1:11123")
            server.configure(
                clock={"kind": "virtual"},
                server=[{"listen": "127.0.0.1:11123", "denylist": {
                    "filter": ["127.0.0.1/32"], "action": action}}],
                synchronization={"local-stratum": 1})
            server.start()
            packet = request()
            replies = fire("127.0.0.1", 11123, [packet])
            if action == "ignore":
                self.assertEqual([], replies)
            else:
                reply = replies[0][1]
                self.assertEqual((0, b"DENY", packet[40:48]),
                                 (reply[1], reply[12:16], reply[24:32]))
            server.stop()

    def test_a_client_that_asks_too_often_is_limited(self):
        server = time_server(self, "server", "127.0.0.1:11123")
        server.configure(
            **{"server-workers": 1}, clock={"kind": "virtual"},
            server=[{"listen": "127.0.0.1:11123",
                     "rate-limiting-cache-size": 16,
                     "rate-limiting-cutoff-ms": 1000}],
            synchronization={"local-stratum": 1})
        server.start()
        replies = fire("127.0.0.1", 11123, [request() for _ in range(100)])
        times = [reply for _, reply in replies if reply[1] != 0]
        # A burst of 8, and 1 in 16 of the rest.
        self.assertTrue(8 <= len(times) <= 24, f"{len(times)} answers")
        stats = server.observe()["servers"][0]["stats"]
        self.assertEqual(100 - len(times), stats["rate_limited_packets"])


class Attacks(Case):
    """Whatever comes: silence, or an answer no longer than the request."""

    def setUp(self):
        super().setUp()
        self.server = time_server(self, "server", "127.0.0.1:11123").start()

    def assert_alive(self):
        self.assertTrue(self.server.running())
        self.assertEqual(4, ask("127.0.0.1", 11123).mode)

    def check(self, packets, may_answer, source_port=0):
        """Each reply is to a packet that `may_answer`, and not longer."""
        replies = fire("127.0.0.1", 11123, packets, source_port=source_port)
        for index, reply in replies:
            packet = packets[index]
            self.assertTrue(may_answer(packet),
                            f"{packet.hex()} was answered: {reply.hex()}")
            self.assertLessEqual(len(reply), len(packet))
        self.assert_alive()
        return len(replies)

    def test_only_mode_3_of_versions_3_and_4_is_answered(self):
        packets = [request(mode, version, leap, length)
                   for mode in range(8) for version in range(8)
                   for leap in (0, 3) for length in (48, 68)]
        answered = self.check(
            packets, lambda p: p[0] & 7 == 3 and p[0] >> 3 & 7 in (3, 4))
        self.assertGreaterEqual(answered, 4)

    def test_control_and_private_messages_are_met_with_silence(self):
        rows = [
            b"\x17\x00\x03\x2a",              # monlist
            b"\x27\x00\x03\x2a",              # the same of version 4
            b"\x97\x00\x00\x00",              # a private error answer
            b"\x16\x02\x00\x01",              # read variables
            b"\x16\x0a\x00\x01",              # most recent users
            b"\x16\x0c\x00\x01",              # nonce
            b"\x16\x06\x00\x01",              # set a trap
            b"\xd6\x02\x00\x01",              # an answer to control
            b"\x16\x0a\x00\x10" + bytes(6) + b"\x00\x36nonce, laddr=[]:WOP",
        ]
        packets = [row.ljust(length, b"\0") for row in rows
                   for length in (8, 12, 48, 192, 468)]
        self.assertEqual(0, self.check(packets, lambda p: False))

    def test_every_length_is_survived_and_never_amplified(self):
        packets = [request(length=length) for length in range(1473)]
        packets += [request(length=65507), request(version=3, length=65507)]
        self.check(packets, lambda p: len(p) >= 48)

    def test_noise_after_the_header_is_survived_and_never_amplified(self):
        noise = random.Random(5)
        packets = []
        for _ in range(600):
            length = noise.choice((4, 20, 24, 28, 36, 64, 72, 200, 1000))
            # Fields of known types with lengths that may lie.
            field = noise.choice((0x0104, 0x0204, 0x0304, 0x0404, 0xf504))
            head = field.to_bytes(2, "big") + noise.choice(
                (0, 4, 16, 28, length, 0xfffd, 0xffff)).to_bytes(2, "big")
            tail = (head + noise.randbytes(length))[:length]
            packets.append(request() + tail)
        self.check(packets, lambda p: True)

    def test_a_packet_from_our_own_port_is_not_answered(self):
        replies = fire("127.0.0.1", 11123, [
            request(mode, version) for mode in (0, 1, 2, 4, 5, 6, 7)
            for version in range(8)
        ], source_port=123)
        self.assertEqual([], replies)
        self.assert_alive()
