"""The examples of docs/use-from-your-backend.md, taken from the page and run against a real server.

Usage: backends.py PORTCULLIS_BINARY AXUM_EXAMPLE. Ends with 0 when every check held. An example whose program
is not installed is left out; with CI=1 that fails.
"""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEY = "a shared key of more than thirty-two bytes, for HS256"
PASSWORD = "Sturdy-Harbour-42"
LIFETIME = 15
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
NJS = pathlib.Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
NODE_MODULES = pathlib.Path(sys.executable).parent.parent.parent / "node/node_modules"


def check(what, held):
    print(("ok    " if held else "FAIL  ") + what, flush=True)
    if not held:
        sys.exit(1)


def extract(page, folder):
    """Writes each block whose first line is a comment that names a file."""
    for block in re.findall(r"^```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        first, rest = block.split("\n", 1)
        if match := re.fullmatch(r"(?:#|//) ([\w./-]+/[\w.-]+\.\w+)", first):
            path = folder / match[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rest)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(port, method, path, body=None, bearer=None, headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path)
        data = b"" if body is None else json.dumps(body).encode()
        all_headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers]
        if bearer:
            all_headers.append(("Authorization", f"Bearer {bearer}"))
        for name, value in all_headers:
            connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text[:1] == b"{" else {}
    finally:
        connection.close()


@contextlib.contextmanager
def running(command, port, folder, **environment):
    """A program until the end of the block, from when its port answers."""
    with open(folder / "log", "a+") as log:
        program = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=log, stderr=log)
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                if program.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                program.kill()
            if program.poll() is not None:
                log.seek(0)
                sys.exit(f"{command[0]} did not start:\n{log.read()}")
            yield
        finally:
            program.terminate()
            program.wait(20)


@contextlib.contextmanager
def portcullis(binary, folder, algorithm):
    folder.mkdir()
    port = free_port()
    users = [{"username": name, "email": f"{name}@example.com", "password": PASSWORD} for name in ("ada", "bob")]
    (folder / "users.json").write_text(json.dumps({"users": users}))
    environment = {
        "PORTCULLIS_STORAGE__DATA_DIR": str(folder / "data"),
        "PORTCULLIS_SERVER__LISTEN": f"127.0.0.1:{port}",
        "PORTCULLIS_TOKENS__ALGORITHM": algorithm,
        "PORTCULLIS_TOKENS__ACCESS_LIFETIME": f"{LIFETIME}s",
        "PORTCULLIS_THROTTLE__AUTH": "1000/minute",
        "PORTCULLIS_THROTTLE__USER": "100000/hour",
        "PORTCULLIS_PASSWORD__MEMORY_KIB": "64",
        "PORTCULLIS_PASSWORD__ITERATIONS": "1",
    }
    if algorithm == "HS256":
        environment["PORTCULLIS_TOKENS__SIGNING_KEY"] = KEY
    load = subprocess.run([binary, "load", "users.json"], env=os.environ | environment, cwd=folder, capture_output=True)
    check(f"Portcullis with {algorithm} loads users", load.returncode == 0)
    with running([binary, "serve"], port, folder, **environment):
        yield port


def login(port, username):
    status, tokens = call(port, "POST", "/api/auth/login/", {"username": username, "password": PASSWORD})
    assert status == 200, tokens
    return tokens


def forged(token):
    """The same claims with another signature, and with none."""
    message, signature = token.rsplit(".", 1)
    turned = ("B" if signature[0] == "A" else "A") + signature[1:]
    payload = message.split(".")[1]
    return f"{message}.{turned}", f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."


def exercise(name, server, service, sees_logout):
    """What every example promises; answers a token of an ended session."""
    ada, bob = login(server, "ada"), login(server, "bob")
    for tokens in (ada, bob):
        status, body = call(service, "GET", "/mine", bearer=tokens["access"])
        check(f"{name}: an access token says whose it is", status == 200 and int(body["user_id"]) == tokens["user"]["id"])
    check(f"{name}: nobody is 401", call(service, "GET", "/mine")[0] == 401)
    turned, unsigned = forged(ada["access"])
    others = {"nonsense": "nonsense", "a refresh token": ada["refresh"], "a forged token": turned, "alg none": unsigned}
    for what, token in others.items():
        check(f"{name}: {what} is 401", call(service, "GET", "/mine", bearer=token)[0] == 401)
    if name == "Express":
        check("Express: a live session may delete", call(service, "DELETE", "/mine", bearer=ada["access"])[0] == 204)
    call(server, "POST", "/api/auth/logout/", {"refresh": ada["refresh"]})
    time.sleep(1)
    status, _ = call(service, "GET", "/mine", bearer=ada["access"])
    check(f"{name}: after a logout {status}", status == (401 if sees_logout else 200))
    if name == "Express":
        check("Express: an ended session may not delete", call(service, "DELETE", "/mine", bearer=ada["access"])[0] == 401)
    return ada["access"]


@contextlib.contextmanager
def django(folder, settings, server, **environment):
    port = free_port()
    environment |= {
        "DJANGO_SETTINGS_MODULE": settings,
        "DJANGO_SECRET_KEY": "a key of the service's own",
        "PORTCULLIS_URL": f"http://127.0.0.1:{server}",
        "PYTHONPATH": ".",
    }
    manage = [sys.executable, "-m", "django"]
    (folder / "app.sqlite3").unlink(missing_ok=True)
    subprocess.run([*manage, "migrate", "--run-syncdb", "-v", "0"], cwd=folder, env=os.environ | environment, check=True)
    with running([*manage, "runserver", "--noreload", f"127.0.0.1:{port}"], port, folder, **environment):
        yield port


@contextlib.contextmanager
def express(folder, server):
    port = free_port()
    (folder / "node_modules").symlink_to(NODE_MODULES)
    with running(["node", "server.mjs"], port, folder, PORTCULLIS_URL=f"http://127.0.0.1:{server}", PORT=str(port)):
        yield port


@contextlib.contextmanager
def axum(program, folder, server):
    port = free_port()
    folder.mkdir(exist_ok=True)
    with running([program], port, folder, PORTCULLIS_URL=f"http://127.0.0.1:{server}", LISTEN=f"127.0.0.1:{port}"):
        yield port


class Behind(http.server.BaseHTTPRequestHandler):
    """A service that believes the headers of the nginx in front."""

    def do_GET(self):
        if self.path == "/broken":
            return self.send_error(500, "of the service's own")
        body = json.dumps({"user_id": self.headers["X-User-Id"], "token": self.headers["Authorization"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def nginx(folder, server):
    port = free_port()
    behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    config = (folder / "app.conf").read_text()
    for ours, theirs in ((8000, server), (3000, behind.server_port), (8080, port)):
        config = config.replace(f"127.0.0.1:{ours}", f"127.0.0.1:{theirs}")
    (folder / "app.conf").write_text(config)
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"load_module {NJS};\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}include app.conf;\n}}\n"
    )
    os.chmod(folder, 0o755)
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with running(command, port, folder):
        yield port
    behind.shutdown()


def exercise_nginx(server, service):
    ended = exercise("nginx", server, service, sees_logout=True)
    bob = login(service, "bob")
    check("nginx: accounts are reached through it", bob["user"]["username"] == "bob")
    status, body = call(service, "GET", "/mine", bearer=bob["access"], headers=[("X-User-Id", "1"), ("X-User-Id", "2")])
    own = body == {"user_id": str(bob["user"]["id"]), "token": None}
    check("nginx: an X-User-Id that a caller sends is replaced, and the token stays here", status == 200 and own)
    two = call(service, "GET", "/mine", bearer=bob["access"], headers=[("Authorization", f"Bearer {ended}")])[0]
    check("nginx: two tokens are none", two in (400, 401))
    lower = call(service, "GET", "/mine", headers=[("authorization", f"bearer  {bob['access']}")])
    check("nginx: the scheme matches without regard to case", lower[1].get("user_id") == str(bob["user"]["id"]))
    check("nginx: the sub-request is not for callers", call(service, "GET", "/session", bearer=bob["access"])[0] == 404)
    check("nginx: a 500 of the service stays one", call(service, "GET", "/broken", bearer=bob["access"])[0] == 500)
    return ended


def is_missing(name, held):
    if not held:
        print(f"left out: {name} is not installed", flush=True)
        if os.environ.get("CI"):
            sys.exit(1)
    return not held


def main():
    binary, axum_program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        extract((ROOT / "docs/use-from-your-backend.md").read_text(), folder)
        example = "crates/security/examples/axum_backend.rs"
        check(f"the page shows {example}", (folder / example).read_text() == (ROOT / example).read_text())
        shared = stack.enter_context(portcullis(binary, folder / "shared", "HS256"))
        away = stack.enter_context(contextlib.ExitStack())
        public = away.enter_context(portcullis(binary, folder / "public", "EdDSA"))
        services = []

        def run(name, server, service, exercised=None):
            port = stack.enter_context(service)
            ended = exercised(server, port) if exercised else exercise(name, server, port, sees_logout=False)
            services.append((name, port, ended))

        run("Django, shared key", shared, django(folder / "django", "settings_hs256", shared, SIGNING_KEY=KEY))
        run("axum", public, axum(axum_program, folder / "axum", public))
        shutil.copytree(folder / "django", folder / "django_public")
        run("Django, public keys", public, django(folder / "django_public", "settings", public))
        if not is_missing("Express", NODE_MODULES.exists()):
            run("Express", public, express(folder / "express", public))
        if not is_missing("nginx with its JavaScript module", NGINX and NJS.exists()):
            run("nginx", public, nginx(folder / "nginx", public), exercise_nginx)
        time.sleep(LIFETIME)
        for name, port, ended in services:
            check(f"{name}: an expired token is 401", call(port, "GET", "/mine", bearer=ended)[0] == 401)
        away.close()
        for name, port, ended in services[1:]:
            status = call(port, "GET", "/mine", bearer=ended)[0]
            check(f"{name}: without Portcullis {status}", status == (503 if name == "nginx" else 401))


main()
