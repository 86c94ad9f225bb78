"""Run the parts, and print their table as Markdown."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
import platform
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Final

from lab.home import PRODUCT, PROJECT

from . import lasting, receiving, sending
from .provider import BenchProvider
from .rows import NOISE, ROWS, TITLES, Figure, render
from .stage import Stage

type Part = Callable[[Stage], AsyncIterator[Figure]]

PARTS: Final[Mapping[str, Part]] = {
    part.__name__: part
    for part in (
        *(sending.alarm, sending.alert, sending.ovh, sending.many),
        *(receiving.door, lasting.disk, receiving.flood, receiving.forged),
        *(lasting.memory, lasting.stall, lasting.store, lasting.history),
        lasting.recorder,
    )
}


async def run(name: str, *products: Path) -> list[tuple[str, ...]]:
    """Run a part in a home for each product, in turns, and return its lines."""
    print(f"==> {name}", file=sys.stderr, flush=True)
    turn, stages = asyncio.Lock(), []
    async with AsyncExitStack() as homes:
        for number, product in enumerate(products):
            provider = await homes.enter_async_context(BenchProvider())
            stage = Stage(f"{name}-{number}", provider, turn, product)
            stages.append(await homes.enter_async_context(stage))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_measure(name, stage, turn)) for stage in stages]
    figures = (task.result() for task in tasks)
    return [row.judge(*each) for row, *each in zip(ROWS[name], *figures, strict=True)]


async def _measure(name: str, stage: Stage, turn: asyncio.Lock) -> list[Figure]:
    async with turn:
        return [figure async for figure in PARTS[name](stage)]


@contextmanager
def check_out(commit: str | None) -> Iterator[Sequence[Path]]:
    """Have the product of another commit in a folder for as long as it is needed."""
    if commit is None:
        yield ()
        return
    git = partial(subprocess.run, cwd=PROJECT, check=True)
    with TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git(["git", "worktree", "add", "--quiet", "--detach", tree, commit])
        try:
            yield (tree / PRODUCT.relative_to(PROJECT),)
        finally:
            git(["git", "worktree", "remove", "--force", tree])


def describe_versions() -> str:
    """Say what was measured."""
    names = ("homeassistant", "aiohttp", "twilio", "ovh")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, {versions}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="PART", choices=PARTS)
    parser.add_argument("--against", metavar="COMMIT", help="what to compare this with")
    options = parser.parse_args(arguments)
    against = ("What", "Here", options.against, "Ratio", f"<= {NOISE}")
    lines: list[tuple[str, ...]] = [against if options.against else TITLES]
    try:
        with check_out(options.against) as others:
            for name in options.rows or PARTS:
                lines += asyncio.run(run(name, PRODUCT, *others))
    finally:
        # What was measured before a part failed is worth its minutes.
        print(f"{render(*lines)}\n\n{describe_versions()}")
    return int(bool(options.against) and any(line[-1] == "NO" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
