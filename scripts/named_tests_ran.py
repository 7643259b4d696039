#!/usr/bin/env python3
"""Whether every test that docs/asvs.md and docs/threats.md name has run and passed.

named_tests_ran.py FOLDER: reads the JUnit reports (*.xml) of nextest, vitest and Playwright in it. Without CI=1 a test
of the pages or the client is let pass when no report knows its file, since Node or Chromium may be missing.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PAGES = ("docs/asvs.md", "docs/threats.md")
# What the harness and Rust's habit put between a module and its test.
BETWEEN = {"sqlite", "mariadb", "tests"}
# `module::name`, or `file.ts: title`.
NAME = re.compile(r"`([\w:]+::\w+|[\w.-]+\.tsx?: [^`]+)`")


def name_of(case: ElementTree.Element) -> str:
    """The name of a test as the pages write it."""
    group, name = case.get("classname", ""), case.get("name", "")
    if ".ts" in group:
        title = re.split(r" [›>] ", name)[-1]
        return f"{Path(group).name}: {title}"
    crate = ["security"] if group.startswith("portcullis-security") else []
    return "::".join(crate + [part for part in name.split("::") if part not in BETWEEN])


def passed(folder: Path) -> set[str]:
    cases = [case for report in folder.glob("*.xml") for case in ElementTree.parse(report).iter("testcase")]
    failing = ("failure", "error", "skipped")
    return {name_of(case) for case in cases if all(case.find(kind) is None for kind in failing)}


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    names = sorted({name for page in PAGES for name in NAME.findall((root / page).read_text(encoding="utf-8"))})
    ran = passed(Path(sys.argv[1]))
    files = {name.split(": ")[0] for name in ran}
    missing = [name for name in names if name not in ran]
    if not os.environ.get("CI"):
        missing = [name for name in missing if ": " not in name or name.split(": ")[0] in files]
    if not names or missing:
        print(f"Named in {' or '.join(PAGES)}, but not among the {len(ran)} tests that passed:", *missing, sep="\n  ")
        return 1
    print(f"The {len(names)} tests that {' and '.join(PAGES)} name have passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
