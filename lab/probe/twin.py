"""Our own number, all of it, but what it takes in is written nowhere."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

_CHANGES: Final = "custom_components.virtual_sms.store.changes"

type Then = Callable[..., None]


class Twin:
    """Stands in the three doors of a store, and keeps nothing until it leaves.

    It believes each callback: that fires its event, is shown and counted, and forgotten.
    """

    def __init__(self, store: Any) -> None:
        """Stand in the doors."""
        self._store = store
        # Not at the top: the probe must not load what it weighs.
        self._changes = import_module(_CHANGES)
        vars(store.inbound)["admit"] = self._admit
        vars(store.outbound)["receive"] = self._receive
        vars(store)["note_published"] = self._note_published

    def leave(self) -> None:
        """Let the store keep what comes."""
        store = self._store
        del store.inbound.admit, store.outbound.receive, store.note_published

    async def _admit(
        self, messages: Iterable[Any], *, late: bool, then: Then, **_: Any
    ) -> list[Any]:
        make = self._changes.Received
        return self._believe([make(message=each, late=late) for each in messages], then)

    async def _receive(self, receipt: Any, then: Then) -> Any:
        change = self._changes.StatusChanged(
            message_id=receipt.message_id,
            provider_id=receipt.provider_id,
            recipient="+33612345678",
            status=receipt.status,
            previous=None,
            at=datetime.now(UTC),
        )
        return self._believe(change, then)

    def _note_published(self, *_: object, **__: object) -> asyncio.Future[None]:
        noted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        noted.set_result(None)
        return noted

    def _believe[T](self, news: T, then: Then) -> T:
        """Count something, as the store does, and say that it is new."""
        tally, loop = self._store.tally, asyncio.get_running_loop()
        self._store.tally = replace(tally, received=tally.received + 1)
        loop.call_soon(self._store._notify)  # noqa: SLF001  # as the store itself does
        loop.call_soon(then, news)
        return news
