"""Verbs about the store of a number: fill it, weigh it, write into it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .sends import TEXT
from .stopwatch import Stopwatch

_BATCH: Final = 500
_PERSON: Final = "+33612345678"
_AGE: Final = timedelta(days=25)
"""How far back the closed ones go: they are forgotten after a month."""
_OPEN_AGE: Final = timedelta(hours=1)
_DEADLINE: Final = timedelta(minutes=30)
_TIMEOUT: Final = 60


class Book:
    """A number's store, and what to write into it."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Find it."""
        # Not at the top: the probe must not load what it weighs.
        from custom_components.virtual_sms.adapters import models  # noqa: PLC0415  # as said

        entry: Any = hass.config_entries.async_get_entry(entry_id)
        gateway = entry.runtime_data.gateway
        self.store: Any = gateway.store
        self._number: str = gateway.line.number.number
        self._compose: Any = gateway.outbox.compose
        self._models: Any = models

    def outbound(self, count: int, age: timedelta) -> list[Any]:
        """Compose messages, spread evenly over some time until now."""
        return [
            replace(self._compose(f"+336{number:08}", TEXT), created_at=at)
            for number, at in enumerate(_times(count, age))
        ]

    def inbound(self, count: int, age: timedelta, name: str) -> list[Any]:
        """Make messages that came in; `name` tells them from others."""
        return [
            self._models.InboundMessage(
                message_id=f"SM{name}{number:0{32 - len(name)}x}",
                number=self._number,
                sender=_PERSON,
                text=TEXT,
                received_at=at,
                segments=1,
            )
            for number, at in enumerate(_times(count, age))
        ]

    async def send(self, messages: Sequence[Any]) -> None:
        """Write down that messages were sent: begun, and accepted by the provider."""
        records, sent = self.store.outbound, self._models.SentMessage
        await self._tell(await records.add(messages, _deadline(messages)))
        for change in await asyncio.gather(
            *(
                records.accept(each.message_id, sent(provider_id=_sid(each)))
                for each in messages
            )
        ):
            await self._tell(change)

    async def end(self, messages: Sequence[Any], status: str) -> None:
        """Write down what a provider's receipts say."""
        receipts = [
            self._models.DeliveryReceipt(
                provider_id=_sid(each), status=self._models.DeliveryStatus(status)
            )
            for each in messages
        ]
        receive = self.store.outbound.receive
        await self._tell(await asyncio.gather(*map(receive, receipts)))

    async def admit(self, messages: Sequence[Any]) -> None:
        """Write down messages that came in."""
        await self._tell(await self.store.inbound.admit(messages, late=False))

    async def _tell(self, changes: Sequence[Any]) -> None:
        """Note what a home would have been told of, for it is not told here."""
        if changes:
            await self.store.note_published(changes)


async def fill(hass: HomeAssistant, data: dict[str, Any]) -> None:
    """Track messages: some `inbound`, some `closed`, and some still `open`."""
    book = Book(hass, data["entry_id"])
    for some in batched(book.inbound(data["inbound"], _AGE, "f"), _BATCH, strict=False):
        await book.admit(some)
    for name, age in (("closed", _AGE), ("open", _OPEN_AGE)):
        for some in batched(book.outbound(data[name], age), _BATCH, strict=False):
            await book.send(some)
            await book.end(some, "sent")
            if name == "closed":
                await book.end(some, "delivered")


async def size(hass: HomeAssistant, data: dict[str, Any]) -> int:
    """Return the bytes of the store's file; what was just written is not in it yet."""
    path = Path(hass.config.path(".storage", f"virtual_sms.{data['entry_id']}.db"))
    return (await hass.async_add_executor_job(path.stat)).st_size


async def save(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Write down sends, receipts and messages, and say how it blocked the loop.

    `rounds` times each of these for `together` messages at once. Nothing is fired
    and no entity is written: what the loop does meanwhile is the store's. `written`
    is how many messages are counted more than before.
    """
    book = Book(hass, data["entry_id"])
    none = timedelta()
    steps = [
        (
            book.outbound(data["together"], none),
            book.inbound(data["together"], none, f"{data['name']}{number:04}"),
        )
        for number in range(data["rounds"])
    ]
    before = book.store.tally
    watch = Stopwatch(hass)
    # What runs now is not timed: only what it waits for is.
    watch.start()
    async with asyncio.timeout(_TIMEOUT):
        for outbound, inbound in steps:
            await asyncio.gather(book.send(outbound), book.admit(inbound))
            await book.end(outbound, "delivered")
    stall, after = watch.stop()["stall"], book.store.tally
    return {
        "stall": stall,
        "sent": after.sent - before.sent,
        "received": after.received - before.received,
        "pending": after.pending - before.pending,
    }


def _times(count: int, age: timedelta) -> list[datetime]:
    now = dt_util.utcnow()
    return [now - age * (1 - number / count) for number in range(count)]


def _deadline(messages: Sequence[Any]) -> datetime:
    latest: datetime = max(each.created_at for each in messages)
    return latest + _DEADLINE


def _sid(message: Any) -> str:
    return f"SM{message.message_id}"


VERBS = {"fill": fill, "size": size, "save": save}
