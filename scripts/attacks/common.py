"""What every attack needs: a server of its own on a free port, users in it, and a place for findings."""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PASSWORD = "Sturdy-Harbour-42"
# Users for those who change or reset passwords, each to be used once.
CHANGERS = 24
PATH = f"{os.environ['PATH']}:/usr/sbin:{pathlib.Path(sys.executable).parent}"


class Missing(Exception):
    """A program that is not installed."""


def program(name):
    found = shutil.which(name, path=PATH)
    if not found:
        raise Missing(name)
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} did not start")


@contextlib.contextmanager
def running(command, port, folder, environment=None):
    """A program that listens, until the end of the block; what it writes is in `folder`/log."""
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | (environment or {}), stdout=log, stderr=log)
        try:
            wait_for(port, process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Server:
    def __init__(self, port, folder, process):
        self.port, self.folder, self.process = port, folder, process
        self.url = f"http://127.0.0.1:{port}"

    def call(self, method, path, body=None, bearer=None, headers=None, timeout=20):
        """Status and body, as JSON where it is an object."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = {"Content-Type": "application/json"} | (headers or {})
            if bearer:
                sent["Authorization"] = f"Bearer {bearer}"
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] == b"{" else text
        finally:
            connection.close()

    def token(self, username):
        status, tokens = self.call("POST", "/api/auth/login/", {"username": username, "password": PASSWORD})
        if status != 200:
            raise RuntimeError(f"{username} cannot log in: {status} {tokens}")
        return tokens["access"]

    def log(self):
        return (self.folder / "log").read_bytes()

    def answers(self):
        """How many calls of each operation got each status, by the log (LOG__FORMAT=json): (method, path), status."""
        size = -1
        while size != (size := (self.folder / "log").stat().st_size):
            time.sleep(0.5)
        counts = collections.Counter()
        with open(self.folder / "log", "rb") as lines:
            for line in lines:
                if b'"message":"request' in line:
                    row = json.loads(line)
                    counts[(row["method"].lower(), row["route"]), row["status"]] += 1
        return counts

    def causes(self):
        """Why calls failed, by the log."""
        lines = (json.loads(line) for line in self.log().splitlines() if b'"message":"request failed"' in line)
        return collections.Counter(line.get("cause", "no cause") for line in lines)


def operation(method, path):
    """An operation of the OpenAPI document, named as the log names it."""
    return method.lower(), path.rstrip("/") or "/"


def content():
    names = ("ada", "bob", "staff", "carol", "dave", "erin", "frank", "gina")
    users = [
        {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "is_staff": name == "staff"}
        for name in (*names, *(f"changer{number}" for number in range(CHANGERS)))
    ]
    books = [{"title": f"Book {number}", "author": "An author"} for number in range(30)]
    reviews = [
        {"user": number % 2, "book": number, "title": "A title", "review_text": "A text", "rating": 4, "is_public": True}
        for number in range(20)
    ]
    rooms = [{"name": f"Room {number}", "is_public": True, "members": [0, 1]} for number in range(3)]
    return {"users": users, "books": books, "reviews": reviews, "rooms": rooms}


@contextlib.contextmanager
def server(binary, throttled=False, **settings):
    """A server with a few users, books and reviews, in a folder that goes away with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = pathlib.Path(name), free_port()
        environment = {
            "PORTCULLIS_STORAGE__DATA_DIR": f"{folder}/data",
            "PORTCULLIS_SERVER__LISTEN": f"127.0.0.1:{port}",
            "PORTCULLIS_TOKENS__ACCESS_LIFETIME": "6h",
            "PORTCULLIS_THROTTLE__ENABLED": "true" if throttled else "false",
            "NO_COLOR": "1",
            "PORTCULLIS_PASSWORD__MEMORY_KIB": "64",
            "PORTCULLIS_PASSWORD__ITERATIONS": "1",
        } | {f"PORTCULLIS_{key}": value for key, value in settings.items()}
        (folder / "content.json").write_text(json.dumps(content()))
        load = [binary, "load", "content.json"]
        loaded = subprocess.run(load, env=os.environ | environment, cwd=folder, capture_output=True, text=True)
        if loaded.returncode:
            raise RuntimeError(f"load failed: {loaded.stderr[-2000:]}")
        with running([binary, "serve"], port, folder, environment) as process:
            started = Server(port, folder, process)
            yield started
            if process.poll() is not None:
                raise RuntimeError(f"the server has ended: {started.log()[-2000:]}")
            if b"panicked" in started.log():
                raise RuntimeError(f"the server has panicked: {started.log()[-2000:]}")


@contextlib.contextmanager
def mariadb():
    """A throw-away MariaDB; its URL."""
    server_program, install = program("mariadbd"), program("mariadb-install-db")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = pathlib.Path(name), free_port()
        options = ["--no-defaults", f"--datadir={folder}/data", f"--user={os.environ.get('USER') or 'root'}"]
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"], **quiet)
        listen = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket", "--skip-log-bin"]
        with running([server_program, *options, *listen], port, folder):
            create = "CREATE DATABASE portcullis CHARACTER SET utf8mb4"
            subprocess.run([program("mariadb"), "--no-defaults", "-uroot", f"-S{folder}/socket", "-e", create], **quiet)
            yield f"mysql://root@127.0.0.1:{port}/portcullis"


def raw(port, data, seconds=3.0):
    """Sends bytes as they are; all that came back until the server hung up or was silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
        received = b""
        end = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while time.monotonic() < end and (chunk := connection.recv(65536)):
                received += chunk
        return received
