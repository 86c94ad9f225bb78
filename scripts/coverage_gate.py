"""Hold the coverage of each file against what its layer owes.

coverage knows one threshold for everything. Here the policy (core) and what speaks to
providers (adapters) are covered to the last branch, while the glue may leave a
little, as Home Assistant's quality scale allows.
"""

from __future__ import annotations

import argparse
import ast
from functools import cache
import json
from pathlib import Path
import sys
from typing import Any

SHOWN = 12
ROOT = Path(__file__).parents[1]
PACKAGE = "custom_components/virtual_sms"
WHOLE, NEARLY = 100.0, 95.01
FLOWS = ("config_flow.py", "flows/**/*.py")
"""Home Assistant's quality scale asks for all of the config flow."""


@cache
def list_files(root: Path = ROOT) -> dict[str, float]:
    """Return what each file of the package owes, in percent.

    What imports no Home Assistant is policy, or speaks to a provider or to the disk.
    """
    return {
        file.relative_to(root).as_posix(): _owes(file, root / PACKAGE)
        for file in sorted((root / PACKAGE).rglob("*.py"))
    }


def _owes(file: Path, package: Path) -> float:
    is_flow = any(file.relative_to(package).full_match(each) for each in FLOWS)
    return WHOLE if is_flow or not _knows_home_assistant(file) else NEARLY


def _knows_home_assistant(file: Path) -> bool:
    tree = ast.parse(file.read_text("utf-8"))
    modules = [
        name
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(each.partition(".")[0] == "homeassistant" for each in modules)


def main() -> None:
    """Read a report of `coverage json`; exit with 1 if a file owes something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="written by coverage json")
    report = json.loads(parser.parse_args().report.read_text())
    if debts := list_debts(report):
        sys.exit("\n".join(debts))
    total = report["totals"]["percent_covered"]
    print(f"{len(report['files'])} files covered as agreed, {total:.1f} % in all")


def list_debts(
    report: dict[str, Any], owed: dict[str, float] | None = None
) -> list[str]:
    """Return a line for each file below what it owes, saying what no test reached.

    A file of the package that is not in the report was not measured, and one in the
    report that is not in the package was measured elsewhere.
    """
    owed = list_files() if owed is None else owed
    if not owed or not report["files"]:
        return ["Nothing was measured: no file of custom_components is in the report"]
    strays = [
        f"{path}: only in the {where}"
        for where, paths in (
            ("package: it was not measured", owed.keys() - report["files"].keys()),
            ("report: it is not in the package", report["files"].keys() - owed.keys()),
        )
        for path in sorted(paths)
    ]
    return strays + [
        f"{path}: {percent:.1f} %, owes {owed[path]:g} % ({_missing(measured)})"
        for path, measured in sorted(report["files"].items())
        if (percent := measured["summary"]["percent_covered"]) < owed.get(path, 0.0)
    ]


def _missing(measured: dict[str, Any]) -> str:
    lines = measured["missing_lines"]
    branches = [
        f"{start}->{'exit' if end < 0 else end}"
        for start, end in measured.get("missing_branches", [])
        if start not in lines and end not in lines
    ]
    missing = [*map(str, lines), *branches]
    more = [f"and {len(missing) - SHOWN} more"] if len(missing) > SHOWN else []
    return ", ".join([*missing[:SHOWN], *more])


if __name__ == "__main__":
    main()
