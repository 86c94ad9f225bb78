"""What the home pays: disk, recorder, event loop, memory, and what grows with the years."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from itertools import chain
import json
import sqlite3
import statistics
import time
from typing import Final
from uuid import uuid4

from simulator.world import now

from .receiving import LANES, NO_CONTENT, OK, PERSON, Callbacks, open_callbacks
from .rows import Figure, Figures
from .sending import MANY, send
from .stage import CORE, CheckError, Stage

_FEW: Final = 12
_MANY: Final = 50
_PAUSE: Final = 0.15
"""Seconds after each message that comes or goes alone, until all of it is written."""
_SEND_DELAY: Final = 0.05
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
_TOTAL: Final = 10_000
_MIX: Final = {
    "inbound": 4_000,
    "outbound WHERE NOT open": 5_900,
    "outbound WHERE open": 100,
}
"""Messages that came in, that went out and arrived, and that are under way."""
_DAYS: Final = 25
"""How far back they go: those that went out are forgotten after a month."""
_AGED: Final = f"- {_DAYS * 86_400} * (key + 1.0) / json_array_length(?1)"
_VALUES: Final = {
    "inbound": {"message_id": "value", "received_at": f"received_at {_AGED}"},
    "outbound": {
        "message_id": "substr(value, 3)",
        "provider_id": "value",
        "created_at": f"created_at {_AGED}",
        "day": f"CAST((created_at {_AGED}) / 86400 AS INTEGER)",
        "price_due_at": "NULL",
    },
}
"""What is not the same in all copies; `value` is the id of each, `key` its place."""
_STALL_ROUNDS: Final = 11
_MISSED: Final = 1_000
_LATER: Final = timedelta(hours=1)
"""After it no reading goes back to what is known."""
# Twilio publishes no rate, only that calls at once are limited; and each page is
# known from the one before it. So its paging is as fast as it answers.
_PAGE_DELAY: Final = 0.2


async def _fill(stage: Stage, callbacks: Callbacks) -> None:
    """Have ten thousand messages in a store, most of which are over."""
    await callbacks.track(2)
    # Both have left, and the first one has arrived.
    statuses = callbacks.statuses(callbacks.ours, 3)
    await callbacks.fire(statuses, NO_CONTENT)
    ids = {source: [f"SM{uuid4().hex}" for _ in range(_MIX[source])] for source in _MIX}
    await _add_copies(stage, callbacks, ids)


async def _add_copies(
    stage: Stage, callbacks: Callbacks, ids: Mapping[str, Sequence[str]]
) -> None:
    """Have a message come in, and copy a row of each source once for each of its ids."""
    await callbacks.fire(callbacks.inbound(callbacks.ours, 1))
    await stage.settle()
    await stage.probe("unload", entry_id=callbacks.entry_id)
    file = stage.find_file(callbacks.entry_id)
    with closing(sqlite3.connect(file)) as connection, connection:
        for source in ids:
            _copy(connection, source, json.dumps(ids[source]))
    await stage.probe("set_up", entry_id=callbacks.entry_id)
    await stage.settle()


def _copy(connection: sqlite3.Connection, source: str, ids: str) -> None:
    """Copy a row once for each id, and spread the copies over the past."""
    table = source.partition(" ")[0]
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    columns = ", ".join(_VALUES[table].get(name, name) for name in names)
    connection.execute(
        f"INSERT INTO {table} SELECT {columns} "  # noqa: S608  # ours
        f"FROM (SELECT * FROM {source} LIMIT 1), json_each(?1)",
        (ids,),
    )


async def disk(stage: Stage) -> AsyncIterator[Figure]:
    """Count what a message takes of a disk that is new, and of one long in use."""
    callbacks = await open_callbacks(stage)
    stage.provider.delay = _SEND_DELAY
    flushes, new = await _per_message(stage, callbacks)
    _, idle = await _count_writes(stage, partial(asyncio.sleep, 2), 1)
    await _fill(stage, callbacks)
    _, old = await _per_message(stage, callbacks)
    for each in (*flushes, *new, idle, *old):
        yield Figure([each])


async def _per_message(stage: Stage, callbacks: Callbacks) -> list[Sequence[float]]:
    """Count the flushes, then the KiB, of a message, of a send and of a status."""
    await callbacks.track(_FEW)
    await stage.settle()
    ours, entry_id = callbacks.ours, callbacks.entry_id
    acts: Sequence[Callable[[], Awaitable[object]]] = (
        lambda: callbacks.fire(callbacks.inbound(ours, 1)),
        lambda: stage.send("ours", entry_id, [[PERSON]]),
        lambda: callbacks.fire(callbacks.statuses(ours, 1), NO_CONTENT),
    )
    counted = [await _count_writes(stage, act, _FEW) for act in acts]
    return list(zip(*counted, strict=True))


async def _count_writes(
    stage: Stage, act: Callable[[], Awaitable[object]], amount: int
) -> tuple[float, float]:
    """Return the flushes and the KiB of something that is done now and then."""
    flushes, written = [], stage.disk.written
    for _ in range(amount):
        before = stage.disk.flushes
        await act()
        await asyncio.sleep(_PAUSE)
        flushes.append(stage.disk.flushes - before)
    # What was written beside the file is then in the file.
    await stage.settle()
    kib = (stage.disk.written - written) / amount / 1024
    return statistics.median(flushes), kib


async def recorder(stage: Stage) -> AsyncIterator[Figure]:
    """Count the rows that the recorder keeps of us."""
    callbacks = await open_callbacks(stage)
    count = partial(_recorded, stage, callbacks.entry_id)
    for senders in _SENDERS:
        messages = [callbacks.message(callbacks.ours, each) for each in senders]
        yield await count(callbacks.fire(messages), _RECEIVED, len(messages))
    for amount in (1, _MANY):
        # Queued, sent, delivered.
        yield await count(_follow(callbacks, amount), _STATUS, 3 * amount)


async def _follow(callbacks: Callbacks, amount: int) -> None:
    """Send messages, and have each leave and arrive, some before others leave."""
    await callbacks.track(amount)
    left, arrived = (callbacks.statuses(callbacks.ours, amount) for _ in range(2))
    mixed = list(chain.from_iterable(zip(left, arrived, strict=True)))
    await callbacks.fire(mixed, NO_CONTENT)


async def _recorded(
    stage: Stage, entry_id: str, act: Awaitable[object], event: str, amount: int
) -> Figure:
    """Return the rows of each event: its own, and those of all that it changes."""
    # No flood before this is remembered.
    await stage.probe("set_up", entry_id=entry_id)
    before = await _count_rows(stage, event)
    await act
    await asyncio.sleep(_CAUGHT_UP if amount >= _MANY else 1)
    after = await _count_rows(stage, event)
    states, events = (later - one for one, later in zip(before, after, strict=True))
    if events != amount:
        raise CheckError(f"{events} of {amount} {event} are recorded")
    return Figure([1 + states / amount])


async def _count_rows(stage: Stage, event: str) -> Sequence[int]:
    """Return the rows of all states, and those of one of our events."""
    await stage.probe("rest")
    file = stage.plan.folder / "home-assistant_v2.db"
    with closing(sqlite3.connect(file)) as connection:
        rows: Sequence[int] = connection.execute(_ROWS, (event,)).fetchone()
    return rows


async def stall(stage: Stage) -> AsyncIterator[Figure]:
    """Time how long the event loop stands still, with a store long in use."""
    callbacks, half = await open_callbacks(stage), len(MANY) // 2
    await stage.probe("aim_core", url=stage.provider.url)
    await _fill(stage, callbacks)
    # A quarter of what a round does are statuses, and each message has two.
    await callbacks.track(half * (_STALL_ROUNDS + 1) // 2)

    async def load(way: str) -> Figures:
        """Send fifty and have fifty callbacks, half of them statuses, all at once."""
        path, queued = sides[way]
        kinds = (callbacks.statuses(path, half), callbacks.inbound(path, half))
        requests = list(chain.from_iterable(zip(*kinds, strict=True)))
        await stage.probe("watch")
        acts = asyncio.gather(
            callbacks.ask(requests, OK, NO_CONTENT, lanes=LANES),
            send(stage, callbacks.entry_id, "at once", way),
        )
        await stage.expect(len(requests) + queued, acts)
        return {"ms": await stage.probe("watched") * 1000}

    sides = {"ours": (callbacks.ours, len(MANY)), "core": (callbacks.core, 0)}
    held = (await stage.duel(load, _STALL_ROUNDS, *sides))["ms"]
    yield held
    yield Figure(held.own)


async def memory(stage: Stage) -> AsyncIterator[Figure]:
    """Weigh a home where core has sent a message, then the same with our number."""
    core = [await _weigh_core(stage) for _ in range(2)]
    await stage.add_number("twilio")
    ours = [await _weigh(stage) for _ in range(2)]
    yield Figure([one - other for one, other in zip(ours, core, strict=True)])


async def _weigh(stage: Stage) -> float:
    await stage.stop()
    await stage.start()
    return float(await stage.probe("weigh"))


async def _weigh_core(stage: Stage) -> float:
    """Weigh with the rest of the SDK, which core loads only when it sends."""
    before = await _weigh(stage)
    await stage.probe("set_up_core", settings=CORE, url=stage.provider.url)
    after = float(await stage.probe("weigh"))
    if after < before + 1 or not stage.provider.arrived:
        raise CheckError("core was loaded before it was set up, or has not sent")
    return after


async def _open_two(stage: Stage) -> tuple[Callbacks, tuple[str, str]]:
    """Set up a number to be filled, and one that stays empty."""
    callbacks = await open_callbacks(stage)
    second = await stage.add_number("twilio", stage.provider.twilio.SMS_ONLY_NUMBER)
    return callbacks, (callbacks.entry_id, second["entry_id"])


async def _time(stage: Stage, verb: str, entry_id: str) -> Figures:
    return {"time": await stage.probe(verb, entry_id=entry_id)}


async def store(stage: Stage) -> AsyncIterator[Figure]:
    """Weigh a store that has been in use for long, and time its set-up."""
    callbacks, entries = await _open_two(stage)
    await _fill(stage, callbacks)
    full, empty = (stage.find_file(each).stat().st_size for each in entries)
    yield Figure([(full - empty) / _TOTAL])
    for stage.provider.delay in (0.05, 0.0):
        yield (await stage.duel(partial(_time, stage, "set_up"), 7, *entries))["time"]


async def history(stage: Stage) -> AsyncIterator[Figure]:
    """Time a catch-up beside its requests, and a poll when all is known already."""
    callbacks, entries = await _open_two(stage)
    provider, poll = stage.provider, partial(_time, stage, "poll")
    provider.delay = _PAGE_DELAY
    catch_up = partial(_catch_up, stage)
    result = await stage.duel(catch_up, 3, callbacks.entry_id, warm_up=False)
    yield result["times"]
    yield result["ms"]
    provider.delay = 0.0
    await _add_copies(stage, callbacks, {"inbound": provider.receive_unseen(_TOTAL)})
    provider.date_header = format_datetime(now() + _LATER, usegmt=True)
    # What is known is read twice more, and from then on it is long ago.
    for _ in range(3):
        provider.pages_read = 0
        for each in entries:
            await poll(each)
    if provider.pages_read != len(entries):
        raise CheckError(f"{provider.pages_read} pages read to find nothing")
    # From here on the provider need not look through all of them either.
    provider.receive_unseen(0)
    yield (await stage.duel(poll, 15, *entries))["time"]


async def _catch_up(stage: Stage, entry_id: str) -> Figures:
    """Have a number catch up; it is over when the last message is published."""
    stage.provider.receive_unseen(_MISSED)
    stage.provider.pages_read = 0
    await stage.probe("watch")
    began = time.monotonic()
    _, last = await stage.expect(_MISSED, stage.probe("poll", entry_id=entry_id))
    held, took = await stage.probe("watched"), last["at"] - began
    await stage.probe("rest")
    return {"times": took / stage.provider.pages_read / _PAGE_DELAY, "ms": held * 1000}
