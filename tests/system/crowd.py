"""Clients of a stream socket that do what none should, 200 at a time, in a
process of their own."""

import contextlib
import multiprocessing
import select
import socket
import time

KINDS = ("silent", "slow", "garbage", "oversized", "flooding")
SIZE = 200
RATE = 10_000  # requests a second of all who flood


class Crowd:
    """`SIZE` clients of one kind. Who is thrown out comes back."""

    def __init__(self, case, family, place, kind, request):
        context = multiprocessing.get_context("fork")
        self._ended = context.Event()
        self._done = context.Value("Q", 0)
        self._process = context.Process(
            target=_run, daemon=True,
            args=(family, place, kind, request, self._ended, self._done))
        case.addCleanup(self.stop)

    def start(self):
        self._process.start()
        return self

    def stop(self):
        """How many requests were sent, or connections made by who sends
        none."""
        self._ended.set()
        if self._process.is_alive():
            self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._done.value


def _connect(family, place):
    connection = socket.socket(family)
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        connection.connect(place)
    return connection


def _message(kind, request):
    """What one of a kind sends at a time."""
    if kind == "slow":
        return request[:1]
    if kind == "garbage":
        return bytes((i * 7919 + 13) % 256 for i in range(512)) + b"\r\n\r\n"
    if kind == "oversized":
        return request.strip()[:-1] + b"x" * 65536
    return request


def _run(family, place, kind, request, ended, done):
    message = _message(kind, request)
    pause = 1.0 if kind == "slow" else 0.05
    clients = []
    while not ended.is_set():
        begin = time.monotonic()
        # No more at a time than a listener's queue is long.
        for _ in range(min(SIZE - len(clients), 50)):
            with contextlib.suppress(OSError):
                clients.append(_connect(family, place))
                done.value += kind in ("silent", "slow")
        share = 1 if kind != "flooding" else max(
            1, int(RATE * pause / max(len(clients), 1)))
        clients = [c for c in clients
                   if kind == "silent" or _speak(c, message * share, kind,
                                                 share, done)]
        clients = _still_open(clients)
        ended.wait(max(0.001, begin + pause - time.monotonic()))
    for each in clients:
        each.close()


def _speak(connection, message, kind, share, done):
    try:
        connection.send(message)
        if kind != "slow":
            done.value += share
    except BlockingIOError:
        pass
    except OSError:
        connection.close()
        return False
    return True


def _still_open(clients):
    """Reads what came; gives those that were not closed."""
    poll = select.poll()
    by_number = {c.fileno(): c for c in clients}
    for number in by_number:
        poll.register(number, select.POLLIN)
    for number, _ in poll.poll(0):
        connection = by_number[number]
        try:
            gone = connection.recv(1 << 16) == b""
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        if gone:
            connection.close()
            del by_number[number]
    return list(by_number.values())
