"""A name server that answers, denies or says nothing, as the test likes."""

import socket
import struct
import threading

TYPE_A = 1
NAME_ERROR = 3
# Runs a program with another /etc/resolv.conf.
WITH_RESOLVER = ["unshare", "-m", "sh", "-c",
                 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"', "sh"]


class NameServer:
    """On port 53 of 127.0.0.1. `names` gives for each name its addresses; none
    means that there is no such name, and `None` that nobody answers."""

    def __init__(self, case, names):
        self.names = names
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._socket.settimeout(0.1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        case.addCleanup(self._stop)
        resolver = case.path("resolv.conf")
        resolver.write_text("nameserver 127.0.0.1\n")
        self.wrap = [*WITH_RESOLVER, str(resolver)]

    def _stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while not self._ended.is_set():
            try:
                query, client = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            answer = self._answer(query)
            if answer:
                self._socket.sendto(answer, client)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        (kind,) = struct.unpack_from(">H", question, len(question) - 4)
        addresses = self.names.get(".".join(labels).lower(), [])
        if addresses is None:
            return None
        records = [
            struct.pack(">HHHIH", 0xc00c, TYPE_A, 1, 60, 4)
            + socket.inet_aton(address) for address in addresses
        ] if kind == TYPE_A else []
        error = 0 if addresses else NAME_ERROR
        return (query[:2] + struct.pack(">HHHHH", 0x8180 | error, 1,
                                        len(records), 0, 0)
                + question + b"".join(records))
