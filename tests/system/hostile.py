"""Servers and clients of NTS key exchange that do what none should."""

import contextlib
import resource
import socket
import ssl
import subprocess
import threading

from nts_wire import records

ALPN = "ntske/1"


def server_context(chain, key, alpn=ALPN, version=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = version
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def client_context(alpn=ALPN, version=ssl.TLSVersion.TLSv1_3):
    """Of one who does not care about certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = version
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def certificate(case, authority, name, days=30, signed=True):
    """A certificate for an address, and its key, with something wrong."""
    directory = case.path(f"certificate-{len(list(case.directory.iterdir()))}")
    directory.mkdir()
    key, chain = directory / "key.pem", directory / "chain.pem"
    wishes = directory / "wishes"
    wishes.write_text(f"subjectAltName = IP:{name}\n")
    openssl(directory, "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj",
            "/CN=hostile", "-out", "request")
    signer = (["-CA", authority.root, "-CAkey",
               authority.directory / "ca-key.pem", "-CAcreateserial",
               "-CAserial", "serial"] if signed else ["-signkey", key])
    openssl(directory, "x509", "-req", "-in", "request", "-days", str(days),
            "-extfile", wishes, "-out", chain, *signer)
    return chain, key


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True,
                   capture_output=True)


class Server:
    """Listens, and lets `behave` do with each connection what it likes."""

    def __init__(self, case, address, behave):
        self._behave = behave
        self._ended = threading.Event()
        self._listener = socket.create_server(address)
        self._connections = []
        self.accepted = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        case.addCleanup(self._stop)

    def _accept(self):
        while True:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._connections.append(connection)
                thread = threading.Thread(
                    target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()
            if self._ended.is_set():
                return

    def _serve(self, connection):
        # The other side may hang up at any time.
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            self._behave(connection)

    def _stop(self):
        self._ended.set()
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()


def wait_for_end(connection):
    """Reads until the other side hangs up."""
    while connection.recv(4096):
        pass


def hang_up(connection):
    """Does as if the process had died."""


def answers(context, message, piece=0, goodbye=True):
    """A server that reads the request and answers by `message`, or in pieces of
    so many octets."""
    def behave(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(4096)
            for at in range(0, len(message), piece or len(message)):
                tls.sendall(message[at:at + (piece or len(message))])
            if goodbye:
                with contextlib.suppress(OSError):
                    tls.unwrap()
    return behave


def exchange(address, message, source=None, piece=0, context=None):
    """What a server answers: records; None if it hangs up without a word."""
    context = context or client_context()
    with socket.create_connection(address, 5, source) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain) as tls:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for at in range(0, len(message), piece or len(message)):
                    tls.sendall(message[at:at + (piece or len(message))])
            answer = b""
            while part := tls.recv(4096):
                answer += part
            return records(answer) if answer else None


def client_hello():
    """The first octets of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def hold(case, address, count):
    """So many connections, each from an address of its own, that are held until
    the test ends. They say nothing, or a part of what a client would say first,
    or all of it and nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    case.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    hello = client_hello()
    openings = (b"", hello[:1], hello[:len(hello) // 2], hello)
    held = []
    for i in range(count):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        case.addCleanup(s.close)
        s.setblocking(False)
        s.bind((f"127.1.{i // 250}.{i % 250 + 1}", 0))
        s.connect_ex(address)
        held.append(s)
    for i, s in enumerate(held):
        # Not all were let in.
        with contextlib.suppress(OSError):
            s.send(openings[i % len(openings)])
    return held
