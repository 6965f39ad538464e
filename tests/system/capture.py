"""Watches what really passes."""

import socket
import struct
import threading
import time

ETH_P_IP = 0x0800
IPPROTO_UDP = 17
CLIENT, SERVER = 3, 4  # modes of NTP


class Capture:
    """The requests and answers of NTP that were sent on loopback to and from a
    port of an address, since it was made."""

    def __init__(self, case, address, port=123):
        self._place = (address, port)
        self._seen = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                     socket.htons(ETH_P_IP))
        self._socket.bind(("lo", ETH_P_IP))
        self._socket.settimeout(0.1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        case.addCleanup(self._stop)

    def _stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _watch(self):
        while not self._ended.is_set():
            try:
                packet = self._socket.recv(65536)
            except TimeoutError:
                continue
            if packet[9] == IPPROTO_UDP:
                self._take(packet)

    def _take(self, packet):
        start = (packet[0] & 15) * 4
        ports = struct.unpack_from(">HH", packet, start)
        source = (socket.inet_ntoa(packet[12:16]), ports[0])
        target = (socket.inet_ntoa(packet[16:20]), ports[1])
        payload = packet[start + 8:]
        # Other modes are for questions about counters.
        is_time = payload and payload[0] & 7 in (CLIENT, SERVER)
        if is_time and self._place in (source, target):
            self._seen.append((time.monotonic(), target == self._place,
                               payload))

    def requests(self):
        return [payload for _, up, payload in list(self._seen) if up]

    def answers(self):
        return [payload for _, up, payload in list(self._seen) if not up]

    def longest_gap(self, is_good):
        """Between one good answer and the next, s."""
        times = [when for when, up, payload in list(self._seen)
                 if not up and is_good(payload)]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)
