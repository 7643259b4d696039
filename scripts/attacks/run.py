"""Lets attackers loose on a server: `run.py PORTCULLIS_BINARY [--short] [NAME…]`, one line each, 1 on a finding.

A program that is not installed leaves its attack out; with CI=1 that is a finding. docs/attacks.md tells of each.
"""

import importlib
import os
import pathlib
import sys
import time

from common import Missing

ATTACKS = ("guessing", "injection", "smuggling", "floods", "schema", "sql", "pages")


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    short = "--short" in sys.argv
    names = [name for name in sys.argv[2:] if not name.startswith("-")] or ATTACKS
    found = False
    for name in names:
        began = time.monotonic()
        try:
            summary, findings = importlib.import_module(name).attack(binary, short)
        except (Missing, ModuleNotFoundError) as missing:
            summary, findings = f"left out: {missing} is not installed", ["not installed"] if os.environ.get("CI") else []
        except Exception as error:  # noqa: BLE001 — an attack that cannot run is a finding, and the next one runs
            summary, findings = "did not run", [f"{type(error).__name__}: {error}"]
        taken = f"{time.monotonic() - began:.0f} s"
        print(f"{'FOUND' if findings else 'ok   '} {name}: {summary}, {len(findings)} findings, {taken}", flush=True)
        for finding in findings[:20]:
            print(f"      {finding}", flush=True)
        found |= bool(findings)
    sys.exit(1 if found else 0)


main()
