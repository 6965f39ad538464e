"""NTP packets by hand, for what no decent client sends."""

import dataclasses
import os
import selectors
import socket
import struct
import time

SIZE = 48
UNIX_EPOCH = 2208988800


def request(mode=3, version=4, leap=0, length=SIZE):
    """A request with a random transmit stamp, cut or filled to `length`."""
    packet = bytearray(SIZE)
    packet[0] = leap << 6 | version << 3 | mode
    packet[40:48] = os.urandom(8)
    return bytes(packet[:length]).ljust(length, b"\0")


@dataclasses.dataclass
class Answer:
    """A reply, decoded, with the offset and delay (s) of its exchange."""

    leap: int
    version: int
    mode: int
    stratum: int
    reference_id: bytes
    root_delay: float
    root_dispersion: float
    origin: bytes
    offset: float
    delay: float
    size: int


def _seconds(stamp):
    return stamp / 2**32 - UNIX_EPOCH


def decode(packet, sent, received):
    first, stratum, _, _ = struct.unpack_from(">BBbb", packet)
    root_delay, root_dispersion = struct.unpack_from(">II", packet, 4)
    t2, t3 = struct.unpack_from(">QQ", packet, 32)
    ahead = (_seconds(t2) - sent) + (_seconds(t3) - received)
    return Answer(
        first >> 6, first >> 3 & 7, first & 7, stratum, packet[12:16],
        root_delay / 65536, root_dispersion / 65536, packet[24:32], ahead / 2,
        (received - sent) - (t3 - t2) / 2**32, len(packet))


def ask(address, port=123, packet=None, timeout=1.0):
    """Sends one request; raises OSError when nothing comes back."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect((address, port))
        sent = time.time()
        s.send(packet or request())
        return decode(s.recv(2048), sent, time.time())


def fire(address, port, packets, wait=0.5, source_port=0):
    """Sends each packet from a port of its own (or all from `source_port`) and
    returns the replies, as (index of the packet or None, reply)."""
    replies = []
    # In portions, so that few descriptors and buffers are in use.
    for start in range(0, len(packets), 200):
        portion = packets[start:start + 200]
        with selectors.DefaultSelector() as ready:
            for index, packet in enumerate(portion, start):
                _send(ready, address, port, packet, source_port, index)
            replies += _collect(ready, wait)
    return replies


def _send(ready, address, port, packet, source_port, index):
    if source_port and ready.get_map():
        next(iter(ready.get_map().values())).fileobj.sendto(
            packet, (address, port))
        return
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.bind(("127.0.0.1", source_port))
    s.sendto(packet, (address, port))
    ready.register(s, selectors.EVENT_READ, None if source_port else index)


def _collect(ready, wait):
    replies = []
    end = time.monotonic() + wait
    while (left := end - time.monotonic()) > 0:
        for key, _ in ready.select(left):
            replies.append((key.data, key.fileobj.recv(65536)))
    for key in list(ready.get_map().values()):
        ready.unregister(key.fileobj)
        key.fileobj.close()
    return replies
