"""Schemathesis: every operation of the OpenAPI document, with what it allows and what it forbids."""

import subprocess

from common import program, server

# Checks that our contract contradicts, each with its reason.
IGNORED = {
    "positive_data_acceptance": "a token, code, password or blank text is refused although its type is right",
    "negative_data_rejection": "unknown parameters are ignored, a wrong page size is taken for the default (contract §1)",
}
THROTTLED = {"missing_required_header": "over the limit the answer is 429, whoever asks"}
# Ends the session that the run lives on.
EXCLUDED = "/api/auth/logout-all/|/ws/chat/"
# Runs: who calls, and whether throttles are on.
RUNS = (("ada", False), ("staff", False), (None, False), (None, True))


def run(target, token, ignored, examples, seconds):
    command = [
        program("schemathesis"), "run", f"{target.url}/api/schema", "--url", target.url, "--checks", "all",
        "--exclude-checks", ",".join(ignored), "--exclude-path-regex", EXCLUDED, "--max-examples", str(examples),
        "--max-time", str(seconds), "--continue-on-failure", "--no-color", "--generation-deterministic",
        "--suppress-health-check", "all", "--phases", "examples,coverage,fuzzing", "--warnings", "off",
        "--output-truncate", "true",
    ]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    ended = subprocess.run(command, cwd=target.folder, capture_output=True, text=True, timeout=seconds + 120)
    return ended.returncode, ended.stdout + ended.stderr


def attack(binary, short):
    findings, notes = [], []
    for username, throttled in RUNS[:1] + RUNS[3:] if short else RUNS:
        name = f"{username or 'anonymous'}{', throttled' if throttled else ''}"
        with server(binary, throttled=throttled) as target:
            token = target.token(username) if username else None
            code, output = run(target, token, IGNORED | (THROTTLED if throttled else {}), 2 if short else 50, 20 if short else 600)
        cases = [line.strip() for line in output.splitlines() if "Test cases" in line or "generated" in line]
        notes.append(f"{name}: {cases[-1] if cases else 'no count'}")
        if code not in (0,):
            findings.append(f"{name}, exit {code}:\n{output[-6000:]}")
    return "; ".join(notes), findings
