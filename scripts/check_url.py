"""Probes two servers as `portcullis check --url --active` does: the guide's Django, and this one as it comes.

Usage: check_url.py PORTCULLIS_BINARY. Ends with 0 when at least 15 holes of the first were found and none of the
second. Takes five minutes, most of it waiting for throttles.
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
# Holes that the guide's text makes, whatever the machine is doing.
EXPECTED = {
    "headers.csp_pages", "websocket.code", "throttle.login", "throttle.reset", "throttle.forwarded",
    "uploads.metadata", "uploads.polyglot", "uploads.page", "uploads.old_file", "objects.anonymous",
    "socket.origin_with_token", "socket.outlives", "enumeration.register", "sessions.refresh_reuse",
    "sessions.family", "sessions.logout_refresh", "sessions.logout_access", "sessions.password_change",
    "sessions.password_reset", "reset.others", "passwords.similar", "mail.injection",
}  # fmt: skip

# Probes that are to look at this server, and not be skipped.
MUST_RUN = EXPECTED | {"tokens.unsigned", "tokens.tampered", "objects.script", "objects.read", "socket.stranger"}


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


def check(binary, url, mailbox, *more):
    command = [binary, "check", "--url", url, "--active", "--mailbox", str(mailbox), "--format", "json", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=400)
    if done.returncode == 2:
        raise SystemExit(f"{' '.join(command)} could not run")
    return json.loads(done.stdout)


def ended(report, status):
    return [item for item in report["items"] if item["status"] == status]


def django(binary, folder, results):
    port, mails = free_port(), Path(folder, "mail")
    mails.mkdir()
    command = [sys.executable, str(HERE / "guide_django" / "serve.py"), "--port", str(port), "--data", folder]
    with served(command, port, f"{folder}/log") as url:
        results["django"] = check(binary, url, mails, "--mapping", str(MAPPING))


def ours(binary, folder, results):
    port, mails = free_port(), Path(folder, "data", "mail")
    mails.mkdir(parents=True)
    # A book to review; everything else is as it comes.
    books = Path(folder, "books.json")
    books.write_text(json.dumps({"books": [{"title": "The Sea", "author": "John Banville"}]}))
    environment = {
        "PORTCULLIS_STORAGE__DATA_DIR": f"{folder}/data",
        "PORTCULLIS_SERVER__LISTEN": f"127.0.0.1:{port}",
    }
    subprocess.run([binary, "load", books], env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
    with served([binary, "serve"], port, f"{folder}/log", environment) as url:
        results["ours"] = check(binary, url, mails)


def judge(results):
    found = ended(results["django"], "found")
    ids = {item["id"] for item in found if item["severity"] != "note"}
    seconds = {name: round(report["milliseconds"] / 1000) for name, report in results.items()}
    print(f"The guide's Django has {len(ids)} holes (probed in {seconds['django']} s):")
    for item in found:
        print(f"  {item['severity']:6} {item['id']:26} {item['title']}")
    missing = EXPECTED - ids
    if len(ids) < LEAST or missing:
        raise SystemExit(f"FAIL  at least {LEAST} holes were expected, and these: {sorted(missing)}")
    ours = [item for item in ended(results["ours"], "found") if item["severity"] != "note"]
    skipped = ended(results["ours"], "skipped")
    print(f"This server: {len(ours)} holes, {len(ended(results['ours'], 'passed'))} probes passed, in {seconds['ours']} s; skipped:")
    for item in skipped:
        print(f"  {item['id']:26} {item['seen']}")
    if ours:
        raise SystemExit(f"FAIL  found on this server: {json.dumps(ours, indent=1)}")
    # What only a throttle, https or a setting keeps from being looked at.
    blind = {item["id"] for item in skipped} & MUST_RUN
    if blind:
        raise SystemExit(f"FAIL  not looked at on this server: {sorted(blind)}")


def main():
    binary, results = sys.argv[1], {}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        pairs = ((django, one), (ours, other))
        runs = [threading.Thread(target=run, args=(binary, folder, results)) for run, folder in pairs]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
    if len(results) < len(runs):
        raise SystemExit("FAIL  a run ended early")
    judge(results)


if __name__ == "__main__":
    main()
