"""No dependency is younger than a week: what is bad in a new release is mostly found within days.

Crates by the dates in cargo's own copy of the index; npm and Python packages by letting npm and pip resolve exactly
what is locked, as of a week ago. A lock that has passed is not asked about again. A registry that does not answer
ends nothing.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

from shipped import ROOT

BEFORE = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=7)
CARGO_HOME = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
CRATES, NPM, PYTHON = ("Cargo.lock", "fuzz/Cargo.lock"), ("web", "clients/typescript", "scripts/backends"), ("scripts/requirements.txt", "scripts/attacks/requirements.txt")


def index_path(name):
    name = name.lower()
    folders = {1: "1", 2: "2", 3: f"3/{name[0]}"}
    return f"{folders.get(len(name), f'{name[:2]}/{name[2:4]}')}/{name}"


def published(name):
    """The dates of a crate's versions."""
    dates = {}
    for path in CARGO_HOME.glob(f"registry/index/index.crates.io-*/.cache/{index_path(name)}"):
        for line in path.read_bytes().split(b"\0"):
            if line[:1] == b"{":
                row = json.loads(line)
                dates[row["vers"]] = row.get("pubtime")
    return dates


def young_crates(lock):
    for package in tomllib.loads((ROOT / lock).read_text())["package"]:
        if "source" not in package:
            continue
        date = published(package["name"]).get(package["version"])
        if date is None:
            yield None
        elif datetime.datetime.fromisoformat(date) > BEFORE:
            yield f"{lock}: {package['name']} {package['version']} is of {date}"


def young_npm(folder):
    """npm is given every locked version under a name of its own, and may use nothing younger."""
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    pairs = {(path.rsplit("node_modules/", 1)[1], row["version"]) for path, row in packages.items() if row.get("integrity")}
    pinned = {f"p{number}": f"npm:{name}@{version}" for number, (name, version) in enumerate(sorted(pairs))}
    with tempfile.TemporaryDirectory() as place:
        pathlib.Path(place, "package.json").write_text(json.dumps({"name": "ages", "version": "0.0.0", "dependencies": pinned}))
        command = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--force", f"--before={BEFORE.isoformat()}"]
        ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=600)
    if "ETARGET" in ended.stderr:
        yield f"{folder}: {re.sub(r'npm (error|ERR!)', '', ended.stderr)[:300].strip()}"
    elif ended.returncode:
        yield None


def young_python(requirements):
    pip = pathlib.Path(sys.executable).parent / "pip"
    command = [pip, "install", "--dry-run", "--ignore-installed", "--quiet", "--disable-pip-version-check", f"--uploaded-prior-to={BEFORE.isoformat()}", "-r", ROOT / requirements]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if "No matching distribution" in ended.stderr:
        yield f"{requirements}: {ended.stderr.strip()[-300:]}"
    elif ended.returncode:
        yield None


def main():
    stamps = pathlib.Path(sys.argv[1])
    stamps.mkdir(parents=True, exist_ok=True)
    young, unknown = [], []
    jobs = [(young_crates, lock, lock) for lock in CRATES]
    jobs += [(young_npm, folder, f"{folder}/package-lock.json") for folder in NPM]
    jobs += [(young_python, file, file) for file in PYTHON]
    for ask, argument, file in jobs:
        stamp = stamps / hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
        if stamp.exists():
            continue
        try:
            found = list(ask(argument))
        except (OSError, subprocess.SubprocessError) as error:
            found = [None]
            print(f"{file}: {error}", file=sys.stderr)
        young += [line for line in found if line]
        if None in found:
            unknown.append(f"{file} ({found.count(None)})")
        if not found:
            stamp.touch()
    print(f"ages: {len(young)} younger than 7 days; not told: {', '.join(unknown) or 'none'}")
    print("\n".join(young))
    sys.exit(1 if young else 0)


if __name__ == "__main__":
    main()
