"""Hold the coverage of each file against what its layer owes.

coverage knows one threshold for everything. Here the policy (core) and what speaks to
providers (adapters) are covered to the last branch, while the glue may leave a
little, as Home Assistant's quality scale allows.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
from pathlib import Path, PurePath
import sys
from typing import Any


@dataclass(frozen=True, slots=True)
class Gate:
    """The percentage of lines and branches that files of a kind owe."""

    files: str
    percent: float

    def applies_to(self, path: str) -> bool:
        """Return whether this gate is for a file."""
        return PurePath(path).full_match(self.files)


SHOWN = 12
PACKAGE = "custom_components/virtual_sms"
CORE = (
    "announce*",
    "callbacks",
    "doorbell",
    "gateway",
    "guard",
    "inbox",
    "journal",
    "ledger*",
    "line",
    "numbers",
    "outbox",
    "privacy",
    "segments",
    "verdict",
)
FLOWS = ("config_flow", "flow_callbacks", "options_flow")

# The first that applies decides.
GATES = (
    Gate(f"{PACKAGE}/adapters/**", 100),
    *(Gate(f"{PACKAGE}/{module}.py", 100) for module in CORE),
    *(Gate(f"{PACKAGE}/{module}.py", 100) for module in FLOWS),
    Gate("custom_components/**", 95.01),
)


def main() -> None:
    """Read a report of `coverage json`; exit with 1 if a file owes something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="written by coverage json")
    report = json.loads(parser.parse_args().report.read_text())
    if debts := list_debts(report):
        sys.exit("\n".join(debts))
    total = report["totals"]["percent_covered"]
    print(f"{len(report['files'])} files covered as agreed, {total:.1f} % in all")


def list_debts(report: dict[str, Any]) -> list[str]:
    """Return a line for each file below its gate, saying what no test reached."""
    if not report["files"]:
        return ["Nothing was measured: no file of custom_components is in the report"]
    return [
        f"{path}: {summary['percent_covered']:.1f} %, owes {gate.percent:g} % ({_missing(measured)})"
        for path, measured in sorted(report["files"].items())
        if (summary := measured["summary"])
        and (gate := _gate_for(path))
        and summary["percent_covered"] < gate.percent
    ]


def _gate_for(path: str) -> Gate | None:
    return next((gate for gate in GATES if gate.applies_to(path)), None)


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
