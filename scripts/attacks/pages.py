"""wapiti against the pages and the API, one module after the other, each with the calls that the server's log has of it."""

import contextlib
import http.server
import json
import subprocess
import threading

from common import program, server
from world import World

# Left out are csrf and htaccess, which found nothing to call (no form without JavaScript, no folder with a password).
MODULES = ("backup", "blindsql", "crlf", "exec", "file", "methods", "redirect", "shellshock", "sql", "ssrf", "xss,permanentxss", "xxe")
FEW = ("crlf", "file", "redirect", "sql", "xss,permanentxss")
# What wapiti calls a weakness and is none here, with the reason.
ALLOWED = {
    "HTTP Methods": "OPTIONS is answered, as CORS asks",
}


class Endpoint(http.server.BaseHTTPRequestHandler):
    """What the attacked server is lured to, and what wapiti asks whether it came; its makers' own is elsewhere."""

    def do_GET(self):
        if not self.path.startswith("/get_"):
            self.server.lured.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def endpoint():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as listening:
        listening.lured = []
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening
        listening.shutdown()


def starts(world):
    """Addresses to start from, most with parameters that are read."""
    token = world.unsubscribe["token"]
    return (
        "/", "/api/docs", "/login", "/dev/mail/", "/verify-email?token=a", "/api/profiles/ada/",
        "/api/books/?search=book&ordering=title", "/api/reviews/?user=ada&search=title", "/api/rooms/?search=room&ordering=name",
        "/api/rooms/1/messages/?ordering=seq&page_size=1", "/api/blocks/?page_size=1", f"/api/notifications/unsubscribe/?token={token}",
    )


def wapiti(target, lure, module, addresses, token, seconds, *more):
    """What a module found; its calls are in the log."""
    out = target.folder / "wapiti.json"
    out.unlink(missing_ok=True)
    command = [
        program("wapiti"), "-u", f"{target.url}/", *[word for path in addresses for word in ("-s", target.url + path)],
        "-m", module, "--scope", "domain", "--no-bugreport", "-d", "3", "--store-session", str(target.folder / "session"),
        "-H", f"Authorization: Bearer {token}", "-f", "json", "-o", str(out), "-v", "0", "--max-attack-time", str(seconds),
        "--endpoint", f"http://127.0.0.1:{lure.server_port}/", *more,
    ]
    ended = subprocess.run(command, cwd=target.folder, capture_output=True, text=True, timeout=2 * seconds + 60)
    if not out.exists():
        return [f"wapiti did not report on {module}: {(ended.stdout + ended.stderr)[-1500:]}"]
    report = json.loads(out.read_text())
    rows = [(name, one) for kind in ("vulnerabilities", "anomalies") for name, found in report[kind].items() for one in found]
    return [f"{name}: {one.get('method')} {one.get('path')} {one.get('info')}" for name, one in rows if name not in ALLOWED]


def attack(binary, short):
    findings, calls = [], []
    with server(binary, LOG__FORMAT="json") as target, endpoint() as lure:
        world = World(target)
        addresses, token, before = starts(world), target.token("ada"), target.answers()
        asked = sum("?" in address for address in addresses)
        for module in FEW if short else MODULES:
            # The first crawls, the others attack what it saw.
            more = ["--skip-crawl", "--flush-attacks"] if calls else ["--flush-session", "--max-scan-time", "15" if short else "120"]
            findings += wapiti(target, lure, module, addresses, token, 15 if short else 60, *more)
            answers = target.answers()
            count = sum((answers - before).values()) - (0 if calls else len(addresses))
            calls.append(f"{module} {count}")
            if count < asked:
                findings.append(f"{module} made {count} calls, not one for each of {asked} addresses with parameters: nothing was tested")
            before = answers
        findings += [f"the server was lured to {path}" for path in lure.lured[:3]]
        if target.call("GET", "/api/auth/me/", bearer=token)[0] != 200:
            findings.append("the session ended during the run: what came after was not tested")
    return f"calls by module: {', '.join(calls)}", findings
