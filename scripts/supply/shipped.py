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


# What brings no text of its licence, and who made it: all of them let one choose the MIT licence.
WITHOUT_TEXT = {
    "std": "The Rust Project Contributors",
    "sea-orm-migration": "Billy Chan <ccw.billy.123@gmail.com>",
    "sea-query-sqlx": "Valentin Tolmer <valentin@tolmer.fr>, Ivan Krivosheev <py.krivosheev@gmail.com>",
    "react-remove-scroll-bar": "Anton Korzunov <thekashey@gmail.com>",
}


class Part:
    """One thing that ships: `kind` is cargo, npm, data or rust (what comes with the compiler)."""

    def __init__(self, kind, name, version, licence, folder, checksum=None):
        self.kind, self.name, self.version, self.licence = kind, name, version, licence
        self.folder, self.checksum = folder, checksum

    def texts(self):
        """The texts of its licence; never none."""
        if self.name in WITHOUT_TEXT:
            return [(ROOT / "scripts/supply/MIT.txt").read_text().replace("AUTHORS", WITHOUT_TEXT[self.name])]
        found = [path.read_text(errors="replace") for path in self.files()]
        if not found:
            raise SystemExit(f"{self.name} {self.version} brings no text of its licence ({self.licence}): name who made it in shipped.py")
        return found

    def files(self):
        if self.kind == "data":
            return [self.folder]
        words = ("licen", "copying", "notice", "copyright", "unlicense")
        named = [path for path in self.folder.iterdir() if path.name.lower().startswith(words)]
        files = [file for path in named for file in (path.iterdir() if path.is_dir() else [path])]
        return sorted(file for file in files if file.is_file() and file.suffix not in (".rs", ".js", ".ts", ".spdx"))


def linked():
    """Names and versions of the crates that are linked into the binary: neither tests nor what runs in the build alone."""
    command = ["cargo", "tree", "--locked", "-p", "portcullis", "-e", "normal,no-proc-macro", "--target", TARGET, "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {(name, version.removeprefix("v")) for name, version, *_ in (line.split() for line in tree.splitlines() if line)}


def crates():
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(row["name"], row["version"]): row.get("checksum") for row in lock["package"]}
    inside = linked()
    for package in metadata["packages"]:
        key = (package["name"], package["version"])
        if package["source"] and key in inside:
            yield Part("cargo", *key, package["license"] or "", pathlib.Path(package["manifest_path"]).parent, checksums[key])


def standard_library():
    """As the compiler at hand brings it."""
    told = subprocess.run(["rustc", "-vV"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    version = next(line.split()[1] for line in told.splitlines() if line.startswith("release:"))
    return Part("rust", "std", version, "MIT OR Apache-2.0", None)


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
    found = {(part.kind, part.name, part.version): part for part in [standard_library(), *crates(), *npm_packages(), *data]}
    return [found[key] for key in sorted(found)]
