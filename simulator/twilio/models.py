"""Hold what a Twilio account has: numbers, messages and alerts."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
import secrets
from urllib.parse import urlencode

from ..base import Json, Message
from ..callbacks import Callback
from ..segments import count
from ..world import now


@dataclass(slots=True, kw_only=True)
class Number:
    """Hold one phone number of the account and where it posts."""

    sid: str
    number: str
    sms: bool = True
    mms: bool = True
    sms_url: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    sms_application_sid: str = ""
    voice_url: str = ""
    voice_method: str = "POST"
    voice_application_sid: str = ""
    trunk_sid: str = ""
    friendly_name: str = ""
    record: Json = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class TwilioMessage(Message):
    """Add what only Twilio keeps of a message."""

    id: str
    service_sid: str | None = None
    price: Decimal | None = None
    media_sids: list[str] = field(default_factory=list)
    fetches: list[tuple[str, int | None]] = field(default_factory=list)
    """How its files were asked for, and the status of each answer."""

    @property
    def segments(self) -> int:
        """Count its segments; Twilio knows none yet while a service holds it."""
        held = self.status in {"accepted", "scheduled"}
        return 0 if held else count(self.text).segments


@dataclass(slots=True, kw_only=True)
class Call:
    """Hold one call: `heard` is what was spoken, `action` who learns of a key."""

    to: str
    sender: str
    inbound: bool
    status: str
    id: str = field(default_factory=lambda: "CA" + secrets.token_hex(16))
    twiml: str = ""
    callback_url: str = ""
    events: frozenset[str] = frozenset()
    action: str = ""
    heard: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    created: datetime = field(default_factory=now)
    answered: datetime | None = None
    ended: datetime | None = None
    sequence: int = 0
    held: list[Callback] = field(default_factory=list, repr=False)
    record: Json = field(default_factory=dict)

    @property
    def number(self) -> str:
        """Name the home's end."""
        return self.to if self.inbound else self.sender

    @property
    def duration(self) -> int:
        """Count the seconds of talk."""
        if self.answered is None or self.ended is None:
            return 0
        return max(1, round((self.ended - self.answered).total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Hold one alert; `status` is what the home answered, if it did."""

    code: int
    url: str
    at: datetime = field(default_factory=now)
    level: str = "error"
    method: str = "POST"
    status: int | None = None
    resource_sid: str = ""
    sid: str = field(default_factory=lambda: "NO" + secrets.token_hex(16))

    @property
    def text(self) -> str:
        """Write what happened, in the form of a query as Twilio does."""
        answer = {} if self.status is None else {"httpResponse": str(self.status)}
        fields = {
            "sourceComponent": "14100",
            **answer,
            "url": self.url,
            "ErrorCode": str(self.code),
            "LogLevel": self.level.upper(),
            "EmailNotification": "false",
        }
        return urlencode(fields)
