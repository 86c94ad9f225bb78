"""What each message leaves: flushes and bytes on the disk, rows in the recorder."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
import sqlite3
import statistics
from typing import Final

from .callbacks import PERSON, Callbacks, open_callbacks
from .filling import fill, rest
from .receiving import NO_CONTENT, OK, fire
from .stage import CheckError, Stage

_FEW: Final = 12
_MANY: Final = 50
_PAUSE: Final = 0.15
"""Seconds after each message that comes or goes alone, until all of it is written."""
_DELAY: Final = 0.05
"""Seconds that the provider takes: what is written meanwhile is not written with it."""
_CAUGHT_UP: Final = 6.0
"""Seconds after which the counters have caught up with a flood."""
_RECEIVED, _STATUS = "virtual_sms_received", "virtual_sms_status"
_STRANGERS: Final = [f"+336555{number:05}" for number in range(_MANY)]
_SENDERS: Final = ([PERSON], [PERSON], [PERSON] * _MANY, _STRANGERS)
_ROWS: Final = (
    "SELECT (SELECT count(*) FROM states),"
    " (SELECT count(*) FROM events JOIN event_types USING (event_type_id)"
    " WHERE event_types.event_type = ?)"
)

type Act = Callable[[], Awaitable[object]]


async def _fire(stage: Stage, requests: Sequence[bytes], status: int = OK) -> None:
    await fire(stage, requests, status, connections=1)


async def _count_writes(stage: Stage, act: Act, amount: int) -> tuple[float, float]:
    """Return the flushes and the KiB of something that is done now and then."""
    flushes, written = [], stage.disk.written
    for _ in range(amount):
        before = stage.disk.flushes
        await act()
        await asyncio.sleep(_PAUSE)
        flushes.append(stage.disk.flushes - before)
    # What was written beside the file is then in the file.
    await rest(stage)
    kib = (stage.disk.written - written) / amount / 1024
    return statistics.median(flushes), kib


async def _per_message(stage: Stage, callbacks: Callbacks) -> list[list[float]]:
    """Count the flushes, then the KiB, of a message, of a send and of a status."""
    await callbacks.track(_FEW)
    await rest(stage)
    ours = callbacks.ours
    call = {"entry_id": callbacks.entry_id, "way": "ours", "calls": [[PERSON]]}
    acts: tuple[Act, ...] = (
        lambda: _fire(stage, callbacks.inbound(ours, 1)),
        lambda: stage.probe("send", **call),
        lambda: _fire(stage, callbacks.statuses(ours, 1), NO_CONTENT),
    )
    counted = [await _count_writes(stage, act, _FEW) for act in acts]
    return [list(each) for each in zip(*counted, strict=True)]


async def bench_disk(stage: Stage) -> list[float]:
    """Count what a message takes of a disk that is new, and of one long in use."""
    callbacks = await open_callbacks(stage)
    stage.provider.delay = _DELAY
    flushes, new = await _per_message(stage, callbacks)
    idle = (await _count_writes(stage, partial(asyncio.sleep, 2), 1))[1]
    await fill(stage, callbacks)
    _, old = await _per_message(stage, callbacks)
    return [*flushes, *new, idle, *old]


async def _follow(stage: Stage, callbacks: Callbacks, amount: int) -> None:
    """Send messages, and have each leave and arrive, some before others leave."""
    await callbacks.track(amount)
    left, arrived = (callbacks.statuses(callbacks.ours, amount) for _ in range(2))
    mixed = list(chain.from_iterable(zip(left, arrived, strict=True)))
    await _fire(stage, mixed, NO_CONTENT)


async def _count_rows(stage: Stage, event: str) -> tuple[int, int]:
    """Return the rows of all states, and those of one of our events."""
    await stage.probe("rest")
    file = stage.plan.folder / "home-assistant_v2.db"
    with closing(sqlite3.connect(file)) as connection:
        states, events = connection.execute(_ROWS, (event,)).fetchone()
    return states, events


async def _recorded(
    stage: Stage, entry_id: str, act: Act, event: str, amount: int
) -> float:
    """Return the rows of each event: its own, and those of all that it changes."""
    # No flood before this is remembered.
    await stage.probe("set_up", entry_id=entry_id)
    states, events = await _count_rows(stage, event)
    await act()
    await asyncio.sleep(_CAUGHT_UP if amount >= _MANY else 1)
    more_states, more_events = await _count_rows(stage, event)
    if more_events - events != amount:
        raise CheckError(f"{more_events - events} of {amount} {event} are recorded")
    return 1 + (more_states - states) / amount


async def bench_recorder(stage: Stage) -> list[float]:
    """Count the rows that the recorder keeps of us."""
    callbacks, found = await open_callbacks(stage), []
    count = partial(_recorded, stage, callbacks.entry_id)
    for senders in _SENDERS:
        messages = [callbacks.message(callbacks.ours, each) for each in senders]
        act = partial(_fire, stage, messages)
        found.append(await count(act, _RECEIVED, len(messages)))
    for amount in (1, _MANY):
        act = partial(_follow, stage, callbacks, amount)
        # Queued, sent, delivered.
        found.append(await count(act, _STATUS, 3 * amount))
    return found
