"""Lets attackers loose on a server: `run.py PORTCULLIS_BINARY [--short] [NAME…]`, one line each, 1 on a finding.

A program that is not installed leaves its attack out; with CI=1 that is a finding. docs/attacks.md tells of each.
"""

import importlib
import os
import pathlib
import signal
import sys
import time

from common import Missing

# Minutes that each may take in its long form; on two cores that are free most take a fraction of that.
ATTACKS = {"guessing": 20, "injection": 15, "smuggling": 15, "floods": 15, "slow": 15, "schema": 60, "sql": 105, "pages": 30}
# The same for the short forms, of which each takes less than one when the machine is free.
SHORT = 4


class Late(Exception):
    """The time of an attack has passed."""


def late(*_):
    raise Late("the time had passed")


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    short = "--short" in sys.argv
    names = [name for name in sys.argv[2:] if not name.startswith("-")] or ATTACKS
    found = False
    signal.signal(signal.SIGALRM, late)
    for name in names:
        began = time.monotonic()
        signal.alarm(60 * (SHORT if short else ATTACKS[name]))
        try:
            summary, findings = importlib.import_module(name).attack(binary, short)
        except (Missing, ModuleNotFoundError) as missing:
            summary, findings = f"left out: {missing} is not installed", ["not installed"] if os.environ.get("CI") else []
        except Exception as error:  # noqa: BLE001 — an attack that cannot run is a finding, and the next one runs
            summary, findings = "did not run", [f"{type(error).__name__}: {error}"]
        signal.alarm(0)
        taken = f"{time.monotonic() - began:.0f} s"
        print(f"{'FOUND' if findings else 'ok   '} {name}: {summary}, {len(findings)} findings, {taken}", flush=True)
        for finding in findings[:20]:
            print(f"      {finding}", flush=True)
        found |= bool(findings)
    sys.exit(1 if found else 0)


main()
