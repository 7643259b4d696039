"""Request smuggling through nginx: whatever one client sends, the next gets the answer to its own request."""

import contextlib
import os
import pathlib
import re
import socket
import tempfile
import time

import h2.config
import h2.connection

from common import free_port, program, raw, running, server

HIDDEN = b"GET /api/books/7/ HTTP/1.1\r\nHost: x\r\nX-Ignore: "
PREFIX = b"POST /api/auth/verify/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def payloads():
    """Names and bytes: two ways to see where the first request ends."""
    hidden = HIDDEN
    empty = b"0\r\n\r\n" + hidden
    encodings = {
        "CL.TE": b"Transfer-Encoding: chunked",
        "TE.TE space before colon": b"Transfer-Encoding : chunked",
        "TE.TE tab": b"Transfer-Encoding:\tchunked",
        "TE.TE vertical tab": b"Transfer-Encoding: \x0bchunked",
        "TE.TE case": b"tRANSFER-eNCODING: cHuNkEd",
        "TE.TE quoted": b'Transfer-Encoding: "chunked"',
        "TE.TE identity": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "TE.TE list": b"Transfer-Encoding: identity, chunked",
        "TE.TE twice": b"Transfer-Encoding: chunked, chunked",
        "TE.TE unknown": b"Transfer-Encoding: xchunked",
        "TE.TE cow": b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow",
        "obs-fold": b"Transfer-Encoding:\r\n chunked",
        "obs-fold of another": b"X-Folded: a\r\n Transfer-Encoding: chunked",
        "line feed alone": b"X-A: b\nTransfer-Encoding: chunked",
        "carriage return alone": b"X-A: b\rTransfer-Encoding: chunked",
        "NUL in a name": b"Transfer-Encoding\0: chunked",
        "underscore": b"Transfer_Encoding: chunked",
    }
    for name, line in encodings.items():
        yield name, PREFIX + b"Content-Length: %d\r\n%s\r\n\r\n" % (len(empty), line) + empty
        part = b"5c\r\n" + hidden.ljust(0x5C, b"a") + b"\r\n0\r\n\r\n"
        yield f"{name}, TE.CL", PREFIX + b"Content-Length: 4\r\n%s\r\n\r\n" % line + part
    lengths = {
        "two lengths": b"Content-Length: 0\r\nContent-Length: %d",
        "two lengths, the other way": b"Content-Length: %d\r\nContent-Length: 0",
        "list of lengths": b"Content-Length: 0, %d",
        "a signed length": b"Content-Length: +%d",
        "a length with a space": b"Content-Length : %d",
        "a length folded": b"Content-Length:\r\n %d",
        "a hexadecimal length": b"Content-Length: 0x%x",
    }
    for name, line in lengths.items():
        yield name, PREFIX + line % len(hidden) + b"\r\n\r\n" + hidden
    yield "a negative length", PREFIX + b"Content-Length: -1\r\n\r\n" + hidden
    yield "CL.0", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    yield "CL.0 on a page", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    yield "a GET with a body", b"GET /api/books/1/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    yield "a HEAD with a body", b"HEAD /api/books/1/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    expect = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    yield "expect", PREFIX + expect + hidden
    chunks = {
        "chunk extension": b"0;a=b\r\n\r\n",
        "chunk extension with a line feed": b"0;a\nb\r\n\r\n",
        "chunk extension, long": b"0;" + b"a" * 5000 + b"\r\n\r\n",
        "chunk size with a prefix": b"0x0\r\n\r\n",
        "chunk size with spaces": b"0 \r\n\r\n",
        "chunk size, huge": b"ffffffffffffffff1\r\n",
        "chunk size, negative": b"-0\r\n\r\n",
        "chunk with line feeds": b"0\n\n",
        "chunk trailer": b"0\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n",
    }
    for name, body in chunks.items():
        yield name, PREFIX + b"Transfer-Encoding: chunked\r\n\r\n" + body + hidden
    yield "HTTP/1.0 chunked", PREFIX.replace(b"/1.1", b"/1.0") + b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + empty
    yield "HTTP/0.9", b"GET /api/books/7/\r\n" + hidden
    yield "absolute form", b"GET http://evil.example/api/books/7/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden
    yield "a line in the path", b"GET /api/books/1/%0d%0aX:y HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + hidden


# What is not ambiguous by RFC 9112, and how many requests each holds. All else ends the connection after one 400.
CLEAR = {
    "underscore": 1, "underscore, TE.CL": 2, "CL.0": 1, "CL.0 on a page": 1, "a GET with a body": 1, "a HEAD with a body": 1,
    "expect": 1, "chunk extension": 2, "chunk extension, long": 2, "chunk size with spaces": 2, "chunk trailer": 2,
    "absolute form": 1, "a line in the path": 2,
}


def directly(port, name, data):
    """Without a proxy: how many requests the server reads in it."""
    wanted, answer, is_open = CLEAR.get(name, 1), b"", True
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        peer.sendall(data + b"\r\n\r\n")
        # What is clear gets a moment longer, for an answer too many; what is not has to be hung up on.
        end = time.monotonic() + 10
        while is_open and time.monotonic() < end:
            statuses = re.findall(rb"HTTP/1\.1 ([2-5]\d\d)", answer)
            if name in CLEAR and len(statuses) >= wanted:
                end = min(end, time.monotonic() + 0.3)
            peer.settimeout(max(end - time.monotonic(), 0.01))
            with contextlib.suppress(TimeoutError):
                is_open = bool(received := peer.recv(65536))
                answer += received
    statuses = re.findall(rb"HTTP/1\.1 ([2-5]\d\d)", answer)
    if len(statuses) != wanted or any(status[:1] == b"5" for status in statuses):
        yield f"{name}: answered {statuses} directly, {wanted} wanted: {answer[:200]!r}"
    elif name not in CLEAR and (is_open or statuses != [b"400"]):
        yield f"{name}: answered {statuses} directly, and the connection {'stays open' if is_open else 'ends'}"


def h2_headers():
    """Fields that HTTP/2 carries and HTTP/1.1 would read as something else."""
    yield "h2 transfer-encoding", [("transfer-encoding", "chunked")]
    yield "h2 content-length 0", [("content-length", "0")]
    yield "h2 content-length too small", [("content-length", "5")]
    yield "h2 CRLF in a value", [("x-a", "b\r\ntransfer-encoding: chunked")]
    yield "h2 CRLF in a name", [("x-a\r\ntransfer-encoding", "chunked")]
    yield "h2 colon in a name", [("transfer-encoding: chunked\r\nx", "y")]
    yield "h2 connection", [("connection", "transfer-encoding"), ("transfer-encoding", "chunked")]
    yield "h2 request line", [(":path", "/api/books/7/ HTTP/1.1\r\nHost: x\r\n\r\n")]


def send_h2(port, extra):
    config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    headers = [(":method", "POST"), (":path", "/api/auth/verify/"), (":scheme", "http"), (":authority", "x"), ("content-type", "application/json")]
    replaced = {name for name, _ in extra}
    headers = [pair for pair in headers if pair[0] not in replaced]
    pseudo = [pair for pair in extra if pair[0].startswith(":")]
    connection.send_headers(1, pseudo + headers + [pair for pair in extra if pair not in pseudo])
    connection.send_data(1, b"0\r\n\r\n" + HIDDEN, end_stream=True)
    return raw(port, connection.data_to_send(), 0.5)


@contextlib.contextmanager
def nginx(behind):
    """An nginx that keeps one connection to the server for all of its clients: an HTTP/1.1 and an HTTP/2 port."""
    with tempfile.TemporaryDirectory() as name:
        folder, port, h2_port = pathlib.Path(name), free_port(), free_port()
        os.chmod(folder, 0o755)
        places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"pid nginx.pid;\nerror_log {folder}/errors;\nworker_processes 1;\nevents {{}}\nhttp {{\naccess_log off;\n{places}"
            f"upstream server {{ server 127.0.0.1:{behind}; keepalive 1; }}\n"
            f"server {{\nlisten 127.0.0.1:{port};\nlisten 127.0.0.1:{h2_port} http2;\nunderscores_in_headers on;\n"
            "ignore_invalid_headers off;\n"
            'location / { proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection "";'
            " proxy_request_buffering off; }\n}\n}\n"
        )
        command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        with running(command, port, folder):
            yield port, h2_port


def victims(port, after):
    """Three clients with requests that tell their answers apart."""
    for book in (3, 4, 5):
        answer = raw(port, b"GET /api/books/%d/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % book, 5)
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
        if statuses != [b"200"] or b'"id":%d,' % book not in answer:
            yield f"after {after} the client of book {book} got {answer[:300]!r}"


def attack(binary, short):
    findings, tried = [], 0
    with server(binary, LOG__FORMAT="json", SERVER__TRUSTED_PROXIES="127.0.0.1/32") as target, nginx(target.port) as (port, h2_port):
        findings += victims(port, "nothing")
        for name, data in payloads():
            tried += 1
            raw(port, data, 0.5)
            findings += victims(port, name)
        for name, extra in h2_headers():
            tried += 1
            # Settings are the first frame of whoever speaks HTTP/2.
            if send_h2(h2_port, extra)[3:4] != b"\x04":
                findings.append(f"{name}: nginx does not speak HTTP/2: nothing was tested")
            findings += victims(port, name)
        passed_on = sum(count for ((_, route), _), count in target.answers().items() if route == "/api/auth/verify")
        if passed_on < 5:
            findings.append(f"nginx passed {passed_on} of the payloads on: nothing was tested")
        for name, data in payloads():
            findings += directly(target.port, name, data)
    return f"{tried} payloads", findings
