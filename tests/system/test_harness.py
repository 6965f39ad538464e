"""The tools of these tests."""

import contextlib
import subprocess

import sandbox
from harness import Case, Relay, kill_orphans
from packets import ask, fire, request
from peers import Chronyd


class RelayTest(Case):

    def setUp(self):
        super().setUp()
        Chronyd(self, "chronyd", "127.0.0.1", 11123).start()

    def relay(self, **options):
        return Relay(self, "relay", "127.0.0.1:12123", "127.0.0.1:11123",
                     **options).start()

    def test_an_asymmetric_path_moves_the_offset_by_half_of_it(self):
        relay = self.relay(delay_up="20ms", delay_down="5ms")
        answers = [ask("127.0.0.1", 12123) for _ in range(20)]
        best = min(answers, key=lambda answer: answer.delay)
        self.assertAlmostEqual(0.025, best.delay, delta=0.001)
        self.assertAlmostEqual(0.0075, best.offset, delta=0.0005)
        counts = relay.stop()
        self.assertEqual((20, 20, 40), (counts["requests"], counts["answers"],
                                        counts["forwarded"]))

    def test_losses_are_repeatable_from_the_seed(self):
        lost = []
        for seed in ("1", "1", "2"):
            relay = self.relay(loss="0.3", dup="0.1", seed=seed)
            for _ in range(40):
                with contextlib.suppress(OSError):
                    ask("127.0.0.1", 12123, timeout=0.02)
            lost.append(relay.stop()["lost"])
        self.assertGreater(min(lost), 4)
        self.assertEqual(lost[0], lost[1])

    def test_many_client_ports_are_told_apart(self):
        relay = self.relay()
        packets = [request() for _ in range(1000)]
        replies = fire("127.0.0.1", 12123, packets)
        self.assertEqual(1000, len(replies))
        for index, reply in replies:
            self.assertEqual(packets[index][40:48], reply[24:32])
        relay.stop()

    def test_a_kiss_keeps_the_origin(self):
        self.relay(kiss="RATE")
        packet = request()
        answer = ask("127.0.0.1", 12123, packet)
        self.assertEqual((3, 0, b"RATE", packet[40:48]),
                         (answer.leap, answer.stratum, answer.reference_id,
                          answer.origin))


class GuardTest(Case):

    def test_nothing_here_may_set_the_machines_clock(self):
        for name, mask in sandbox.capabilities().items():
            self.assertEqual(0, mask >> sandbox.CAP_SYS_TIME & 1, name)

    def test_a_process_left_behind_is_found(self):
        # Told by its id: its name is still "sh" until it has become a sleep.
        shell = subprocess.run(
            ["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"],
            check=True, capture_output=True, text=True)
        found = kill_orphans()
        self.assertEqual([shell.stdout.strip()],
                         [orphan.split()[0] for orphan in found])
