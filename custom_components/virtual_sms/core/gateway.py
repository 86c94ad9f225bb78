"""A number at work: what it sends, and what it receives."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
import logging
import sqlite3

from ..adapters.call_models import OutboundCall
from ..adapters.models import OutboundMessage
from ..store.changes import Change, Received
from ..store.database import DatabaseClosedError
from ..store.store import Store
from ..store.usage import Allowance
from .calls import CallOutcome, Calls
from .inbox import Inbox
from .line import Dependencies, Line
from .outbox import Outbox, Plan
from .outcome import Outcome
from .publisher import Pending, Publisher, nothing_pending

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayHooks:
    """What a gateway asks of whoever runs it.

    `publish` is given each change, `wake` has the outbox work on what waits,
    `wake_calls` has open calls asked about, and `catch_up_soon` has the provider's
    record read before long. `pending` returns what ends when all that follows from
    changes is on disk, None if it is already. `follow_disk` learns that messages
    cannot be written down, or can be again.
    """

    publish: Callable[[Change], None]
    wake: Callable[[], None]
    catch_up_soon: Callable[[], None]
    pending: Pending = nothing_pending
    wake_calls: Callable[[], None] = lambda: None
    follow_disk: Callable[[], None] = lambda: None


class Gateway:
    """One line and everything that happens on it."""

    def __init__(
        self, line: Line, store: Store, hooks: GatewayHooks, dependencies: Dependencies
    ) -> None:
        """Compose the parts; nothing runs before `open`."""
        self.line = line
        self.store = store
        self._hooks = hooks
        self._spawn = dependencies.spawn
        self._now, self._guard = dependencies.now, dependencies.guard
        self._publisher = Publisher(store, self._publish, hooks.pending)
        publish = self._publisher.publish
        self.outbox = Outbox(line, store.outbound, publish, dependencies)
        self.outbox.on_disk_change(self._follow_disk)
        self.calls = Calls(line, store.calls, publish, hooks.wake_calls)
        self.inbox = Inbox(line, store, publish, dependencies, hooks.catch_up_soon)

    async def open(self) -> None:
        """Open the store, and take up what an earlier run left."""
        await self.store.open()
        await self._publisher.load()

    def start(self) -> None:
        """Begin to publish, what was held back first."""
        self._publisher.start()

    async def wait_until_published(self) -> None:
        """Wait until all that is known of the line is published."""
        await self._publisher.wait()

    async def close(self) -> None:
        """Finish what is being written and close the store."""
        with suppress(DatabaseClosedError, OSError, sqlite3.Error):
            await self.store.outbound.note_clock()
            # What is just being written is still published.
            await self.store.wait()
        self._publisher.stop()
        await self._publisher.finish()
        await self.store.close()

    async def send(
        self,
        messages: Sequence[OutboundMessage],
        retry_window: timedelta,
        allowance: Allowance | None = None,
        *,
        plan: Plan = Plan.NONE,
    ) -> list[Outcome]:
        """Send messages and say where they stand after the first attempt.

        An attempt is carried to its end even when nobody waits for it any more. When
        the line closes meanwhile, what is written down goes on when it opens again,
        and its outcome says so. What the disk does not take leaves once, and its outcome
        says that it is not remembered. Raises DatabaseClosedError or what the disk says
        when nothing has left. What may have left before this run is sent once the
        provider's record shows that it has not.
        """
        outcomes: dict[str, Outcome] = {}

        def report(outcome: Outcome) -> None:
            outcomes[outcome.message.message_id] = outcome

        async def send() -> None:
            await self.outbox.send(messages, retry_window, report, allowance, plan=plan)
            if self.outbox.has_work or any(each.waits for each in outcomes.values()):
                self._hooks.wake()

        with self._publisher.giving_way():
            task = self._spawn(send(), "send")
            await asyncio.wait([task])
        if not outcomes:
            if task.cancelled():
                raise DatabaseClosedError
            task.result()
        elif not task.cancelled() and (error := task.exception()):
            _LOGGER.error("Sending ended in an unforeseen way", exc_info=error)
        return list(outcomes.values())

    async def call(
        self, calls: Sequence[OutboundCall], allowance: Allowance | None = None
    ) -> list[CallOutcome]:
        """Call people and say where each call stands then.

        That is carried to its end even when nobody waits for it any more. Raises
        DatabaseClosedError or what the disk says when nothing was written down, and
        then nobody is called.
        """
        outcomes: list[CallOutcome] = []

        async def place() -> None:
            outcomes.extend(await self.calls.place(calls, allowance))

        task = self._spawn(place(), "call")
        await asyncio.wait([task])
        if task.cancelled():
            raise DatabaseClosedError
        task.result()
        return outcomes

    def _follow_disk(self) -> None:
        """Say whether the disk takes nothing, and then try it again before long."""
        self._hooks.follow_disk()
        if self.outbox.has_work:
            self._hooks.wake()

    def _publish(self, change: Change) -> None:
        """Publish a change; whom we believe depends on when that is."""
        if isinstance(change, Received):
            now = self.line.provider_time(self._now())
            change = self._guard.review(change, now)
        self._hooks.publish(change)
