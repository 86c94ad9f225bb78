"""Somebody who is asked or alarmed: where they are texted, and who they are."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A number and the line that texts it; with a contact, they answer by any number."""

    number: str = field(repr=False)
    line: str
    contact_id: str | None = None
    name: str | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """Return what two mentions of the same person have in common."""
        return self.contact_id or self.number

    @property
    def shown(self) -> str:
        """Return what others call them."""
        return self.name or self.number

    def is_writer(self, sender: str, contact_id: str | None) -> bool:
        """Say whether a message of a sender, or of a contact, is theirs."""
        return sender == self.number or (
            contact_id is not None and contact_id == self.contact_id
        )

    def write(self) -> dict[str, Any]:
        """Return what is stored."""
        return asdict(self)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self:
        """Read what is stored."""
        return cls(**stored)
