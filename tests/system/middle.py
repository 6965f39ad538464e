"""Somebody between a client and a server, who sees all their packets."""

import selectors
import socket
import threading


class Middle:
    """Passes UDP packets between clients of `listen` and `server`, both
    (address, port), and remembers them.

    `up` and `down`, each called with a packet of that way, tell what to send on
    instead: a list of packets. `back` is like `up`, for what the client shall
    get at once. `server` may be changed at any time."""

    MOST_CLIENTS = 32

    def __init__(self, case, listen, server):
        self.server = server
        self.relent()
        self.requests, self.answers = [], []
        self._clients = {}
        self._ready = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listener.bind(listen)
        self._ready.register(self._listener, selectors.EVENT_READ, None)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        case.addCleanup(self._stop)

    def relent(self):
        """From now on all pass as they are."""
        self.up = self.down = lambda packet: [packet]
        self.back = lambda packet: []

    def _stop(self):
        self._ended.set()
        self._thread.join()
        for key in list(self._ready.get_map().values()):
            key.fileobj.close()
        self._ready.close()

    def _run(self):
        while not self._ended.is_set():
            for key, _ in self._ready.select(0.1):
                try:
                    packet, origin = key.fileobj.recvfrom(65536)
                    if key.fileobj is self._listener:
                        self._take_request(packet, origin)
                    else:
                        self._take_answer(packet, key.data)
                except OSError:
                    continue  # nobody listens there now: lost, as on any path

    def _take_request(self, packet, client):
        self.requests.append(packet)
        for other in self.back(packet):
            self._listener.sendto(other, client)
        for other in self.up(packet):
            self._upstream(client).sendto(other, self.server)

    def _take_answer(self, packet, client):
        self.answers.append(packet)
        for other in self.down(packet):
            self._listener.sendto(other, client)

    def _upstream(self, client):
        """The socket for a client. Those that take a new port for each request
        are many, so that only the last are remembered."""
        if client not in self._clients:
            if len(self._clients) == self.MOST_CLIENTS:
                oldest = self._clients.pop(next(iter(self._clients)))
                self._ready.unregister(oldest)
                oldest.close()
            upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._clients[client] = upstream
            self._ready.register(upstream, selectors.EVENT_READ, client)
        return self._clients[client]
