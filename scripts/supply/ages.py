"""No dependency is younger than a week: what is bad in a new release is mostly found within days.

Crates by the dates in cargo's own copy of the index, which cargo is asked to complete; npm and Python packages by
letting npm and pip resolve exactly what is locked, as of a week ago and, when that fails, as of now. A lock that has
passed is not asked about again. What a registry does not tell is unknown, which ends the run with 1 where CI=1.
"""

import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

from shipped import ROOT

BEFORE = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=7)
CARGO_HOME = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
CRATES, NPM, PYTHON = ("Cargo.lock", "fuzz/Cargo.lock"), ("web", "clients/typescript", "scripts/backends"), ("scripts/requirements.txt", "scripts/attacks/requirements.txt", "scripts/word_vectors.requirements.txt")


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


def complete_index(packages):
    """Lets cargo read what the index says of packages; a lock file of all of them is not needed, and may be impossible."""
    pinned = [f'p{number} = {{ package = "{row["name"]}", version = "={row["version"]}" }}' for number, row in enumerate(packages)]
    with tempfile.TemporaryDirectory() as place:
        manifest = ['[package]\nname = "ages"\nedition = "2024"\n[lib]\npath = "none.rs"\n[dependencies]', *pinned]
        pathlib.Path(place, "Cargo.toml").write_text("\n".join(manifest))
        pathlib.Path(place, "none.rs").touch()
        subprocess.run(["cargo", "generate-lockfile", "--quiet"], cwd=place, capture_output=True, timeout=600)


def young_crates(lock):
    packages = [row for row in tomllib.loads((ROOT / lock).read_text())["package"] if "source" in row]
    if undated := [row for row in packages if not published(row["name"]).get(row["version"])]:
        complete_index(undated)
    for package in packages:
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
        command = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--force"]
        yield from young(folder, command, f"--before={BEFORE.isoformat()}", place)


def young_python(requirements):
    pip = pathlib.Path(sys.executable).parent / "pip"
    command = [
        pip, "install", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary", ":all:", "--quiet",
        "--disable-pip-version-check", "-r", ROOT / requirements,
    ]
    yield from young(requirements, command, f"--uploaded-prior-to={BEFORE.isoformat()}", ROOT)


def young(locked, command, limit, place):
    """What is locked is too young when it can be had now and could not be had a week ago; otherwise nothing is known."""
    run = {"cwd": place, "capture_output": True, "text": True, "timeout": 600}
    ended = subprocess.run([*command, limit], **run)
    if ended.returncode:
        # npm's and pip's words also stand where the registry was not reached.
        is_refused = "ETARGET" in ended.stderr or "No matching distribution" in ended.stderr
        is_there = is_refused and subprocess.run(command, **run).returncode == 0
        yield f"{locked}: {ended.stderr.strip()[-600:]}" if is_there else None


def main():
    stamps = pathlib.Path(sys.argv[1])
    stamps.mkdir(parents=True, exist_ok=True)
    too_young, unknown = [], []
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
        too_young += [line for line in found if line]
        if None in found:
            unknown.append(f"{file} ({found.count(None)})")
        if not found:
            stamp.touch()
    print(f"ages: {len(too_young)} younger than 7 days; not told: {', '.join(unknown) or 'none'}")
    print("\n".join(too_young))
    sys.exit(1 if too_young or (unknown and os.environ.get("CI")) else 0)


if __name__ == "__main__":
    main()
