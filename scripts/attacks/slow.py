"""Clients that take their time, all at once: each is cut off, and others are served meanwhile."""

import collections
import contextlib
import http.client
import selectors
import socket
import ssl
import subprocess
import tempfile
import time

from common import program, server
from floods import Others

# Longer than any timeout of the server; who is still connected then is never cut off.
PATIENCE = 45
# Who is hung up on sooner was refused for something else.
QUICK = 2
TYPE = b"Host: x\r\nContent-Type: application/json\r\n"
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"

# What is sent at once, what each second after that, and how the answer begins.
Case = collections.namedtuple("Case", "start drop answer")
CASES = {
    "nothing at all": Case(b"", b"", b""),
    "a request line": Case(b"G", b"E", b""),
    "a header": Case(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"a", b""),
    "the preface of HTTP/2": Case(b"PRI * HT", b"", b""),
    "a header of HTTP/2": Case(HTTP2, b"\0", b"\0\0"),
    "a body": Case(b"POST /api/auth/login/ HTTP/1.1\r\n" + TYPE + b"Content-Length: 5000\r\n\r\n{", b" ", b"HTTP/1.1 408"),
    "a body in chunks": Case(b"POST /api/auth/login/ HTTP/1.1\r\n" + TYPE + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"HTTP/1.1 408"),
    "a body that nobody wants": Case(b"POST /api/nonsense/ HTTP/1.1\r\n" + TYPE + b"Content-Length: 5000\r\n\r\n{", b" ", b"HTTP/1.1 404"),
    "a picture": Case(
        b"PATCH /api/profile/avatar/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n--b\r\n",
        b"a", b"HTTP/1.1 4",
    ),
    "half a WebSocket": Case(b"GET /ws/chat/1/?token=TOKEN HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", b"", b""),
}
TLS_CASES = {
    "a TLS handshake of nothing": Case(b"", b"", b""),
    "a TLS record": Case(b"\x16\x03\x01\x02\0", b"\x01", b""),
}


class Client:
    def __init__(self, target, name, case):
        self.name, self.case, self.answer, self.began = name, case, b"", time.monotonic()
        self.socket = socket.create_connection(("127.0.0.1", target.port), timeout=10)
        self.socket.sendall(case.start)
        self.socket.setblocking(False)

    def drip(self):
        with contextlib.suppress(OSError):
            self.socket.send(self.case.drop)

    def has_ended(self):
        try:
            more = self.socket.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            more = b""
        self.answer += more
        return not more


def crowd(target, cases, count):
    """`count` of each case; problems once all have ended, or the patience has."""
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for name, case in cases.items():
            for _ in range(count):
                client = Client(target, name, case)
                stack.enter_context(client.socket)
                selector.register(client.socket, selectors.EVENT_READ, client)
        yield from until_ended(selector)


def until_ended(selector):
    end, due = time.monotonic() + PATIENCE, 0
    while selector.get_map() and time.monotonic() < end:
        for key, _ in selector.select(0.2):
            if key.data.has_ended():
                selector.unregister(key.fileobj)
                if not key.data.answer.startswith(key.data.case.answer):
                    yield f"{key.data.name}: answered {key.data.answer[:200]!r}"
                if time.monotonic() - key.data.began < QUICK:
                    yield f"{key.data.name}: hung up on at once, with {key.data.answer[:200]!r}: not slow"
        if time.monotonic() > due:
            due = time.monotonic() + 1
            for key in list(selector.get_map().values()):
                key.data.drip()
    left = collections.Counter(key.data.name for key in selector.get_map().values())
    yield from (f"{name}: {count} are still connected after {PATIENCE} s" for name, count in left.items())


def slow_readers(target, seconds):
    """They read a byte of a long answer now and then; they are many, and hold nothing that others need."""
    request = b"GET /api/schema HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    with contextlib.ExitStack() as stack:
        readers = []
        for _ in range(100):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(10)
            reader.connect(("127.0.0.1", target.port))
            reader.sendall(request)
            readers.append(reader)
        end, read = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            for reader in readers:
                read += len(reader.recv(1))
            time.sleep(0.2)
    return [] if read >= 3 * len(readers) else [f"slow readers got {read} bytes: nothing was tested"]


@contextlib.contextmanager
def tls_server(binary):
    with tempfile.TemporaryDirectory() as folder:
        cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", cert]
        subprocess.run([program(make[0]), *make[1:]], check=True, capture_output=True)
        with server(binary, SERVER__TLS_CERT=cert, SERVER__TLS_KEY=key) as target:
            yield target


def speaks_tls(target):
    context = ssl._create_unverified_context()
    with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", target.port, timeout=5, context=context)) as connection:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200


def with_token(cases, token):
    return {name: case._replace(start=case.start.replace(b"TOKEN", token.encode())) for name, case in cases.items()}


def attack(binary, short):
    findings, rounds, count = [], 1 if short else 4, 30 if short else 150
    with server(binary) as target, server(binary) as idle, tls_server(binary) as with_tls:
        cases = with_token(CASES, target.token("ada"))
        attackers = {"slow clients": lambda: crowd(target, cases, count), "slow readers": lambda: slow_readers(target, 8 if short else 30)}
        for name, let_loose in attackers.items():
            others = Others(target, idle)
            others.start()
            for _ in range(rounds):
                findings += let_loose()
            findings += others.verdict(name)
        if not speaks_tls(with_tls):
            findings.append("TLS is not spoken: nothing was tested")
        findings += crowd(with_tls, TLS_CASES, count)
        if not speaks_tls(with_tls):
            findings.append("TLS is not spoken any more")
    return f"{rounds * count} each of {len(CASES)} kinds of slow clients, {count} of {len(TLS_CASES)} with TLS", findings
