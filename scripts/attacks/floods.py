"""Floods of connections, streams and frames, and readers that do not read: others are served meanwhile.

`slow.py` has those who take their time. Each flood tells what shows that it has not reached what it floods.
"""

import base64
import contextlib
import os
import re
import select
import socket
import struct
import threading
import time

import h2.config
import h2.connection

from common import raw, server

LIMIT = 1.0
"""Seconds in which 98 of 100 others are answered, and five times that for the slowest; what the machine takes is added."""


class Client(threading.Thread):
    """Asks a server all along, each time on a connection of its own."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target, self.times, self.failures, self.stopped = target, [], [], threading.Event()

    def run(self):
        while not self.stopped.is_set():
            for path in ("/readyz", "/api/books/?page_size=5"):
                began = time.monotonic()
                try:
                    status, _ = self.target.call("GET", path, timeout=20)
                    if status != 200:
                        self.failures.append(f"{path}: {status}")
                except OSError as error:
                    self.failures.append(f"{path}: {error!r}")
                time.sleep(0.01)
                self.times.append(time.monotonic() - began)

    def waited(self):
        """How long 98 of 100 answers took at most, and the slowest."""
        times = sorted(self.times)
        return times[(len(times) - 1) * 98 // 100], times[-1]


class Others:
    """Clients of the server that is attacked, and one of a server that is left alone: it waits when the machine is busy."""

    def __init__(self, target, idle):
        self.others, self.bystander = Client(target), Client(idle)

    def start(self):
        self.others.start()
        self.bystander.start()

    def asked(self):
        return len(self.others.times)

    def verdict(self, name):
        for client in (self.others, self.bystander):
            client.stopped.set()
        for client in (self.others, self.bystander):
            client.join(60)
        if min(self.asked(), len(self.bystander.times)) < 10:
            yield f"{name}: only {self.asked()} others asked: nothing was tested"
            return
        (most, slowest), (idle_most, idle_slowest) = self.others.waited(), self.bystander.waited()
        if most > LIMIT + idle_most or slowest > 5 * LIMIT + idle_slowest:
            yield f"{name}: others waited {most:.2f} s, the slowest {slowest:.2f} s; at an idle server {idle_most:.2f} s and {idle_slowest:.2f} s"
        yield from (f"{name}: another was refused: {failure}" for failure in self.others.failures[:3])


def connect(target):
    return socket.create_connection(("127.0.0.1", target.port), timeout=10)


def connections(target, seconds, _):
    """Many connections that say nothing, and many that come and go."""
    with contextlib.ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(connect(target))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connect(target).close()
            time.sleep(0.001)
    return []


def readers(target, seconds, _):
    """Ask for much, and read none of it."""
    page = target.call("GET", "/", headers={"Accept": "text/html"})[1]
    script = re.search(rb"/assets/[^\"]+\.js", page)
    large = script[0] if script else b"/api/schema"
    request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % large * 20
    started = 0
    with contextlib.ExitStack() as stack:
        peers = []
        for _ in range(50):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", target.port))
            connection.settimeout(0.05)
            with contextlib.suppress(OSError):
                connection.sendall(request)
            peers.append(connection)
        time.sleep(seconds)
        for peer in peers:
            peer.settimeout(5)
            with contextlib.suppress(OSError):
                started += peer.recv(12) == b"HTTP/1.1 200"
    return [] if started == len(peers) else [f"readers: {started} of {len(peers)} were being answered"]


def resets(target, seconds, _):
    """HTTP/2 streams that are opened and reset at once (CVE-2023-44487), and header blocks that do not end."""
    end, rounds, spoken = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        rounds += 1
        connection = h2.connection.H2Connection(h2.config.H2Configuration())
        connection.initiate_connection()
        with connect(target) as peer, contextlib.suppress(OSError):
            for number in range(500):
                stream = 2 * number + 1
                path = [(":method", "GET"), (":path", "/api/books/"), (":scheme", "http"), (":authority", "x")]
                connection.send_headers(stream, path, end_stream=True)
                connection.reset_stream(stream)
                peer.sendall(connection.data_to_send())
                if not number:
                    # The server's first frame: its settings.
                    spoken += peer.recv(9)[3:4] == b"\x04"
        with connect(target) as peer, contextlib.suppress(OSError):
            settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
            peer.sendall(settings + b"\0\0\1\x01\0\0\0\0\1\x82")
            for _ in range(2000):
                peer.sendall(b"\0\x40\0\x09\0\0\0\0\1" + b"\0" * 0x4000)
    return [] if spoken == rounds else [f"streams: HTTP/2 was spoken on {spoken} of {rounds} connections"]


def frame(opcode, body, fin=0x80, masked=True):
    mask = os.urandom(4) if masked else b""
    bit = 0x80 if masked else 0
    size = bytes([bit | len(body)]) if len(body) < 126 else bytes([bit | 126]) + struct.pack("!H", len(body))
    if masked:
        body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))
    return bytes([fin | opcode]) + size + mask + body


def handshake(token):
    key = base64.b64encode(os.urandom(16))
    return (
        b"GET /ws/chat/1/?token=%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % (token.encode(), key)
    )


def opened(peer, token):
    """Nothing when the socket talks; the server accepts all and closes at once what it does not want."""
    peer.sendall(handshake(token) + frame(9, b"ping"))
    received = b""
    while b"\x8a\x04ping" not in received:
        if not (more := peer.recv(4096)):
            return received
        received += more
    return None


def hostile_frames():
    text = frame(1, b'{"message":"hello"}')
    yield "unmasked", frame(1, b"{}", masked=False)
    yield "reserved bits", b"\xf1" + text[1:]
    yield "a reserved opcode", frame(3, b"")
    yield "a reserved control opcode", frame(11, b"")
    yield "a long control frame", frame(9, b"a" * 126)
    yield "a control frame in fragments", frame(9, b"", fin=0)
    yield "a continuation of nothing", frame(0, b"a")
    yield "a text inside a text", frame(1, b"a", fin=0) + text
    yield "no UTF-8", frame(1, b"\xff\xfe")
    yield "binary", frame(2, b"a")
    yield "17 KiB", frame(1, b"a" * 17000)
    yield "2^63 bytes announced", b"\x81\xff\x7f" + b"\xff" * 7 + b"\0" * 4 + b"a" * 1000
    yield "2^64 - 1 bytes announced", b"\x81\xff" + b"\xff" * 8 + b"\0" * 4 + b"a" * 1000
    yield "a close of one byte", frame(8, b"\x03")
    yield "a close with a wrong code", frame(8, b"\x00\x01")
    yield "a close with no UTF-8", frame(8, b"\x03\xe8\xff")
    yield "fragments without end", frame(1, b"a", fin=0) + frame(0, b"", fin=0) * 400_000
    yield "pings without end", frame(9, b"a") * 50_000
    yield "texts without end", text * 2_000
    yield "HTTP instead", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def ends(target, token, name, data):
    """Whether the server closes the socket on which this arrives."""
    with connect(target) as peer:
        if refusal := opened(peer, token):
            return f"{name}: no socket: {refusal!r}"
        return None if closes(peer, data) else f"{name}: the socket stays open"


def closes(peer, data, seconds=15):
    peer.setblocking(False)
    end, rest = time.monotonic() + seconds, memoryview(data)
    while time.monotonic() < end:
        readable, writable, _ = select.select([peer], [peer] if rest else [], [], 1)
        try:
            if readable and not peer.recv(65536):
                return True
            if writable:
                rest = rest[peer.send(rest[:65536]):]
        except BlockingIOError:
            continue
        except OSError:
            return True
    return False


def sockets(target, seconds, token):
    """As many sockets as one is given, all of which talk at once, and more that are asked for."""
    text = frame(1, b'{"message":"hello"}')
    end = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        peers, open_ones = [], 0
        for _ in range(60):
            peer = stack.enter_context(connect(target))
            open_ones += opened(peer, token) is None
            peer.settimeout(1)
            peers.append(peer)
        while time.monotonic() < end:
            for peer in peers:
                with contextlib.suppress(OSError):
                    peer.send(text)
            time.sleep(0.05)
    return [] if open_ones == PER_USER else [f"sockets: {open_ones} were opened, not {PER_USER}"]


# So many that the sockets of one user are not what ends the flood.
PER_USER = 40
FLOODS = {"connections": connections, "readers that do not read": readers, "streams": resets, "sockets": sockets}


def attack(binary, short):
    findings, asked = [], 0
    with server(binary, COMMUNITY__SOCKETS_PER_USER=str(PER_USER)) as target, server(binary) as idle:
        token = target.token("ada")
        for name, flood in FLOODS.items():
            others = Others(target, idle)
            others.start()
            findings += flood(target, 4 if short else 60, token)
            findings += others.verdict(name)
            asked += others.asked()
        bob = target.token("bob")
        others = Others(target, idle)
        others.start()
        for name, data in hostile_frames():
            if problem := ends(target, bob, name, data):
                findings.append(problem)
        findings += others.verdict("hostile frames")
        asked += others.asked()
        if b" 200 " not in raw(target.port, b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            findings.append("the server does not answer afterwards")
    return f"{len(FLOODS)} floods, {asked} others served", findings
