"""Probes two servers as `portcullis check --url` does, passive and active: the guide's Django, and this one as it comes.

Usage: check_url.py PORTCULLIS_BINARY [FOLDER_FOR_REPORTS]. Ends with 0 when at least 15 holes of the first were found
and none of the second, nothing was skipped that can be looked at, and no run took longer than it may. Takes five
minutes, most of it waiting for throttles.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAPPING = HERE.parent / "crates" / "probe" / "mappings" / "guide-django.toml"
LEAST = 15
SECONDS = {"passive": 60, "active": 300}
# Probes of this server that may find its throttles full.
LATE = 2
# Holes that the guide's text makes, whatever the machine is doing.
EXPECTED_PASSIVE = {"headers.csp_pages", "headers.csp_api", "errors.shape", "websocket.code"}
EXPECTED = EXPECTED_PASSIVE | {
    "throttle.login", "throttle.reset", "throttle.forwarded", "cache.own",
    "uploads.metadata", "uploads.polyglot", "uploads.page", "uploads.old_file", "objects.anonymous",
    "socket.origin_with_token", "socket.forbidden_code", "socket.logout", "socket.outlives", "enumeration.register",
    "sessions.refresh_reuse", "sessions.family", "sessions.logout_refresh", "sessions.logout_access",
    "sessions.password_change", "sessions.password_reset", "reset.others", "passwords.similar",
}  # fmt: skip

# What this server, as it comes, cannot show: it is on this machine, without https, without a cookie for visitors and
# without published keys, and its throttles let nobody measure.
NOT_HERE = {
    "transport.encrypted", "transport.plain", "tls.old", "tls.newest", "tls.certificate", "tls.expiry",
    "headers.hsts", "cors.localhost", "disclosure.monitoring", "cookies.secure", "cookies.http_only",
    "cookies.same_site", "tokens.confused", "timing.login", "timing.reset", "timing.resend",
}  # fmt: skip


@contextlib.contextmanager
def served(command, port, log, environment=None):
    """A server on this port until the block ends."""
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | (environment or {}))
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            raise SystemExit(f"{command[0]} did not answer within a minute")
        if process.poll() is not None:
            raise SystemExit(f"{command[0]} did not start:\n{Path(log).read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def django(_):
    with tempfile.TemporaryDirectory() as folder:
        port, mails = free_port(), Path(folder, "mail")
        mails.mkdir()
        command = [sys.executable, str(HERE / "guide_django" / "serve.py"), "--port", str(port), "--data", folder]
        with served(command, port, f"{folder}/log") as url:
            yield url, mails, ["--mapping", str(MAPPING)]


@contextlib.contextmanager
def ours(binary):
    with tempfile.TemporaryDirectory() as folder:
        port, mails = free_port(), Path(folder, "data", "mail")
        mails.mkdir(parents=True)
        # A book to review; everything else is as it comes.
        books = Path(folder, "books.json")
        books.write_text(json.dumps({"books": [{"title": "The Sea", "author": "John Banville"}]}))
        environment = {
            "PORTCULLIS_STORAGE__DATA_DIR": f"{folder}/data",
            "PORTCULLIS_SERVER__LISTEN": f"127.0.0.1:{port}",
        }
        load = [binary, "load", books]
        subprocess.run(load, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
        with served([binary, "serve"], port, f"{folder}/log", environment) as url:
            yield url, mails, []


def check(binary, url, *more):
    """The report, and how many seconds it took from beginning to end."""
    command = [binary, "check", "--url", url, "--format", "json", *more]
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=400)
    if done.returncode == 2:
        raise SystemExit(f"{' '.join(command)} could not run")
    return json.loads(done.stdout) | {"seconds": time.monotonic() - start}


def probe(name, server, binary, results):
    """Each run has a server of its own: calls that the first makes would be throttles of the second."""
    with server(binary) as (url, _, more):
        results[name, "passive"] = check(binary, url, *more)
    with server(binary) as (url, mails, more):
        results[name, "active"] = check(binary, url, "--active", "--mailbox", str(mails), *more)


def ended(report, status):
    return [item for item in report["items"] if item["status"] == status]


def findings(report):
    return {item["id"] for item in ended(report, "found") if item["severity"] != "note"}


def tell(name, mode, report):
    found, skipped = ended(report, "found"), ended(report, "skipped")
    passed = len(ended(report, "passed"))
    print(f"{name}, {mode}: {len(findings(report))} holes, {passed} passed, in {report['seconds']:.0f} s")
    for item in found:
        print(f"  {item['severity']:6} {item['id']:26} {item['title']}")
    for item in skipped:
        print(f"  skip   {item['id']:26} {item['seen']}")
    for left in report["left"]:
        print(f"  left   {left}")


def wrong(name, mode, report):
    """What is not as it must be, in sentences."""
    if report["seconds"] >= SECONDS[mode]:
        yield f"it took {report['seconds']:.0f} s"
    found = findings(report)
    if name == "ours":
        if found:
            yield f"found: {json.dumps([item for item in ended(report, 'found') if item['id'] in found], indent=1)}"
        skipped = {item["id"]: item["seen"] for item in ended(report, "skipped")}
        # A binary that was built without its pages has none for the links of mails.
        pages = {name for name in ("mail.prefetch", "reset.prefetch") if " answers 404" in skipped.get(name, "")}
        blind = skipped.keys() - NOT_HERE - pages
        # Five calls a minute and five minutes: on a busy machine the last probes may find no place.
        late = {name for name in blind if "throttled" in skipped[name]}
        if blind - late or len(late) > LATE:
            yield f"not looked at: {sorted(blind)}"
        return
    if missing := (EXPECTED if mode == "active" else EXPECTED_PASSIVE) - found:
        yield f"not found: {sorted(missing)}"
    if mode == "active" and len(found) < LEAST:
        yield f"{len(found)} holes, {LEAST} were expected"


def main():
    binary, results = sys.argv[1], {}
    servers = {"the guide's Django": django, "ours": ours}
    runs = [threading.Thread(target=probe, args=(*pair, binary, results)) for pair in servers.items()]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    if len(results) < 2 * len(runs):
        raise SystemExit("FAIL  a run ended early")
    for (name, mode), report in results.items():
        tell(name, mode, report)
        if len(sys.argv) > 2:
            Path(sys.argv[2], f"{mode}-{name.split()[-1].lower()}.json").write_text(json.dumps(report, indent=1))
    faults = [f"{name}, {mode}: {fault}" for (name, mode), report in results.items() for fault in wrong(name, mode, report)]
    if faults:
        raise SystemExit("\n".join(f"FAIL  {fault}" for fault in faults))


if __name__ == "__main__":
    main()
