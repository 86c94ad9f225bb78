"""What a person or an automation wants to have sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ..core.outbox import Plan
from ..media.outgoing import Attachments, MediaAsLink


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """A text to send, as a person or an automation wrote it."""

    recipients: Sequence[object] = field(default=(), repr=False)
    contacts: Sequence[str] = field(default=(), repr=False)
    text: str = field(repr=False)
    title: str | None = field(default=None, repr=False)
    media: Sequence[str] = field(default=(), repr=False)
    media_as_link: MediaAsLink = MediaAsLink.AUTO
    attachments: Attachments | None = field(default=None, repr=False)
    """What `media` was when it was taken; None before that."""
    retry_for: timedelta | None = None
    max_segments: int | None = None
    simplify: bool | None = None
    is_critical: bool = False
    planned_id: str | None = None
    """The id of the only message, if it was chosen before."""
    plan: Plan = Plan.NONE
    """Which run chose that id."""

    @property
    def whole_text(self) -> str:
        """Return the text as it travels, under its title."""
        return f"{self.title}\n{self.text}" if self.title else self.text
