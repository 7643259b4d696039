"""Schemathesis: every operation of the OpenAPI document, with what it allows and what it forbids.

The document is given real values as examples (`world.py`), or most calls would be refused before they do anything.
"""

import collections
import json
import re
import subprocess

from common import operation, program, server
from world import World

# Checks that our contract contradicts, each with its reason.
IGNORED = {
    "positive_data_acceptance": "a token, code, password or blank text is refused although its type is right",
    "negative_data_rejection": "unknown parameters are ignored, a wrong page size is taken for the default (contract §1)",
}
THROTTLED = {"missing_required_header": "over the limit the answer is 429, whoever asks"}
SOCKET = ("get", "/ws/chat/{room_id}")
# These end what a run lives on (its session, rooms, those whom its user may follow): each has a run of its own.
ENDING = [
    ("post", "/api/auth/logout"), ("post", "/api/auth/logout-all"), ("delete", "/api/auth/sessions/{id}"), ("delete", "/api/auth/me"),
    ("post", "/api/profiles/{username}/block"), ("delete", "/api/rooms/{id}"),
]
# What only staff may do.
STAFF = {("post", "/api/books"), ("patch", "/api/books/{id}"), ("delete", "/api/books/{id}")}
# Runs: who calls, whether throttles are on, and which operations alone.
Run = collections.namedtuple("Run", "username throttled only", defaults=(False, None))
THROTTLED_RUN = Run(None, throttled=True)
RUNS = (Run("ada"), Run("staff"), Run(None), THROTTLED_RUN, *(Run("ada", only=named) for named in ENDING))


def with_examples(document, world):
    for path, operations in document["paths"].items():
        for method, described in operations.items():
            values = world.values(operation(method, path))
            for parameter in described.get("parameters", []):
                if parameter["name"] in values:
                    parameter["example"] = values[parameter["name"]]
            content = (described.get("requestBody") or {}).get("content", {}).get("application/json")
            if content:
                schema = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
                content["example"] = {name: values[name] for name in schema["properties"]}
    return document


def names(operations):
    return "|".join(f"{method.upper()} {re.escape(path)}/?$" for method, path in operations)


def call(target, document, run, token, examples, seconds):
    file = target.folder / "schema.json"
    file.write_text(json.dumps(document))
    ignored = IGNORED | (THROTTLED if run.throttled else {})
    command = [
        program("schemathesis"), "run", str(file), "--url", target.url, "--checks", "all", "--exclude-checks", ",".join(ignored),
        *(["--include-name-regex", names([run.only])] if run.only else ["--exclude-name-regex", names([SOCKET, *ENDING])]),
        "--max-examples", str(examples), "--max-time", str(seconds), "--continue-on-failure", "--no-color",
        "--generation-deterministic", "--suppress-health-check", "all", "--phases", "examples,coverage,fuzzing,stateful",
        "--warnings", "off", "--output-truncate", "true",
    ]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    ended = subprocess.run(command, cwd=target.folder, capture_output=True, text=True, timeout=seconds + 120)
    return ended.returncode, ended.stdout + ended.stderr


def to_succeed(document, run):
    """The operations that have to succeed once in a run."""
    if run.only:
        return {run.only}
    if run.username == "staff":
        return STAFF
    every = {operation(method, path): row for path, rows in document["paths"].items() for method, row in rows.items()}
    reached = every.keys() - {SOCKET, *ENDING} - STAFF
    return reached if run.username else {named for named in reached if {} in every[named].get("security", [{}])}


def unreached(target, document, run, token, answers):
    if run.throttled:
        limited = sum(count for (_, status), count in answers.items() if status == 429)
        if not 0 < limited < sum(answers.values()):
            yield f"{limited} of {sum(answers.values())} calls met a limit: nothing was tested"
        return
    for named in sorted(to_succeed(document, run)):
        statuses = {status: count for (called, status), count in answers.items() if called == named}
        if not any(status < 400 for status in statuses):
            yield f"{' '.join(named)} never succeeded: {statuses}"
    if token and not run.only and target.call("GET", "/api/auth/me/", bearer=token)[0] != 200:
        yield "the session ended during the run: what came after was not tested"


def attack(binary, short):
    findings, notes = [], []
    for run in [run for run in RUNS if not short or run in (RUNS[0], THROTTLED_RUN)]:
        name = " ".join((run.username or "anonymous", *(["throttled"] if run.throttled else []), *(run.only or ())))
        with server(binary, throttled=run.throttled, LOG__FORMAT="json") as target:
            document = target.call("GET", "/api/schema")[1]
            if not run.throttled:
                with_examples(document, World(target))
            token = target.token(run.username) if run.username else None
            made = target.answers()
            seconds = 20 if short or run.only else 600
            code, output = call(target, document, run, token, 2 if short else 50, seconds)
            findings += [f"{name}: {line}" for line in unreached(target, document, run, token, target.answers() - made)]
        cases = [line.strip() for line in output.splitlines() if "generated" in line]
        notes.append(f"{name}: {cases[-1] if cases else 'no count'}")
        if code != 0:
            findings.append(f"{name}, exit {code}:\n{output[-6000:]}")
    return "; ".join(notes), findings
