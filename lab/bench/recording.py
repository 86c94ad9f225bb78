"""What stays in the recorder's database of each message, and of each status."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final

from .blast import Request, blast
from .callbacks import PERSON, Callbacks
from .report import Row
from .stage import NO_LIMITS, CheckError, Stage, open_stage

MANY: Final = 50
_INBOUND, _STATUS = "virtual_sms_received", "virtual_sms_status"
_LIFE: Final = ("queued", "sent", "delivered")
_NEEDLE: Final = "periwinkle"
_STRANGER: Final = "+33655500000"
_TIMEOUT: Final = 20.0
"""Seconds in which a counter has caught up with a flood."""

type Act = Callable[[], Awaitable[None]]


class Recording:
    """The rows that come of what a home is told: of our events and our entities."""

    def __init__(self, stage: Stage, callbacks: Callbacks) -> None:
        """Take a number that is set up."""
        self._stage = stage
        self._callbacks = callbacks

    async def renew(self, privacy: str = "full") -> None:
        """Begin anew: no flood before this is remembered."""
        await self._probe("renew", options={"privacy": privacy, **NO_LIMITS})

    async def find(self, needle: str) -> int:
        """Count the rows of all tables that hold a text."""
        found: dict[str, int] = await self._probe("find", needle=needle)
        return sum(found.values())

    async def receive(self, senders: Sequence[str], text: str = "Hello") -> None:
        """Have a message of each sender come in."""
        callbacks = self._callbacks
        await self._fire(
            [callbacks.message(callbacks.ours, text, sender) for sender in senders]
        )

    async def follow(self, amount: int) -> None:
        """Send messages, and have each leave and arrive."""
        callbacks = self._callbacks
        await callbacks.track(amount)
        left, arrived = (callbacks.statuses(callbacks.ours, amount) for _ in range(2))
        # As it is in life: the first have arrived when the last one leaves.
        await self._fire(list(chain.from_iterable(zip(left, arrived, strict=True))))

    async def rows_of_inbound(self, senders: Sequence[str]) -> float:
        """Return the rows of each message, when so many come in."""
        amount = len(senders)
        rows = await self._rows_of(partial(self.receive, senders), received=amount)
        return _per(rows, _INBOUND, amount)

    async def rows_of_statuses(self, amount: int) -> float:
        """Return the rows of each status, when so many messages go out."""
        rows = await self._rows_of(partial(self.follow, amount), sent=amount)
        return _per(rows, _STATUS, amount * len(_LIFE))

    async def _rows_of(self, act: Act, **counted: int) -> Counter[str]:
        """Return the rows that came of something, the counters' last ones too."""
        await self.renew()
        tally, before = await self._tally(), await self._rows()
        await act()
        async with asyncio.timeout(_TIMEOUT):
            while await self._tally() != tally + Counter(counted):  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.1)
        return await self._rows() - before

    async def _fire(self, requests: Sequence[Request]) -> None:
        wanted = await self._stage.events() + len(requests)
        await blast(self._stage.home.url, requests, 1)
        await self._stage.wait_for_events(wanted)

    async def _tally(self) -> Counter[str]:
        entities = await self._probe("entities")
        return Counter(
            {
                key: int(entities[key]["state"])
                for key in ("sent", "received", "failed", "pending")
            }
        )

    async def _rows(self) -> Counter[str]:
        entities = await self._probe("entities")
        ours = {each["entity_id"] for each in entities.values()} | {_INBOUND, _STATUS}
        rows = await self._probe("rows")
        return Counter({name: rows.get(name, 0) for name in ours})

    async def _probe(self, verb: str, **data: object) -> dict[str, Any]:
        entry_id = self._callbacks.entry_id
        return dict(await self._stage.home.probe(verb, entry_id=entry_id, **data))


def _per(rows: Counter[str], event: str, amount: int) -> float:
    """Return the rows for each event; CheckError unless each has one of its own."""
    if rows[event] != amount:
        raise CheckError(f"{rows[event]} of {amount} {event} are in the database")
    return rows.total() / amount


async def bench_rows() -> list[Row]:
    """Count the rows that the recorder keeps of us, and look for a text in them."""
    async with open_stage("rows") as stage:
        callbacks = Callbacks(stage)
        await callbacks.open()
        recording = Recording(stage, callbacks)
        strangers = [f"+336555{number:05}" for number in range(MANY)]
        inbound = {
            "one alone, of a stranger": [PERSON],
            "one alone, of the same person": [PERSON],
            f"{MANY} of one person": [PERSON] * MANY,
            f"{MANY} strangers": strangers,
        }
        received = {
            name: await recording.rows_of_inbound(senders)
            for name, senders in inbound.items()
        }
        followed = {
            "one message alone": await recording.rows_of_statuses(1),
            f"{MANY} messages": await recording.rows_of_statuses(MANY),
        }
        texts = await _count_texts(recording)
    return [
        *(
            Row.at_most(f"Recorder rows per inbound SMS, {name}", "", rows, 4, "rows")
            for name, rows in received.items()
        ),
        *(
            Row.at_most(f"Recorder rows per status, {name}", "", rows, 3, "rows")
            for name, rows in followed.items()
        ),
        Row.at_most(
            "Rows with a text that came in, privacy metadata", "", texts, 0, "rows"
        ),
    ]


async def _count_texts(recording: Recording) -> int:
    """Return the rows with a text that came in while only metadata may be told."""
    found = {}
    for privacy in ("full", "metadata"):
        await recording.renew(privacy)
        needle = f"{_NEEDLE} {privacy}"
        await recording.receive([_STRANGER], needle)
        found[privacy] = await recording.find(needle)
    if not found["full"]:
        raise CheckError("a text that may be told is not in the database")
    return found["metadata"]
