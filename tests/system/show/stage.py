"""Where the figures are made: the same sandbox as the tests', then one run."""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import sandbox


def show(description, play, seconds):
    """Runs `play(case, seconds)`. The time can be changed by --seconds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", metavar="DIR", type=pathlib.Path,
                        help="build directory; build/dev if not given")
    parser.add_argument("--seconds", type=float, default=seconds,
                        help=f"how long to watch; {seconds} if not given")
    arguments = parser.parse_args()
    sandbox.choose_build(arguments.build)
    sandbox.enter()
    from harness import Case
    from report import Result

    class Stage(Case):

        def runTest(self):
            play(self, arguments.seconds)

    result = Result()
    Stage().run(result)
    sys.exit(1 if result.failed or result.skipped else 0)
