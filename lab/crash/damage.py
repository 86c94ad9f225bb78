"""Damage a number's file while the home is down, and count what that cost.

This is counted by itself: not all that was in the file can be saved, but what cannot
must be told as failed, and what comes from then on must arrive.
"""

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
import random
import sqlite3
from typing import Final

from simulator import FaultKind

from .columns import Row, count
from .evidence import Evidence
from .load import ask, write
from .world import Traffic, World

_PAGE: Final = 4096
_MESSAGES: Final = 10
_OWN: Final = frozenset(
    {"inbound_lost", "accepted_twice", "outbound_lost", "unpublished"}
)
"""The promises that a damaged file does not touch."""
_STILL: Final = ("inbound_lost", "outbound_lost", "unpublished")


async def damage(world: World, drain: float) -> Row:
    """Have messages wait on disk, damage the file, and see what becomes of them."""
    traffic = _begin(world)
    faults = world.simulator.faults
    faults.add(FaultKind.SERVER_ERROR, provider=traffic.provider, method="POST")
    for _ in range(_MESSAGES):
        await ask(world, traffic)
    await asyncio.wait(world.calls)
    path = world.home.plan.folder / ".storage" / f"virtual_sms.{traffic.entry_id}.db"
    await world.kill(partial(_overwrite, path, world.chance))
    faults.clear()
    for _ in range(_MESSAGES):
        await write(world, traffic)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(drain):
            while any(  # noqa: ASYNC110  # a file is watched
                _look(world, traffic)[key] for key in _STILL
            ):
                await asyncio.sleep(1.0)
    row = _look(world, traffic)
    shown = {"written", "told", "asked", "accepted"} | _OWN
    return {key: value if key in shown else 0 for key, value in row.items()}


def _begin(world: World) -> Traffic:
    """Return one of the numbers without a limit, with nothing sent yet."""
    return replace(
        world.chance.choice([each for each in world.traffic if each.limit is None]),
        mode="damaged",
        written={},
        asked={},
        refused={},
    )


def _look(world: World, traffic: Traffic) -> Row:
    return count(Evidence(world, traffic))


def _overwrite(path: Path, chance: random.Random) -> None:
    """Overwrite a page with nonsense, as a worn-out memory card does.

    What it held stands in no other, but which messages those were does.
    """
    # What is in the log beside the file would mend it.
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page = chance.randrange(1, path.stat().st_size // _PAGE)
    with path.open("r+b") as file:
        file.seek(page * _PAGE)
        file.write(chance.randbytes(_PAGE))
