"""Decide whether an answer of our own may go out: to a question, an alert, a command.

Who answers a machine may be answered by it, without end and at a price. So none goes
to what is no person's phone, and no more than a few to anybody within a while.
"""

from collections.abc import Callable, Collection

from ..store.answers import AnswerTable
from .correspondent import is_phone_number


class Answers:
    """The answers of one line."""

    def __init__(
        self, records: AnswerTable, own_numbers: Callable[[], Collection[str]]
    ) -> None:
        """Take what was answered, and the numbers of all lines of the home."""
        self._records = records
        self._own_numbers = own_numbers

    async def may_answer(self, correspondent: str) -> bool:
        """Say whether an answer may go out, which is counted then."""
        if not is_phone_number(correspondent) or correspondent in self._own_numbers():
            return False
        return await self._records.take(correspondent)
