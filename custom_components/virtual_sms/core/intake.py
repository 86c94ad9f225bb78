"""Take in what somebody wrote, whatever way it came: judged, and with its wish noted."""

from collections.abc import Callable, Sequence
from functools import partial
import sqlite3

from ..adapters.models import InboundMessage
from ..store.changes import Received
from ..store.inbound import InboundTable, Judge
from .consent import follow_wish
from .line import Dependencies, Line


class Intake:
    """The one way by which messages reach the store."""

    def __init__(
        self,
        line: Line,
        records: InboundTable,
        publish: Callable[[Sequence[Received]], None],
        dependencies: Dependencies,
    ) -> None:
        """Take the line, its rows, and who publishes what is new."""
        self._line = line
        self._records = records
        self._publish = publish
        self._now, self._guard = dependencies.now, dependencies.guard

    async def admit(self, messages: Sequence[InboundMessage], *, late: bool) -> None:
        """Write down what is new, and publish it. On return it is safe on disk."""
        now = self._line.provider_time(self._now())
        judge = partial(_judge, judge=self._guard.judge_at(now))
        admit = self._records.admit
        await admit(messages, late=late, then=self._publish, judge=judge)


def _judge(
    connection: sqlite3.Connection, received: Received, *, judge: Judge
) -> Received:
    """Follow a message's wish before it is judged: what counts is the whole text."""
    follow_wish(connection, received.message)
    return judge(connection, received)
