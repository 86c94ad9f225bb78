"""Hold what an OVHcloud customer has: SMS accounts and messages."""

from dataclasses import dataclass, field
from datetime import datetime

from ..base import Json, Message
from ..segments import count


@dataclass(slots=True, kw_only=True)
class Service:
    """Hold one SMS account, its credits and its callback URLs."""

    name: str
    numbers: tuple[str, ...] = ()
    credits: float = 100.0
    description: str = ""
    call_back: str | None = None
    stop_call_back: str | None = None
    response_type: str = "none"
    cgi_url: str | None = None
    response_text: str | None = None
    response_sender: str | None = None
    response_options: list[object] | None = None
    templates: Json = field(default_factory=dict)
    expired: bool = False
    blacklist: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class OvhMessage(Message):
    """Add what only OVHcloud keeps of a message."""

    id: int
    service: str = ""
    receipt: int = 0
    ptt: int = 0
    credits: float = 0.0
    differed: int = 0
    delivered: datetime | None = None

    @property
    def segments(self) -> int:
        """Count the SMS billed."""
        return count(self.text).segments

    @property
    def pending(self) -> bool:
        """Tell whether it is a job still, not an outgoing message."""
        return self.status == "queued"
