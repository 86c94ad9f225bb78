"""Make what a release offers: the integration as a zip, and what is new in it.

    scripts/release.py v0.2.0 FOLDER

The tag must name the version that every file of the project names, and the changelog
must have something to say about it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import re
import sys
import tomllib
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("custom_components/virtual_sms")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same files make the same zip, whoever makes it and when."""


def main() -> None:
    """Write virtual_sms.zip and notes.md, or exit with what does not fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag", help="such as v0.2.0")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    version = arguments.tag.removeprefix("v")
    if problems := list_problems(ROOT, version):
        sys.exit("\n".join(problems))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    notes = read_notes(ROOT, version)
    (arguments.folder / "notes.md").write_text(notes, "utf-8")
    pack(ROOT / PACKAGE, arguments.folder / "virtual_sms.zip")


def list_problems(root: Path, version: str) -> list[str]:
    """Return why this version cannot be released."""
    named = read_versions(root)
    problems = [
        f"{path} names {found}, the tag {version}"
        for path, found in named.items()
        if found != version
    ]
    if not read_notes(root, version):
        problems.append(f"CHANGELOG.md says nothing under '## [{version}] - DATE'")
    return problems


def read_versions(root: Path) -> dict[str, str]:
    """Return the version that each file names."""
    manifest = json.loads((root / PACKAGE / "manifest.json").read_text("utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return {
        "manifest.json": manifest["version"],
        "pyproject.toml": project["project"]["version"],
    }


def read_notes(root: Path, version: str) -> str:
    """Return what the changelog says of a version that has a date."""
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)"
    found = re.search(heading, changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def pack(package: Path, path: Path) -> None:
    """Pack the files as HACS unpacks them: without a folder around them."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in sorted(package.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                name = file.relative_to(package).as_posix()
                archive.writestr(_describe(name), file.read_bytes())


def _describe(name: str) -> ZipInfo:
    info = ZipInfo(name, LONG_AGO)
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


if __name__ == "__main__":
    main()
