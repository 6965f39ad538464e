"""Watches the machine's clock, which no test may move."""

import ctypes
import time


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_s", ctypes.c_long),
        ("time_us", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_long * 16),
    ]


def kernel_clock():
    """What the kernel says of its clock. With `modes` 0 nothing is changed."""
    state = Timex(modes=0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(ctypes.byref(state)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return state


def frequency(state):
    """The rate of CLOCK_REALTIME against CLOCK_MONOTONIC_RAW, as a ratio."""
    return state.freq * 2.0**-16 * 1e-6 + (state.tick - 10000) * 1e-4


def real_minus_raw():
    """Seconds, from the tightest of some bracketed readings."""
    best = None
    for _ in range(10):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        real = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        if best is None or after - before < best[0]:
            best = (after - before, real - (before + after) // 2)
    return best[1]


class ClockGuard:
    """Remembers the clock as it is; `check` raises if it was moved since."""

    TOLERANCE_NS = 200_000
    TOLERANCE_RATIO = 1e-6

    def __init__(self):
        self._kernel = kernel_clock()
        self._start = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        self._difference = real_minus_raw()

    def check(self):
        kernel = kernel_clock()
        for key in ("freq", "tick", "offset"):
            before, after = getattr(self._kernel, key), getattr(kernel, key)
            if before != after:
                raise AssertionError(
                    f"the machine's clock was changed: adjtimex's {key} went"
                    f" from {before} to {after}")
        elapsed = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - self._start
        expected = self._difference + elapsed * frequency(kernel)
        moved = real_minus_raw() - expected
        if abs(moved) > self.TOLERANCE_NS + self.TOLERANCE_RATIO * elapsed:
            raise AssertionError(
                f"the machine's clock was moved by {moved / 1e3:.1f} us in"
                f" {elapsed / 1e9:.1f} s")
