"""THIRD-PARTY.txt: the licences of what is in the binary. `--check` tells whether the file is of today's lock files."""

import collections
import sys

from shipped import ROOT, parts

FILE = ROOT / "THIRD-PARTY.txt"


def named(part):
    # The compiler is another on another machine, its licence is not.
    return "Rust's standard library" if part.kind == "rust" else f"{part.name} {part.version}"


def render():
    shipped = parts()
    rows = [f"{part.kind:5} {named(part)}: {part.licence}" for part in shipped]
    users = collections.defaultdict(list)
    for part in shipped:
        for text in part.texts():
            users["\n".join(line.rstrip() for line in text.strip().splitlines())].append(named(part))
    blocks = [f"{'=' * 78}\n{', '.join(dict.fromkeys(names))}\n{'=' * 78}\n{text}" for text, names in users.items()]
    head = "What is inside the binary of Portcullis and was made by others, with its licences.\nMade by `make licences`."
    return "\n\n".join([head, "\n".join(rows), *blocks]) + "\n"


def main():
    text = render()
    if "--check" not in sys.argv:
        FILE.write_text(text)
        print(f"{FILE.name}: {text.count(chr(10))} lines")
    elif not FILE.exists() or FILE.read_text() != text:
        sys.exit(f"{FILE.name} is stale: run make licences")


main()
