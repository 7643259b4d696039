"""sqlmap on every parameter of every operation of the OpenAPI document, on SQLite and MariaDB."""

import collections
import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.parse

from common import mariadb, operation, program, server
from world import CHANGE_PASSWORD, WAYS, World

# The short form: where a text or a number of the caller's reaches a query.
FEW = (("get", "/api/books"), ("get", "/api/reviews"), ("post", "/api/auth/login"), ("get", "/api/profiles/{username}"))
# Refused when called once more, with the reason why what sqlmap changes is tried all the same, or cannot matter.
ONCE = {
    ("post", "/api/books"): "the ISBN is taken then: a query has said so",
    ("post", "/api/reviews"): "the caller has reviewed the book then: a query has said so; PUT and PATCH take the same texts",
    ("post", "/api/follow-requests/{id}/reject"): "the id is a number",
    ("delete", "/api/books/{id}"): "the id is a number",
    ("delete", "/api/reviews/{id}"): "the id is a number",
    ("delete", "/api/rooms/{id}"): "the id is a number",
    ("delete", "/api/rooms/{id}/members/{username}"): "the member is gone then; the name is looked up",
}
# What has to be another in each call, where sqlmap does not change it.
DRAWN = {("post", "/api/auth/register"): "username"}
# What needs a mail goes first, what has many sent goes late, and what deletes goes last.
NEED_MAIL = {("post", "/api/auth/verify-email"), ("post", "/api/auth/password-reset/confirm"), ("post", "/api/auth/email-change/confirm")}
SEND_MAIL = {
    ("post", "/api/auth/register"), ("post", "/api/auth/resend-verification"), ("post", "/api/auth/password-reset"), ("post", "/api/auth/email-change"),
}
FOUND = re.compile(r"identified the following injection point|is vulnerable|appears to be .*injectable")
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
# Calls that sqlmap makes at least of a parameter that it tries: the first, three for its heuristics, some payloads.
FEWEST = 6

Row = collections.namedtuple("Row", "named path names marked places")


def fields(document, described):
    content = (described.get("requestBody") or {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    while schema and "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return list((schema or {}).get("properties", {}))


def rows(document, short):
    """What sqlmap is called for; each parameter alone in the long form, so that none waits behind another."""
    for path, operations in document["paths"].items():
        for method, described in operations.items():
            named = operation(method, path)
            places = {parameter["name"]: parameter["in"] for parameter in described.get("parameters", [])}
            places |= dict.fromkeys(fields(document, described), "body")
            for names in ways(named, places):
                alone = not short and named not in ONCE and named not in CHANGE_PASSWORD
                for marked in [(name,) for name in names] if alone else [names]:
                    yield Row(named, path, names, marked, places)


def ways(named, places):
    """The groups of parameters that one call has. A cursor is of a list as it was, so it goes with nothing else."""
    if named in WAYS:
        return WAYS[named]
    path = tuple(name for name, place in places.items() if place == "path")
    rest = tuple(name for name in places if name not in (*path, "cursor"))
    return [names for names in (path + rest, path + ("cursor",) if "cursor" in places else ()) if names]


def text(value, star):
    return urllib.parse.quote(str(value), safe="") + star


def request(target, row, world, star="*"):
    """One call, as bytes of HTTP; `star` follows what sqlmap changes."""
    values = world.values(row.named)
    stars = {name: star if name in row.marked else "" for name in row.names}
    path = re.sub(r"\{(\w+)\}", lambda match: text(values[match[1]], stars[match[1]]), row.path)
    if "cursor" in row.names:
        values |= world.cursor(re.sub(r"\{\w+\}", lambda match: str(values[match[0][1:-1]]), row.path))
    query = {name: values[name] for name in row.names if row.places[name] == "query"}
    if "cursor" in query:
        query["page_size"] = 1
    path += "?" * bool(query) + "&".join(f"{name}={text(value, stars.get(name, ''))}" for name, value in query.items())
    headers = {"Host": f"127.0.0.1:{target.port}"}
    if row.named != ("post", "/api/auth/login"):
        # A session of its own, since some operations end the one that they are called with.
        headers["Authorization"] = f"Bearer {target.token(world.caller(row.named))}"
    body = {name: values[name] for name in row.names if row.places[name] == "body"}
    if body:
        headers["Content-Type"] = "application/json"
    if row.path.startswith("/ws/"):
        headers |= UPGRADE
    lines = [f"{row.named[0].upper()} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", marked_json(body, stars)])


def marked_json(body, stars):
    """JSON with stars inside its texts and after its numbers; what is yes or no, or an object, stays as it is."""
    pairs = []
    for name, value in body.items():
        written = json.dumps(value)
        if isinstance(value, str):
            written = f'{written[:-1]}{stars[name]}"'
        elif type(value) is int:
            written += stars[name]
        pairs.append(f"{json.dumps(name)}: {written}")
    return "{" + ", ".join(pairs) + "}" if pairs else ""


def plain_status(target, row, world):
    """What the call that sqlmap starts from is answered."""
    head, body = request(target, row, world, star="").split("\r\n\r\n", 1)
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    return target.call(method, path, json.loads(body) if body else None, headers=dict(line.split(": ", 1) for line in lines))[0]


def refused(target, row, world, when):
    if row.named in ONCE:
        return []
    status = plain_status(target, row, world)
    return [f"{' '.join(row.named)} with {', '.join(row.names)} is answered {status} {when}: not tested"] if status >= 400 else []


def sqlmap(database, asked, folder, short, seconds, *more):
    """What sqlmap found, and whether the time cut it off."""
    folder.mkdir()
    (folder / "request").write_text(asked, newline="")
    depth = ["--level", "1", "--risk", "1", "--technique", "BEU"] if short else ["--level", "5", "--risk", "3", "--technique", "BEUST"]
    command = [
        program("sqlmap"), "-r", str(folder / "request"), "--batch", "--ignore-stdin", "--flush-session", "--disable-coloring", *depth,
        "--dbms", database, "--ignore-code", "400,401,403,404,405,415,426,429", "--output-dir", str(folder / "out"),
        "--timeout", "10", "--retries", "1", "--time-sec", "3", "--answers", "redirect=N", *more,
    ]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds)
        output, cut = ended.stdout + ended.stderr, False
    except subprocess.TimeoutExpired as late:
        output, cut = (late.stdout or b"").decode(errors="replace"), True
    logs = [path for path in (folder / "out").rglob("log") if path.stat().st_size]
    if FOUND.search(output) and logs:
        return [f"{database}: {asked.splitlines()[0]}:\n{logs[0].read_text(errors='replace')[:1500]}"], cut
    return [], cut


class Weak(http.server.BaseHTTPRequestHandler):
    """What sqlmap has to find something in, or it finds nothing anywhere."""

    def do_GET(self):
        title = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("search", [""])[0]
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE books AS SELECT 'book' AS title")
        try:
            found = database.execute(f"SELECT title FROM books WHERE title = '{title}'").fetchall()
        except sqlite3.Error:
            found = []
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_):
        pass


def control(short):
    with tempfile.TemporaryDirectory() as folder, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Weak) as weak:
        threading.Thread(target=weak.serve_forever, daemon=True).start()
        asked = f"GET /?search=book* HTTP/1.1\r\nHost: 127.0.0.1:{weak.server_port}\r\n\r\n"
        found, _ = sqlmap("SQLite", asked, pathlib.Path(folder, "sqlmap"), short, 60)
        weak.shutdown()
    return [] if found else ["sqlmap finds nothing in a server made to be weak: nothing was tested"]


class Clock:
    """Gives each of what is left to do its part of the time that is left."""

    def __init__(self, seconds, jobs, workers, most):
        self.end, self.jobs, self.workers, self.most = time.monotonic() + seconds, jobs, workers, most

    def part(self):
        left = self.end - time.monotonic()
        part = min(left, self.most, left * self.workers / max(self.jobs, 1))
        self.jobs -= 1
        return part


def probe(target, database, number, row, world, short, clock):
    """Findings, and whether the time cut sqlmap off."""
    if refusal := refused(target, row, world, "before"):
        return refusal, False
    drawn = DRAWN.get(row.named)
    more = ["--randomize", drawn] if drawn and drawn not in row.marked else []
    folder = target.folder / f"sqlmap-{number}"
    found, cut = sqlmap(database, request(target, row, world), folder, short, max(clock.part(), 8), *more)
    return found + refused(target, row, world, "afterwards"), cut


def unreached(answers, causes, chosen):
    """What the server's own log says: of each operation calls arrived, enough of them and a good one; none broke it."""
    runs = collections.Counter(row.named for row in chosen)
    for named, count in runs.items():
        statuses = {status: number for (called, status), number in answers.items() if called == named}
        if sum(statuses.values()) < FEWEST * count or not any(status < 400 for status in statuses):
            yield f"{' '.join(named)} was not reached by sqlmap: {statuses}"
    for (called, status), number in answers.items():
        if status >= 500:
            yield f"{' '.join(called)} was answered {status}, {number} times"
    for cause, number in causes.most_common(5):
        yield f"{number} times: {cause}"


def attack(binary, short):
    findings, tried, cut, calls = control(short), 0, [], 0
    for database in ("SQLite", "MySQL"):
        with contextlib.ExitStack() as stack:
            url = {} if database == "SQLite" else {"STORAGE__DATABASE_URL": stack.enter_context(mariadb())}
            target = stack.enter_context(server(binary, LOG__FORMAT="json", **url))
            world = World(target)
            made = target.answers()
            chosen = [row for row in rows(target.call("GET", "/api/schema")[1], short) if not short or row.named in FEW]
            chosen.sort(key=lambda row: (row.named[0] == "delete", row.named in SEND_MAIL, row.named not in NEED_MAIL))
            # Each database has its half of the time.
            clock = Clock(25 if short else 45 * 60, len(chosen), 2, 600)
            pool = concurrent.futures.ThreadPoolExecutor(2)
            # When the time of all has passed, what waits does not begin.
            stack.callback(pool.shutdown, cancel_futures=True)
            jobs = [pool.submit(probe, target, database, number, row, world, short, clock) for number, row in enumerate(chosen)]
            for row, job in zip(chosen, jobs):
                try:
                    found, was_cut = job.result()
                except RuntimeError as error:
                    found, was_cut = [f"{' '.join(row.named)} was not tested: {error}"], False
                findings += [line if line.startswith(database) else f"{database}: {line}" for line in found]
                cut += [f"{' '.join(row.named)} ({', '.join(row.marked)})"] if was_cut else []
            answers = target.answers() - made
            findings += [f"{database}: {line}" for line in unreached(answers, target.causes(), chosen)]
            tried, calls = tried + len(chosen), calls + sum(answers.values())
    return f"{tried} runs of sqlmap, {calls} calls, cut off by the time: {'; '.join(cut) or 'none'}", findings
