"""How often a line has answered somebody by itself of late.

Two automations that answer each other would do so for ever. A person does not write
so often that a brake would be in their way.
"""

from datetime import datetime, timedelta
import sqlite3
from typing import Final

from .clock import SteadyClock
from .database import Database

MOST_ANSWERS: Final = 5
"""Answers to one correspondent within the window."""
ANSWER_WINDOW: Final = timedelta(minutes=10)


class AnswerTable:
    """The answers of our own, one by one."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        """Take the way to the disk, and a clock that never jumps."""
        self._run = database.run
        self._clock = clock

    async def take(self, correspondent: str) -> bool:
        """Count an answer that is to be sent; False when there were enough of late."""
        now = self._clock.now()
        return await self._run(lambda connection: _take(connection, correspondent, now))


def _take(connection: sqlite3.Connection, correspondent: str, now: datetime) -> bool:
    start = (now - ANSWER_WINDOW).timestamp()
    # What is over is over for all, and what lies ahead was a clock's mistake.
    connection.execute(
        "DELETE FROM answer_sent WHERE at <= ? OR at > ?", (start, now.timestamp() + 1)
    )
    count, newest = connection.execute(
        "SELECT count(*), ifnull(max(at), 0) FROM answer_sent WHERE correspondent = ?",
        (correspondent,),
    ).fetchone()
    if count >= MOST_ANSWERS:
        return False
    # Two within one tick of the clock are two.
    at = max(now.timestamp(), newest + 0.001)
    connection.execute("INSERT INTO answer_sent VALUES (?, ?)", (correspondent, at))
    return True
