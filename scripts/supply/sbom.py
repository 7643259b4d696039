"""The parts of the binary as CycloneDX 1.6 JSON: `sbom.py FILE`. The same lock files and compiler give the same bytes."""

import base64
import json
import os
import pathlib
import sys
import time
import tomllib
import urllib.parse
import uuid

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shipped import ROOT, parts


def licence(text):
    if not text or text == "SCOWL":
        return [{"license": {"name": text or "unknown"}}]
    # Older crates separate alternatives by a slash.
    return [{"expression": text.replace("/", " OR ").strip()}]


def component(part):
    row = {"type": "library", "name": part.name, "version": part.version, "licenses": licence(part.licence)}
    if part.kind == "data":
        return row | {"type": "data", "bom-ref": f"data:{part.name}"}
    if part.kind == "rust":
        purl = f"pkg:generic/rust-std@{part.version}"
        return row | {"bom-ref": purl, "purl": purl}
    name = urllib.parse.quote(part.name, safe="/") if part.kind == "npm" else part.name
    purl = f"pkg:{part.kind}/{name}@{part.version}"
    row |= {"bom-ref": purl, "purl": purl}
    if part.kind == "cargo" and part.checksum:
        row["hashes"] = [{"alg": "SHA-256", "content": part.checksum}]
    if part.kind == "npm" and part.checksum.startswith("sha512-"):
        row["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(part.checksum[7:]).hex()}]
    return row


def main():
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    components = [component(part) for part in parts()]
    application = {"type": "application", "bom-ref": "portcullis", "name": "portcullis", "version": version}
    application["licenses"] = [{"license": {"id": "Apache-2.0"}}]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": application}, "components": components}
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        document["metadata"]["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(epoch)))
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"not CycloneDX 1.6: {error}")
    pathlib.Path(sys.argv[1]).write_text(text)
    print(f"{sys.argv[1]}: {len(components)} parts, valid CycloneDX 1.6")


main()
