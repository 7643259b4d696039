"""sqlmap on every parameter of every operation of the OpenAPI document, on SQLite and MariaDB."""

import concurrent.futures
import contextlib
import json
import re
import subprocess
import time

from common import mariadb, program, server

# What a body needs to be looked at beyond its shape.
PLAUSIBLE = {"email": "ada@example.com", "book": 1, "rating": 5, "is_public": True, "seq": 1, "year": 1999}
# The short form: where a text or a number of the caller's reaches a query.
FEW = (("get", "/api/books/"), ("get", "/api/reviews/"), ("post", "/api/auth/login/"), ("get", "/api/profiles/{username}/"))
FOUND = re.compile(r"identified the following injection point|is vulnerable|appears to be .*injectable")


def fields(document, operation):
    content = (operation.get("requestBody") or {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    while schema and "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for part in (schema or {}).get("allOf", []):
        schema = {"properties": (schema.get("properties") or {}) | (part.get("properties") or {})}
    return list((schema or {}).get("properties", {}))


def targets(document):
    """Method, path as in the document, path to call, and body; each parameter followed by sqlmap's `*`."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters = operation.get("parameters", [])
            called = re.sub(r"\{(\w+)\}", lambda match: ("ada" if match[1] == "username" else "1") + "*", path)
            query = "&".join(f"{parameter['name']}=1*" for parameter in parameters if parameter["in"] == "query")
            body = {name: PLAUSIBLE.get(name, "plausible") for name in fields(document, operation)}
            marked = {name: f"{value}*" for name, value in body.items()}
            if "*" in called + query or marked:
                yield method, path, called + (f"?{query}" if query else ""), marked


def request(target, method, _, path, body, token):
    data = json.dumps(body) if body else ""
    bearer = "" if path.startswith(("/api/auth/login", "/ws/")) else f"Authorization: Bearer {token}\r\n"
    kind = "Content-Type: application/json\r\n" if body else ""
    return f"{method.upper()} {path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n{bearer}{kind}\r\n{data}"


def probe(target, database, name, row, short, end):
    """Findings, whether the time cut it off, and what sqlmap said; nothing when the time had passed before."""
    seconds = min(end - time.monotonic(), 30 if short else 600)
    if seconds < 5:
        return [], False, None
    # A session of its own, since some operations end the one that they are called with.
    text = request(target, *row, target.token("staff"))
    folder = target.folder / f"sqlmap-{name}"
    folder.mkdir()
    (folder / "request").write_text(text, newline="")
    depth = ["--level", "1", "--risk", "1", "--technique", "BEU"] if short else ["--level", "5", "--risk", "3", "--technique", "BEUST"]
    command = [
        program("sqlmap"), "-r", str(folder / "request"), "--batch", "--ignore-stdin", "--flush-session", "--disable-coloring", *depth,
        "--dbms", database, "--ignore-code", "400,401,403,404,405,415,426,429", "--output-dir", str(folder / "out"),
        "--timeout", "10", "--retries", "1", "--time-sec", "3", "--answers", "redirect=N",
    ]
    if short:
        command.append("--smart")
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds)
        output, cut = ended.stdout + ended.stderr, False
    except subprocess.TimeoutExpired as late:
        output, cut = (late.stdout or b"").decode(errors="replace"), True
    logs = [path for path in (folder / "out").rglob("log") if path.stat().st_size]
    if FOUND.search(output) and logs:
        return [f"{database}: {text.splitlines()[0]}:\n{logs[0].read_text(errors='replace')[:1500]}"], cut, output
    return [], cut, output


def attack(binary, short):
    findings, tried, cut, late = [], 0, 0, 0
    for database in ("SQLite", "MySQL"):
        with contextlib.ExitStack() as stack:
            url = {} if database == "SQLite" else {"STORAGE__DATABASE_URL": stack.enter_context(mariadb())}
            target = stack.enter_context(server(binary, **url))
            # Each database has its half of the time.
            end = time.monotonic() + (90 if short else 45 * 60)
            document = target.call("GET", "/api/schema")[1]
            chosen = [row for row in targets(document) if not short or row[:2] in FEW]
            # What deletes comes last, or the others would find nothing.
            chosen.sort(key=lambda row: row[0] == "delete")
            pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(2))
            jobs = [pool.submit(probe, target, database, str(number), row, short, end) for number, row in enumerate(chosen)]
            for row, job in zip(chosen, jobs):
                found, was_cut, output = job.result()
                findings += found
                cut += was_cut
                late += output is None
                if output and "testing" not in output:
                    findings.append(f"{database}: {row[0]} {row[1]} was not tested by sqlmap: {output[-500:]}")
                tried += output is not None
    if late:
        findings.append(f"{late} operations were left out: the time had passed")
    return f"{tried} operations, {cut} of them cut off by the time", findings
