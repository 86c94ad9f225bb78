"""Run the parts, print their table, and keep it if that is wanted."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
import platform
import sys
from typing import Final

from lab.home import PROJECT

from .catching_up import bench_catch_up
from .receiving import bench_forged, bench_inbound, bench_status
from .recording import bench_rows
from .report import Row, render
from .sending import bench_many, bench_ovh, bench_send
from .stalls import bench_stall
from .starting import bench_setup
from .stores import bench_store

type Part = Callable[[], Awaitable[list[Row]]]

PARTS: Final[Mapping[str, Part]] = {
    "status": bench_status,
    "inbound": bench_inbound,
    "forged": bench_forged,
    "send": bench_send,
    "many": bench_many,
    "ovh": bench_ovh,
    "rows": bench_rows,
    "stall": bench_stall,
    "setup": bench_setup,
    "store": bench_store,
    "catchup": bench_catch_up,
}
DOCUMENT: Final = PROJECT / "docs" / "performance.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"


def describe_versions() -> str:
    """Say what was measured."""
    names = ("homeassistant", "aiohttp", "twilio", "ovh")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, {versions}"


def write(table: str) -> None:
    """Put the table into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = text.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    body = f"{_BEGIN}\n{table}\n\n{describe_versions()}\n\n{_END}"
    DOCUMENT.write_text(head + body + tail, encoding="utf-8")


async def run(names: Sequence[str]) -> list[Row]:
    """Run some parts, one after another."""
    rows: list[Row] = []
    for name in names:
        print(f"==> {name}", flush=True)
        part = await PARTS[name]()
        print(render(part), flush=True)
        rows += part
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(PARTS))
        return 0
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    table = render(asyncio.run(run(options.parts or list(PARTS))))
    if options.write:
        write(table)
    print(f"==> all\n{table}\n{describe_versions()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
