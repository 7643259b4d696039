"""What is inside the binary: crates, npm packages of the pages, and data of others."""

import json
import pathlib
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = "x86_64-unknown-linux-gnu"
# Data in the repository that others made: name, version, licence, folder of its text, where it is from.
DATA = (
    ("common-passwords", "Django 5.2", "BSD-3-Clause", "crates/security/data/common-passwords.LICENSE"),
    ("all-MiniLM-L6-v2 word vectors", "0.1.0", "Apache-2.0", "LICENSE"),
    ("SCOWL words", "2020.12.07", "SCOWL", "src/search/data/more-words.LICENSE"),
)


class Part:
    """One thing that ships: `kind` is cargo, npm or data."""

    def __init__(self, kind, name, version, licence, folder, checksum=None):
        self.kind, self.name, self.version, self.licence = kind, name, version, licence
        self.folder, self.checksum = folder, checksum

    def texts(self):
        """The texts of its licence that it brings."""
        if self.kind == "data":
            return [self.folder]
        words = ("licen", "copying", "notice", "copyright", "unlicense")
        files = [path for path in self.folder.iterdir() if path.is_file() and path.name.lower().startswith(words)]
        return sorted(path for path in files if path.suffix not in (".rs", ".js", ".ts", ".spdx"))


def crates():
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(row["name"], row["version"]): row.get("checksum") for row in lock["package"]}
    waiting, seen = [metadata["resolve"]["root"]], set()
    while waiting:
        identity = waiting.pop()
        if identity in seen:
            continue
        seen.add(identity)
        # Neither tests nor what runs in the build alone.
        waiting += [
            dependency["pkg"]
            for dependency in nodes[identity]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
    for identity in seen:
        package = packages[identity]
        macro = any("proc-macro" in target["kind"] for target in package["targets"])
        if package["source"] and not macro:
            folder = pathlib.Path(package["manifest_path"]).parent
            key = (package["name"], package["version"])
            yield Part("cargo", *key, package["license"] or "", folder, checksums[key])


def npm_packages():
    lock = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    for path, package in lock.items():
        if not path.startswith("node_modules/") or package.get("link") or package.get("dev") or package.get("devOptional"):
            continue
        name = path.rsplit("node_modules/", 1)[1]
        # Declarations of types: nothing of them reaches a page.
        if not name.startswith("@types/"):
            yield Part("npm", name, package["version"], package.get("license", ""), ROOT / "web" / path, package["integrity"])


def parts():
    """All of them, sorted; each name and version once."""
    data = [Part("data", name, version, licence, ROOT / path) for name, version, licence, path in DATA]
    found = {(part.kind, part.name, part.version): part for part in [*crates(), *npm_packages(), *data]}
    return [found[key] for key in sorted(found)]
