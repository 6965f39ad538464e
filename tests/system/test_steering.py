"""The clock: locked, left alone, betrayed, interrupted and restarted."""

import signal
import time

from concert import client, fixed_clock, Daemon, local_servers, started_before
from harness import Case


class Locking(Case):

    def test_a_clock_wrong_by_a_quarter_second_and_40_ppm_locks_past_a_liar(
            self):
        _, addresses = local_servers(self, [0.0, 0.0, 0.3])
        daemon = client(self, addresses, {
            "kind": "virtual", "initial-offset": 0.25,
            "frequency-error": 40e-6, "wander": 1e-9, "seed": 3}).start()
        daemon.wait_synchronized(20)
        daemon.wait_source(addresses[2], "falseticker", 5)
        for status in self.observe_for(10, daemon.observe):
            error = abs(status["clock"]["true_error"])
            self.assertLess(error, 0.001)
            self.assertLess(error, status["system"]["max_error"],
                            "the bound is honest")
        states = {s["name"]: s["state"] for s in status["sources"]}
        self.assertEqual("falseticker", states[addresses[2]])
        self.assertIn("selected", (states[addresses[0]], states[addresses[1]]))
        self.assertEqual("synchronized", status["system"]["state"])

    def test_two_that_disagree_are_both_not_followed(self):
        _, addresses = local_servers(self, [0.0, 0.3])
        daemon = client(self, addresses).start()
        time.sleep(12)
        status = daemon.observe()
        self.assertFalse(status["system"]["synchronized"])
        self.assertNotEqual("", status["system"]["state_reason"])
        self.assertEqual(0, status["system"]["steps_total"])
        self.assertLess(abs(status["clock"]["true_error"]), 0.001)

    def test_an_offset_beyond_the_panic_threshold_is_not_stepped(self):
        _, addresses = local_servers(self, [5.0, 5.0, 5.0])
        daemon = client(self, addresses, synchronization={
            "startup-step-panic-threshold": 1.0,
            "single-step-panic-threshold": 1.0}).start()
        daemon.wait_state("panic", 20)
        status = daemon.observe()
        self.assertEqual("Unsynchronized", status["system"]["leap_indicator"])
        self.assertLess(abs(status["clock"]["true_error"]), 0.001)

    def test_on_panic_exit_ends_with_70(self):
        _, addresses = local_servers(self, [5.0, 5.0, 5.0])
        daemon = client(self, addresses, synchronization={
            "startup-step-panic-threshold": 1.0, "on-panic": "exit"})
        daemon.start(wait=False)
        self.assertEqual(70, daemon.wait(20))


class LostServers(Case):

    def test_lost_servers_are_unreachable_then_holdover_and_they_return(self):
        servers, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses, {
            "kind": "virtual", "frequency-error": 20e-6}).start()
        daemon.wait_synchronized()
        servers[0].kill()
        daemon.wait_source(addresses[0], "unreachable", 15)
        self.assertEqual("synchronized", daemon.observe()["system"]["state"])
        servers[1].kill()
        servers[2].kill()
        daemon.wait_state("holdover", 25)
        bounds = []
        for _ in range(5):
            status = daemon.observe()
            bounds.append(status["system"]["max_error"])
            self.assertLess(abs(status["clock"]["true_error"]), bounds[-1])
            time.sleep(1)
        self.assertEqual(sorted(bounds), bounds, "the bound only grows")
        self.assertLess(bounds[0], bounds[-1])
        for server in servers:
            server.start()
        daemon.wait_state("synchronized", 30)
        self.assertLess(abs(daemon.true_error()), 0.001)

    def test_a_server_that_becomes_unsynchronized_is_unusable(self):
        servers, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses).start()
        daemon.wait_synchronized()
        servers[0].stop()
        servers[0].configure(clock=fixed_clock(),
                             server=[{"listen": addresses[0]}])
        servers[0].start()
        daemon.wait_source(addresses[0], "unusable", 15)
        self.assertTrue(daemon.observe()["system"]["synchronized"])

    def test_a_server_that_steps_is_left_and_the_clock_stays(self):
        servers, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses).start()
        daemon.wait_synchronized()
        servers[2].stop()
        servers[2].configure(
            clock=fixed_clock(-0.2), server=[{"listen": addresses[2]}],
            synchronization={"local-stratum": 1})
        servers[2].start()
        daemon.wait_source(addresses[2], "falseticker", 20)
        errors = self.observe_for(3, daemon.true_error)
        self.assertLess(max(map(abs, errors)), 0.001)


class Interrupted(Case):
    """A slew that nobody ends must not run on: 1 ms is the most it may cost.
    The clock outlives the daemon; a later one without sources, which changes
    nothing, tells its error."""

    def slewing(self, offset):
        """A client in the first seconds of a slew by `offset`."""
        _, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses, name="earlier")
        started_before(self, daemon)
        clock = {"kind": "virtual", "initial-offset": offset,
                 "path": self.path("clock")}
        slewer = client(self, addresses, clock, name="slewer")
        slewer.state_path.write_bytes(daemon.state_path.read_bytes())
        slewer.start()
        slewer.wait_synchronized()
        time.sleep(3)
        self.assertEqual(0, slewer.observe()["system"]["steps_total"],
                         "a restart is no boot: it must slew")
        return slewer, clock

    def test_killed_in_a_slew_the_clock_does_not_run_away(self):
        slewer, clock = self.slewing(0.1)
        before = slewer.true_error()
        time.sleep(5)
        at_kill = slewer.true_error()
        self.assertLess(at_kill, before - 0.002, "it slews")
        slewer.kill()
        time.sleep(5)
        reader = Daemon(self, "reader", clock=clock).start()
        after = self.observe_for(2, reader.true_error)
        for error in after:
            # The daemon may have slewed between our reading and its end.
            self.assertAlmostEqual(at_kill, error, delta=0.001)

    def test_stopped_in_a_slew_the_clock_does_not_pass_the_goal(self):
        slewer, _ = self.slewing(0.012)
        self.assertGreater(slewer.true_error(), 0.001, "the slew is on")
        slewer.signal(signal.SIGSTOP)
        # Well beyond its end, at 1000 ppm.
        time.sleep(16)
        slewer.signal(signal.SIGCONT)
        self.assertGreater(slewer.true_error(), -0.001)
        time.sleep(6)
        self.assertLess(abs(slewer.true_error()), 0.001)

    def test_ended_in_a_slew_the_clock_keeps_its_true_frequency(self):
        slewer, clock = self.slewing(0.1)
        slewer.stop()
        reader = Daemon(self, "reader", clock=clock).start()
        errors = self.observe_for(3, reader.true_error, 1)
        self.assertAlmostEqual(errors[0], errors[-1], delta=100e-6)


class Restart(Case):

    def test_restarted_while_locked_it_stays_right_and_bothers_nobody(self):
        servers, addresses = local_servers(self, [0.0, 0.0, 0.0])
        daemon = client(self, addresses, {
            "kind": "virtual", "path": self.path("clock"),
            "frequency-error": 30e-6, "wander": 1e-9},
            source={"poll-interval-limits": {"min": 4, "max": 4}})
        daemon.start()
        daemon.wait_synchronized()
        time.sleep(12)
        before = max(map(abs, self.observe_for(15, daemon.true_error)))
        asked = [server.received() for server in servers]
        daemon.stop()
        daemon.start()
        after = max(map(abs, self.observe_for(7, daemon.true_error)))
        for server, count in zip(servers, asked):
            self.assertLessEqual(server.received() - count, 2,
                                 f"a burst to {server.name}")
        after = max([after, *map(abs, self.observe_for(
            18, daemon.true_error))])
        self.assertLessEqual(after, 1.5 * before + 50e-6)
        self.assertEqual(0, daemon.observe()["system"]["steps_total"])
