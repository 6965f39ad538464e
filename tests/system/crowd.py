"""Clients of a stream socket that do what none should, 200 at a time, in a
process of their own."""

import collections
import contextlib
import multiprocessing
import select
import socket
import time

KINDS = ("silent", "slow", "garbage", "oversized", "flooding")
SIZE = 200
RATE = 10_000  # requests a second of all who flood


class Crowd:
    """`size` clients of one kind. Who is thrown out comes back."""

    def __init__(self, case, family, place, kind, request, size=SIZE):
        context = multiprocessing.get_context("fork")
        self._ended = context.Event()
        # One process alone would be too slow for the flood.
        many = 2 if kind == "flooding" else 1
        self._counts = [context.Array("Q", 2) for _ in range(many)]
        self._processes = [
            context.Process(
                target=_flood if kind == "flooding" else _run, daemon=True,
                args=(family, place, kind, request, size // many,
                      self._ended, counts))
            for counts in self._counts]
        case.addCleanup(self.stop)

    def start(self):
        for process in self._processes:
            process.start()
        return self

    def stop(self):
        """How many messages were tried, and how many of them were sent; of the
        silent, connections."""
        self._ended.set()
        for process in self._processes:
            if process.is_alive():
                process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
        return [sum(column) for column in zip(*self._counts)]


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


def _run(family, place, kind, request, size, ended, counts):
    message = _message(kind, request)
    pause = 1.0 if kind == "slow" else 0.05
    clients = []
    while not ended.is_set():
        begin = time.monotonic()
        # No more at a time than a listener's queue is long.
        for _ in range(min(size - len(clients), 50)):
            counts[0] += kind == "silent"
            with contextlib.suppress(OSError):
                clients.append(_connect(family, place))
                counts[1] += kind == "silent"
        if kind != "silent":
            clients = [c for c in clients if _speak(c, message, counts)]
        clients = _still_open(clients)
        ended.wait(max(0.001, begin + pause - time.monotonic()))
    for each in clients:
        each.close()


def _flood(family, place, kind, request, size, ended, counts):
    """Half of `RATE`, each request by the next client in turn."""
    clients = collections.deque()
    pause = 0.01
    share = int(RATE / 2 * pause)
    due = time.monotonic()
    while not ended.is_set():
        for _ in range(share):
            try:
                client = (_connect(family, place) if len(clients) < size
                          else clients.popleft())
            except OSError:
                counts[0] += 1
                continue
            if _speak(client, request, counts):
                clients.append(client)
        clients = collections.deque(_still_open(clients))
        # What could not be kept up with is not made up for.
        due = max(due + pause, time.monotonic() - 10 * pause)
        ended.wait(max(0, due - time.monotonic()))
    for each in clients:
        each.close()


def _speak(connection, message, counts):
    """Whether the connection is still there; one that takes no more stays."""
    counts[0] += 1
    try:
        connection.send(message)
        counts[1] += 1
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
