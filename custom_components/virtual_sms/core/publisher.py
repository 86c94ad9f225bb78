"""Publish what is new to the home, once it listens, and note what was published.

While Home Assistant starts, no automation hears an event. What becomes known
meanwhile, or was cut short by a crash, is held back and published in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
import logging

from ..store.changes import Change, Received, StatusChanged
from ..store.clock import monotonic
from ..store.database import FLUSH_DELAY, DatabaseClosedError
from ..store.store import Store

_LOGGER = logging.getLogger(__name__)


IN_FLIGHT = 32
"""Changes that a crash may repeat: the most that are published but not noted."""
LONGEST_HOLD = 5.0
"""Seconds that a line which closes waits for what follows from what it published."""
GIVES_WAY = 0.1
"""Seconds that what became of messages waits, at most, while others are being sent."""
AT_ONCE = 4
"""Changes in a row, before it yields to the event loop."""
LONGEST_TURN = 0.002
"""Seconds of publishing in a row, before it yields: a thread that wants Python gets it
after five, and may keep the loop from it for as long again."""


type Pending = Callable[[], asyncio.Future[list[BaseException | None]] | None]
"""Returns what ends when all that follows from changes is on disk, if anything does."""


def nothing_pending() -> None:
    """Wait for nothing."""


class Publisher:
    """Publish changes in order, each once."""

    def __init__(
        self,
        store: Store,
        publish: Callable[[Change], None],
        pending: Pending = nothing_pending,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        """Take the store, who handles a change, what they have to write, and a clock."""
        self._store = store
        self._monotonic = monotonic
        self._pending = pending
        self._publish = publish
        self._waiting: deque[Change] = deque()
        self._missed: list[Change] = []
        self._hold: asyncio.Future[list[BaseException | None]] | None = None
        self._held: list[Change] = []
        """What is to be noted after what is held back."""
        self._unnoted = 0
        self._is_publishing = False
        self._turn: asyncio.Handle | None = None
        """When the rest of the home has had its own."""
        self._is_open = False
        self._is_done = asyncio.Event()
        self._senders = 0
        self._hurries = False
        """What waits gives way to nobody."""
        self._timer: asyncio.TimerHandle | None = None

    async def load(self) -> None:
        """Take up what an earlier run knew but did not publish."""
        self._waiting.extend(
            replace(each, late=True) for each in await self._store.inbound.unpublished()
        )
        self._waiting.extend(await self._store.outbound.unpublished())
        self._waiting.extend(await self._store.calls.unpublished())

    def start(self) -> None:
        """Begin to publish: what was held back first, the oldest before the rest."""
        self._waiting = deque(sorted(self._waiting, key=_time))
        self._is_open = True
        self._go_on()

    def publish(self, changes: Sequence[Change]) -> None:
        """Publish as soon as enough of it is noted, but not before `start`.

        Only what became of our own messages gives way to those being sent.
        """
        self._waiting.extend(changes)
        self._hurries |= not all(isinstance(each, StatusChanged) for each in changes)
        self._go_on()

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Send something meanwhile: that comes before what became of others."""
        self._senders += 1
        try:
            yield
        finally:
            self._senders -= 1
            if not self._senders:
                # Whoever has sent goes on first.
                asyncio.get_running_loop().call_soon(self._go_on)

    async def wait(self) -> None:
        """Wait until all that is known is published."""
        await self._is_done.wait()

    def stop(self) -> None:
        """Publish no more: what waits is for the next run."""
        if self._timer is not None:
            self._timer.cancel()
            self._hurry()
        self._is_open = False

    async def finish(self) -> None:
        """Have all noted that was published, or the next run publishes it again.

        That waits for what follows from it to be written, but not for ever.
        """
        if self._missed:
            self._note([])
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_HOLD):
                while self._hold is not None:
                    await asyncio.wait([self._hold])

    def _go_on(self) -> None:
        """Publish more, unless that is being done: who handles it may send at once."""
        if (
            self._is_open
            and not self._is_publishing
            and self._turn is None
            and self._may_publish(self._unnoted)
            and not self._must_give_way()
        ):
            self._is_publishing = True
            published: list[Change] = []
            try:
                self._publish_some(published)
            finally:
                self._is_publishing = False
                self._note(published)
        if self._waiting:
            self._is_done.clear()
        else:
            self._is_done.set()
            self._begin_anew()

    def _must_give_way(self) -> bool:
        """Say whether what waits is to wait for those who send, which is not for long."""
        if self._hurries or not self._senders:
            return False
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GIVES_WAY, self._hurry)
        return True

    def _hurry(self) -> None:
        self._hurries = True
        self._go_on()

    def _begin_anew(self) -> None:
        """Give way again, now that nothing waits any more."""
        self._hurries = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _publish_some(self, published: list[Change]) -> None:
        end = self._monotonic() + LONGEST_TURN
        while self._may_publish(self._unnoted + len(published)):
            change = self._waiting.popleft()
            self._publish(change)
            published.append(change)
            if len(published) == AT_ONCE or self._monotonic() >= end:
                return

    def _may_publish(self, unnoted: int) -> bool:
        return bool(self._waiting) and unnoted < IN_FLIGHT

    def _note(self, published: list[Change]) -> None:
        """Note in the store what was published, with what could not be noted before."""
        published, self._missed = self._missed + published, []
        self._unnoted += len(published)
        if self._hold is None:
            self._hold_back(published)
        else:
            # What is noted out of order would count as unpublished.
            self._held += published
        if self._waiting and self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        self._go_on()

    def _hold_back(self, published: list[Change]) -> None:
        """Note changes once all that follows from them is written.

        A crash before that has them published again.
        """
        self._hold = self._pending()
        if self._hold is None:
            self._note_now(published)
        else:
            self._hold.add_done_callback(lambda _: self._let_go(published))

    def _let_go(self, published: list[Change]) -> None:
        self._hold = None
        self._note_now(published)
        held, self._held = self._held, []
        if held:
            self._hold_back(held)

    def _note_now(self, published: list[Change]) -> None:
        try:
            note = self._store.note_published(
                published, 0.0 if self._waiting else FLUSH_DELAY
            )
        except DatabaseClosedError:
            return  # The next run publishes them again.
        note.add_done_callback(partial(self._go_on_after, published))

    def _go_on_after(self, published: list[Change], note: asyncio.Future[None]) -> None:
        """Publish more, whether what was published could be noted or not."""
        self._unnoted -= len(published)
        if error := note.exception():
            _LOGGER.error("The store cannot be written", exc_info=error)
            self._missed += published
        self._go_on()


def _time(change: Change) -> datetime:
    if isinstance(change, Received):
        return change.message.received_at
    return change.at
