"""NTS, with chronyd and ntpsec's ntpd at either end."""

import json
import os
import signal
import socket
import ssl
import time

import nts
from capture import Capture
from concert import Daemon, fixed_clock
from harness import other_user, wait_until
from hostile import client_context
from middle import Middle
from nts import ENOUGH, Authority, NtsCase

OURS = "127.0.0.2"
KE = f"{OURS}:4460"


class Asking(NtsCase):
    """Ours is the client, of three servers at once."""

    def setUp(self):
        super().setUp()
        self.chronyd = nts.chronyd_server(self, self.authority, "127.0.0.2",
                                          "ntsport 4461")
        self.ours = nts.our_server(self, self.authority, "127.0.0.3",
                                   4461).start()
        self.ntpsec = nts.ntpsec_server(self, self.authority)
        self.places = {"127.0.0.1:4460": Capture(self, "127.0.0.1"),
                       "127.0.0.2:4461": Capture(self, "127.0.0.2"),
                       "127.0.0.3:4461": Capture(self, "127.0.0.3")}
        self.daemon = nts.our_client(self, self.authority,
                                     *self.places).start()
        self.wait_good()
        self.daemon.wait_synchronized()

    def wait_good(self, more=ENOUGH):
        """So many more good answers from each."""
        seen = {place: nts.good_answers(self.daemon, place)
                for place in self.places}
        wait_until(lambda: all(
            nts.good_answers(self.daemon, place) >= seen[place] + more
            for place in self.places), 20, "answers are good")

    def exchanges(self):
        """What the client says, in the order of the places."""
        return [nts.source_keys(self.daemon, place)["exchanges"]
                for place in self.places]

    def check_wire(self):
        for place, capture in self.places.items():
            with self.subTest(place):
                self.check_never_plain(capture)
                # No cookie is used twice.
                used = [nts.cookie_of(packet)
                        for packet in capture.requests()]
                self.assertEqual(len(used), len(set(used)))

    def test_chronyd_ntpsec_and_we_answer_us(self):
        for place, capture in self.places.items():
            with self.subTest(place):
                self.check_protected(capture)
                keys = nts.source_keys(self.daemon, place)
                self.assertEqual(
                    ("AES-SIV-CMAC-256", 1, 0, ""),
                    (keys["aead"], keys["exchanges"], keys["failures"],
                     keys["problem"]))
                self.assertGreaterEqual(keys["cookies"], 7)
                self.assertEqual({"accepted"},
                                 set(self.daemon.source(place)["packets"]))
        self.assertGreaterEqual(nts.chronyd_answers(self.chronyd), ENOUGH)
        self.assertGreaterEqual(nts.answered(self.ours), ENOUGH)
        counters = self.ntpsec.nts_counters()
        self.assertGreaterEqual(counters["server sends"], ENOUGH)
        self.assertEqual((1, 0), (counters["KE serves good"],
                                  counters["server recvs w error"]))
        self.check_wire()
        for daemon, words in ((self.daemon, ["AES-SIV-CMAC-256", *self.places]),
                              (self.ours, ["127.0.0.3:4461", "1 exchanges"])):
            code, out, err = daemon.ctl("nts")
            self.assertEqual((0, ""), (code, err))
            for word in words:
                self.assertIn(word.removesuffix(":4460"), out)
        code, out, err = self.daemon.ctl("-f", "json", "nts")
        self.assertEqual((0, ""), (code, err))
        self.assertEqual(3, len(json.loads(out)["nts_sources"]))

    def test_restarts_lose_no_cookies_and_lost_keys_are_exchanged_anew(self):
        self.daemon.stop()
        self.daemon.start()
        self.wait_good(2)
        self.assertEqual([0, 0, 0], self.exchanges())
        before = self.daemon.source("127.0.0.2:4461")["id"]
        # It keeps its keys in no file.
        self.chronyd.stop()
        self.chronyd.start()
        self.ours.stop()
        self.ours.start()
        wait_until(lambda: self.exchanges() == [0, 1, 0], 15,
                   "keys are exchanged with chronyd, and nobody else")
        self.wait_good(2)
        self.assertEqual([0, 1, 0], self.exchanges())
        self.assertEqual(0, nts.ke_server(self.ours)["accepted"])
        after = self.daemon.source("127.0.0.2:4461")
        self.assertEqual(before, after["id"], "it is the same source")
        self.assertGreaterEqual(after["packets"]["kiss-nts"], 1)
        self.check_wire()


class Answering(NtsCase):
    """Ours is the server."""

    def setUp(self):
        super().setUp()
        self.server = nts.our_server(self, self.authority, OURS).start()
        self.capture = Capture(self, OURS)
        self.chronyd = nts.chronyd_client(self, self.authority, OURS).start()
        self.ntpsec = nts.ntpsec_client(self, self.authority, KE).start()
        self.wait_good(ENOUGH)

    def good(self):
        """What each says of our answers."""
        return (self.chronyd.nts_source(OURS)["valid"],
                self.ntpsec.nts_counters()["client recvs good"])

    def wait_good(self, more):
        before = self.good()
        wait_until(lambda: min(map(int.__sub__, self.good(), before)) >= more,
                   25, "answers are good")

    def naks(self):
        return nts.answered(self.server, "nts-cookie", "kiss-nts")

    def test_chronyd_and_ntpsec_measure_us(self):
        seen = self.chronyd.nts_source(OURS)
        self.assertEqual(("NTS", 15, 0, True),
                         (seen["mode"], seen["aead"], seen["naks"],
                          seen["authenticated"]))
        self.assertGreaterEqual(seen["cookies"], 7)
        self.assertEqual(
            0, self.ntpsec.nts_counters()["client recvs w error"])
        self.assertGreaterEqual(nts.answered(self.server), 2 * ENOUGH)
        self.check_protected(self.capture)
        self.assertEqual(2, nts.ke_server(self.server)["exchanges"])
        self.assertEqual((0, 0), (
            self.naks(), nts.answered(self.server, "nts-forged", "kiss-nts")))

    def test_they_go_on_after_a_restart_and_get_others_for_lost_cookies(self):
        self.server.stop()
        self.server.start()
        self.wait_good(2)
        self.assertEqual((0, 0), (nts.ke_server(self.server)["accepted"],
                                  self.naks()))
        self.check_protected(self.capture)
        self.server.stop()
        self.path("server.keys").unlink()
        self.server.start()
        # ntpsec does not hear NAKs: it comes when it has no cookies left.
        valid = self.good()[0]
        wait_until(lambda: self.good()[0] >= valid + 2, 20,
                   "chronyd has other cookies")
        self.assertGreaterEqual(self.naks(), 1)
        self.assertIn(nts.ke_server(self.server)["exchanges"], (1, 2))


class Ciphers(NtsCase):

    def test_the_longer_keys_and_gcm_siv_are_understood_as_well(self):
        ours = nts.our_server(self, self.authority, "127.0.0.3", 4461).start()
        ntpsec = nts.ntpsec_server(
            self, self.authority, nts.ntpsec_source(
                self.authority, "127.0.0.3:4461", "aead AES_SIV_CMAC_384"))
        wishes = {"127.0.0.1:4460": "AES-SIV-CMAC-512",
                  "127.0.0.3:4461": "AES-128-GCM-SIV"}
        daemon = Daemon(self, "client", clock={"kind": "virtual"}, source=[
            self.authority.source(place, aeads=[aead])
            for place, aead in wishes.items()]).start()
        for place, aead in wishes.items():
            with self.subTest(place):
                wait_until(lambda: nts.good_answers(daemon, place) >= ENOUGH,
                           15, "answers are good")
                self.assertEqual(aead, nts.source_keys(daemon, place)["aead"])
        wait_until(lambda: ntpsec.nts_counters()["client recvs good"]
                   >= ENOUGH, 15, "ntpsec has good answers")
        self.assertIn("aead=16", ntpsec.log())
        self.assertEqual(2, nts.ke_server(ours)["exchanges"])


class Keys(NtsCase):

    def test_cookies_outlast_a_rotation(self):
        # Keys from 50 s ago, so that they are due in 10 s.
        keyset = {"key-storage-path": self.path("server.keys"),
                  "key-rotation-interval": 60}
        nts.our_server(self, self.authority, OURS, keyset=keyset,
                       clock=fixed_clock(-50)).start().stop()
        server = nts.our_server(self, self.authority, OURS, keyset=keyset,
                                name="server-now").start()
        daemon = nts.our_client(self, self.authority, KE).start()
        wait_until(lambda: nts.good_answers(daemon, KE) >= 2, 9,
                   "answers are good before the rotation")
        self.assertEqual(1, server.observe()["keyset"]["keys"])
        wait_until(lambda: server.observe()["keyset"]["keys"] == 2, 12,
                   "there is a new key")
        good = nts.good_answers(daemon, KE)
        wait_until(lambda: nts.good_answers(daemon, KE) >= good + 3, 10,
                   "answers are good after the rotation")
        self.assertEqual(1, nts.source_keys(daemon, KE)["exchanges"])
        self.assertEqual({"accepted"}, set(daemon.source(KE)["packets"]))

    def test_a_damaged_key_file_is_replaced(self):
        path = self.path("server.keys")
        server = nts.our_server(self, self.authority, OURS)
        server.start()
        server.stop()
        whole = path.read_bytes()
        self.assertEqual(0o600, path.stat().st_mode & 0o777)
        for damaged in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]),
                        whole + b"x", bytes(5000)):
            path.write_bytes(damaged)
            server.start()
            self.assertEqual(1, server.observe()["keyset"]["keys"])
            self.assertIn(str(path), server.log())
            server.stop()
            self.assertEqual(len(whole), path.stat().st_size)

    def test_servers_with_one_secret_open_each_others_cookies(self):
        place = ("127.0.0.1", 11123)
        secret = self.path("secret")
        secret.write_text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")
        secret.chmod(0o600)
        # By their clock, a period ends 12 s from now.
        clock = fixed_clock(48 - time.time() % 60)
        keyset = {"cluster-secret-file": secret, "key-rotation-interval": 60}
        first, second = (
            nts.our_server(self, self.authority, address, name=name,
                           ke={"ntp-server": place[0], "ntp-port": place[1]},
                           clock=clock, keyset=keyset).start()
            for name, address in (("first", "127.0.0.2"),
                                  ("second", "127.0.0.3")))
        middle = Middle(self, place, ("127.0.0.2", 123))
        daemon = nts.our_client(self, self.authority, KE).start()
        wait_until(lambda: nts.answered(first) >= 2, 10, "the first answers")
        middle.server = ("127.0.0.3", 123)
        wait_until(lambda: nts.answered(second) >= 2, 10, "the second answers")
        period = second.observe()["keyset"]["newest_since"]
        wait_until(lambda: second.observe()["keyset"]["newest_since"] != period,
                   15, "a new period begins")
        for server in (second, first):
            seen = nts.answered(server)
            wait_until(lambda: nts.answered(server) >= seen + 3, 10,
                       f"{server.name} answers in the new period")
            middle.server = ("127.0.0.2", 123)
        self.assertEqual(1, nts.source_keys(daemon, KE)["exchanges"])
        self.assertEqual({"accepted"}, set(daemon.source(KE)["packets"]))
        self.assertEqual((1, 0), (nts.ke_server(first)["accepted"],
                                  nts.ke_server(second)["accepted"]))


class Certificates(NtsCase):

    def shown(self, name):
        """The certificate that a client gets."""
        with socket.create_connection((OURS, 4460), 5) as plain:
            with client_context().wrap_socket(
                    plain, server_hostname=name) as tls:
                return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))

    def test_clients_get_the_certificate_for_the_name_that_they_want(self):
        other = Authority(self, "b.test", directory="other")
        server = nts.our_server(self, self.authority, OURS, ke={
            "certificates": [{"certificate-chain-path": other.chain,
                              "private-key-path": other.key}]}).start()
        first, second = self.authority.chain, other.chain
        for name, chain in (("localhost", first), ("b.test", second),
                            ("c.test", first), (None, first)):
            with self.subTest(name=name):
                self.assertEqual(chain.read_text(), self.shown(name))
        self.assertEqual(2, len(nts.ke_server(server)["certificates"]))

    def test_a_reload_brings_a_new_certificate_but_none_without_its_key(self):
        server = nts.our_server(self, self.authority, OURS).start()
        old = self.authority.chain.read_text()
        self.assertEqual(old, self.shown("localhost"))
        fresh = Authority(self, "localhost", directory="fresh")
        fresh.chain.replace(self.authority.chain)
        server.signal(signal.SIGHUP)
        wait_until(lambda: nts.ke_server(server)["certificate_problem"], 5,
                   "it is told that the key does not belong to it")
        self.assertEqual(old, self.shown("localhost"))
        fresh.key.replace(self.authority.key)
        server.signal(signal.SIGHUP)
        wait_until(lambda: not nts.ke_server(server)["certificate_problem"], 5,
                   "all is well again")
        self.assertEqual(self.authority.chain.read_text(),
                         self.shown("localhost"))

    def test_a_key_that_its_user_may_not_read_is_told_with_the_remedy(self):
        nobody = other_user("nobody")
        self.directory.chmod(0o777)
        server = nts.our_server(self, self.authority, OURS, synchronization={
            "local-stratum": 1, "user": "nobody"}).start()
        problem = wait_until(
            lambda: nts.ke_server(server)["problem"]
            or nts.ke_server(server)["certificate_problem"], 5, "a problem")
        self.assertIn(str(self.authority.key), problem)
        self.assertIn("chgrp", problem)
        os.chown(self.authority.key, 0, nobody.pw_gid)
        self.authority.key.chmod(0o640)
        server.signal(signal.SIGHUP)
        wait_until(lambda: nts.ke_server(server)["certificates"], 5,
                   "it has a certificate")
        self.assertEqual(self.authority.chain.read_text(),
                         self.shown("localhost"))
        self.assertEqual(nobody.pw_uid,
                         self.path("server.keys").stat().st_uid)
