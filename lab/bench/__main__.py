"""Run the parts, and print their table as Markdown."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
import platform
import sys
from typing import Final

from .alerting import bench_alert
from .counting import bench_disk, bench_recorder
from .lasting import bench_history, bench_memory, bench_stall, bench_store
from .receiving import bench_door, bench_flood, bench_forged
from .rows import ROWS, render
from .sending import bench_alarm, bench_many, bench_ovh
from .stage import CORE, Stage, open_stage

type Part = Callable[[Stage], Awaitable[Sequence[float]]]

PARTS: Final[Mapping[str, Part]] = {
    "alarm": bench_alarm,
    "alert": bench_alert,
    "ovh": bench_ovh,
    "many": bench_many,
    "door": bench_door,
    "disk": bench_disk,
    "flood": bench_flood,
    "forged": bench_forged,
    "memory": bench_memory,
    "stall": bench_stall,
    "store": bench_store,
    "history": bench_history,
    "recorder": bench_recorder,
}


def describe_versions() -> str:
    """Say what was measured."""
    names = ("homeassistant", "aiohttp", "twilio", "ovh")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, {versions}"


async def run(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Run some parts, one after another, each in a home of its own."""
    lines = []
    for name in names:
        print(f"==> {name}", file=sys.stderr, flush=True)
        async with open_stage(name, {} if name == "memory" else CORE) as stage:
            figures = await PARTS[name](stage)
        lines += [
            row.judge(value) for row, value in zip(ROWS[name], figures, strict=True)
        ]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rows", nargs="+", metavar="PART", choices=PARTS)
    names = parser.parse_args(arguments).rows or list(PARTS)
    print(f"{render(asyncio.run(run(names)))}\n\n{describe_versions()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
