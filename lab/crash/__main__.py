"""The command line of `scripts/crash`."""

import argparse
import asyncio
from collections.abc import Sequence
import sys
import time
from typing import Final

from .experiment import ALL_SHAKES, LONG, Pace, Report, experiment
from .mutants import TRIALS, try_all
from .table import render

_HASTE: Final = 4.0
"""How much sooner all happens in a short run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/crash")
    parser.add_argument("--seconds", type=float, default=75.0, help="of havoc")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--only", nargs="+", choices=ALL_SHAKES, default=ALL_SHAKES, help="shakes"
    )
    parser.add_argument("--mutant", choices=TRIALS, help="try one mutant only")
    parser.add_argument("--mutants", action="store_true", help="try all mutants")
    options = parser.parse_args(arguments)
    if options.mutants or options.mutant:
        names = list(TRIALS) if options.mutants else [options.mutant]
        return asyncio.run(try_all(names, options.seed))
    haste = _HASTE if options.seconds < LONG else 1.0
    pace = Pace(seconds=options.seconds, haste=haste, shakes=options.only)
    return _run(pace, options.seed)


def _run(pace: Pace, seed: int) -> int:
    print(f"==> {pace.seconds:.0f} s of havoc, seed {seed}", flush=True)
    report = asyncio.run(experiment(pace, seed))
    show(report)
    return conclude(report)


def conclude(report: Report) -> int:
    """Say whether every promise was put to the test and kept; return the exit code."""
    if report.missing:
        print(f"crash: nothing of: {', '.join(report.missing)}", file=sys.stderr)
    if report.broken:
        print(f"crash: broken: {', '.join(sorted(report.broken))}", file=sys.stderr)
    if report.missing or report.broken:
        return 1
    print("crash: every promise kept")
    return 0


def show(report: Report) -> None:
    """Print what was done and what was counted."""
    done = ", ".join(f"{name} {count}" for name, count in report.shaken.items())
    print(f"==> shaken: {done}\n{render(report.names, report.rows)}")
    counted = ", ".join(f"{name} {count}" for name, count in report.alarms.items())
    print(f"==> alarms and questions: {counted}")
    print(f"==> errors in the log: {len(report.complaints)}", flush=True)
    for each in (*report.complaints[:5], *report.refusals[:5]):
        print(each.rstrip())


if __name__ == "__main__":
    sys.exit(main())
