"""SIGKILL during registrations: every 201 that was answered is there after the restart, with its mail.

Usage: kill_nine.py PORTCULLIS_BINARY [ROUNDS]. Ends with 0 when nothing was lost.
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

REGISTRATIONS = 1000
PASSWORD = "Sturdy-Harbour-42"


def post(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def start(binary, environment, folder, port):
    server = subprocess.Popen([binary, "serve"], env=environment, cwd=folder, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server
        except OSError:
            time.sleep(0.02)
    sys.exit("the server did not start")


def register(port, name, acknowledged):
    try:
        status, _ = post(port, "/api/auth/register/", {"username": name, "email": f"{name}@example.com", "password": PASSWORD})
    except (OSError, http.client.HTTPException, ValueError):
        return
    if status == 201:
        acknowledged[name] = time.monotonic()


def mailed(folder):
    texts = (path.read_text() for path in pathlib.Path(folder, "data/mail").glob("*.eml"))
    return {line[4:].strip().strip("<>") for text in texts for line in text.splitlines() if line.startswith("To: ")}


def play(binary, number):
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        environment = os.environ | {
            "PORTCULLIS_STORAGE__DATA_DIR": f"{folder}/data",
            "PORTCULLIS_SERVER__LISTEN": f"127.0.0.1:{port}",
            "PORTCULLIS_THROTTLE__ENABLED": "false",
            "PORTCULLIS_PASSWORD__MEMORY_KIB": "64",
            "PORTCULLIS_PASSWORD__ITERATIONS": "1",
        }
        server = start(binary, environment, folder, port)
        acknowledged, killed = {}, []

        def kill():
            os.kill(server.pid, signal.SIGKILL)
            killed.append(time.monotonic())

        timer = threading.Timer(random.uniform(0.3, 2.0), kill)
        timer.start()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for index in range(REGISTRATIONS):
                pool.submit(register, port, f"r{number}_{index}", acknowledged)
        timer.join()
        server.wait()
        server = start(binary, environment, folder, port)
        lost = [name for name in acknowledged if post(port, "/api/auth/login/", {"username": name, "password": PASSWORD})[1].get("code") != "email_not_verified"]
        wanted = {f"{name}@example.com" for name in acknowledged}
        # A letter in flight at the kill is leased to the dead process for a minute.
        deadline = time.monotonic() + 80
        while wanted - mailed(folder) and time.monotonic() < deadline:
            time.sleep(0.2)
        unmailed = wanted - mailed(folder)
        server.terminate()
        server.wait(20)
        latest = max((at for at in acknowledged.values() if at <= killed[0]), default=0)
        gap = (killed[0] - latest) * 1000
        print(f"round {number}: {len(acknowledged)} acknowledged, the last {gap:.1f} ms before the kill; {len(lost)} lost, {len(unmailed)} without mail", flush=True)
        return not lost and not unmailed, gap


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    outcomes = [play(sys.argv[1], number) for number in range(rounds)]
    print(f"shortest time between an answer and the kill: {min(gap for _, gap in outcomes):.1f} ms")
    sys.exit(0 if all(held for held, _ in outcomes) else 1)


main()
