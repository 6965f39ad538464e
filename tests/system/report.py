"""How the outcome of a test is told."""

import sys
import time
import traceback
import unittest


def sentence(test):
    """The test's name as people read it."""
    module, _, rest = test.id().partition(".")
    name = rest.rpartition(".")[2].removeprefix("test_").replace("_", " ")
    return f"{module.removeprefix('test_')}: {name}"


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


class Result(unittest.TestResult):
    """Prints a line for each test, and the logs of those that fail."""

    def __init__(self):
        super().__init__()
        self.failed = 0

    def startTest(self, test):
        super().startTest(test)
        self._start = time.monotonic()
        self._outcome = "ok"
        self._details = []

    def stopTest(self, test):
        super().stopTest(test)
        seconds = time.monotonic() - self._start
        print(f"{seconds:6.1f} s  {sentence(test)} ... {self._outcome}")
        for detail in self._details:
            print(detail)
        sys.stdout.flush()

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, err, str(subtest))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._outcome = f"skipped ({reason})"

    def _note(self, test, err, part=""):
        if self._outcome != "FAILED":
            self.failed += 1
            self._outcome = "FAILED"
            # The logs are gone once the test has cleaned up.
            self._details.append(test.logs())
        self._details.append(
            part + "\n" + "".join(traceback.format_exception(*err)))

    def summary(self):
        skipped = len(self.skipped)
        passed = self.testsRun - self.failed - skipped
        return f"{passed} passed, {self.failed} failed, {skipped} skipped"
