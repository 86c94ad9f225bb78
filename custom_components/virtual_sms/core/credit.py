"""Know whether an account has anything left, by the newest evidence there is."""

from decimal import Decimal


class Credit:
    """Whether anything is left; None as long as nothing tells."""

    def __init__(self, *, is_spent: bool) -> None:
        """Begin with nothing known, or with what an earlier refusal said."""
        self.is_left: bool | None = False if is_spent else None
        self._messages = 0

    @property
    def mark(self) -> int:
        """Mark this moment: what is asked for now is newer than all evidence so far."""
        return self._messages

    def refuse(self) -> None:
        """Learn that a message was refused for want of credit."""
        self._messages += 1
        self.is_left = False

    def accept(self) -> None:
        """Learn that a message was accepted that began after the last refusal."""
        if self.is_left is False:
            self._messages += 1
            self.is_left = True

    def weigh(self, amount: Decimal, mark: int) -> None:
        """Learn a balance that was asked for at `mark`.

        What a message has shown since is newer.
        """
        if mark == self._messages:
            self.is_left = amount > 0
