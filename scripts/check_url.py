"""Probes two servers as `portcullis check --url --active` does: the guide's Django, and this one as it comes.

Usage: check_url.py PORTCULLIS_BINARY. Ends with 0 when at least 15 holes of the first were found and none of the
second. Takes five minutes, most of it waiting for throttles.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
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


class Served:
    """A server on a free port until the block ends; the line with `Listening` tells where."""

    def __init__(self, command, environment=None):
        self.command, self.environment = command, environment or {}

    def __enter__(self):
        environment = os.environ | self.environment
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True)
        seen = ""
        for line in self.process.stdout:
            seen += line
            if "http://127.0.0.1:" in line:
                port = line.split("http://127.0.0.1:")[1].split("/")[0].split()[0]
                # Whoever writes to a full pipe stops.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return f"http://127.0.0.1:{int(''.join(filter(str.isdigit, port)))}"
        raise SystemExit(f"{self.command[0]} did not start:\n{seen}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def check(binary, url, mailbox, *more):
    command = [binary, "check", "--url", url, "--active", "--mailbox", mailbox, "--format", "json", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=400)
    if done.returncode == 2:
        raise SystemExit(f"{' '.join(command)} could not run")
    return json.loads(done.stdout)


def ended(report, status):
    return [item for item in report["items"] if item["status"] == status]


def django(binary, folder, results):
    with Served([sys.executable, str(HERE / "guide_django" / "serve.py"), "--data", folder]) as url:
        results["django"] = check(binary, url, f"{folder}/mail", "--mapping", str(MAPPING))


def ours(binary, folder, results):
    Path(folder, "books.json").write_text(json.dumps({"books": [{"title": "The Sea", "author": "John Banville"}]}))
    environment = {"PORTCULLIS_STORAGE__DATA_DIR": f"{folder}/data", "PORTCULLIS_SERVER__LISTEN": "127.0.0.1:0"}
    subprocess.run([binary, "load", f"{folder}/books.json"], env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
    with Served([binary, "serve"], environment) as url:
        results["ours"] = check(binary, url, f"{folder}/data/mail")


def main():
    binary, results = sys.argv[1], {}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        runs = [threading.Thread(target=run, args=(binary, folder, results)) for run, folder in ((django, one), (ours, other))]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
    print(json.dumps({name: sorted(results) for name in ()}) if False else "", end="")
    judge(results)


if __name__ == "__main__":
    main()
