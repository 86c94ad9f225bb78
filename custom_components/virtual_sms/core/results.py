"""Write down what became of messages: at once, or else when the disk takes it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import logging

from ..store.changes import StatusChanged
from ..store.database import CANNOT_WRITE

_LOGGER = logging.getLogger(__name__)

type Write = Callable[[], Awaitable[Sequence[StatusChanged]]]


class Results:
    """What became of the messages of one line, until it is on disk."""

    def __init__(self, publish: Callable[[Sequence[StatusChanged]], None]) -> None:
        """Take who publishes each change once it is on disk."""
        self.publish = publish
        self._under_way: dict[str, asyncio.Task[bool]] = {}
        self._waiting: dict[str, Write] = {}
        self.is_failing = False
        """Nothing could be written when that was last tried."""
        self._had_work = False
        self.on_change: Callable[[], None] = lambda: None
        """Called when there begins to be work, and when all is done."""

    @property
    def has_work(self) -> bool:
        """Say whether something is to be written again, or at least tried."""
        return self.is_failing or bool(self._waiting)

    @property
    def ids(self) -> set[str]:
        """List the messages of which the store does not know yet what became."""
        return self._under_way.keys() | self._waiting.keys()

    def begin(self, message_id: str, write: Write) -> asyncio.Task[bool]:
        """Begin to write down what became of a message; returns whether that worked.

        If it did not, `work` tries it again.
        """
        # Its place in the queue to the disk is taken at once.
        task = asyncio.Task(self._write(message_id, write), eager_start=True)
        if not task.done():
            self._under_way[message_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(message_id, None))
        return task

    async def work(self) -> None:
        """Try again what could not be written."""
        for message_id, write in list(self._waiting.items()):
            await self.begin(message_id, write)

    def note(self, *, works: bool) -> None:
        """Note whether something could be written."""
        self.is_failing = not works
        if self._had_work is not self.has_work:
            self._had_work = self.has_work
            self.on_change()

    async def _write(self, message_id: str, write: Write) -> bool:
        try:
            changes = await write()
        except CANNOT_WRITE as err:
            _LOGGER.warning(
                "What became of a message cannot be written down now: %s",
                type(err).__name__,
            )
            self._waiting[message_id] = write
            self.note(works=False)
            return False
        self.publish(changes)
        self._waiting.pop(message_id, None)
        self.note(works=True)
        return True
