"""The words all layers share: what providers say, in one vocabulary.

Numbers are E.164, times are aware and in UTC, statuses and reasons are ours.
Whatever a log must never show (texts, numbers, URLs, bodies) has no place in a
`repr`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Flag, StrEnum, auto
from functools import cached_property
from urllib.parse import parse_qsl

from .costs import Cost
from .plain_text import clean, drop_unseen
from .wishes import Wish

LONGEST_ID = 128
LONGEST_NAME = 255
_LONGEST_TEXT = 20_000
_LONGEST_URL = 2_048


def clean_record(record: object, **longest: int) -> None:
    """Clean a provider's texts, and bound their length; ValueError if one is none."""
    for name, most in longest.items():
        value = getattr(record, name)
        if isinstance(value, str):
            object.__setattr__(record, name, clean(value, most))
        elif value is not None:
            raise ValueError(f"{name} is no text")


class Capability(Flag):
    """What a provider can do beyond sending and receiving callbacks.

    CREDITS: the balance is a number of credits, not an amount of money.
    SHARED_CALLBACK_URLS: the URLs are the account's, for inbound messages and statuses
    alike; otherwise each number has one, and each outbound message its own.
    """

    AUTHORIZATION = auto()
    BALANCE = auto()
    CALLBACK_FAILURES = auto()
    CALLBACK_URLS = auto()
    CALLS = auto()
    CREDITS = auto()
    HISTORY = auto()
    LOOKUP = auto()
    MEDIA = auto()
    OPT_OUTS = auto()
    RECEIPTS = auto()
    SHARED_CALLBACK_URLS = auto()
    SIGNED_CALLBACKS = auto()


class DeliveryStatus(StrEnum):
    """Where an outbound message stands, whatever its provider calls it."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """Say how far along a message is: a status never gives way to a lower one."""
        return _RANKS[self]

    @property
    def is_final(self) -> bool:
        """Say whether nothing can follow."""
        return self.rank == _FINAL


_FINAL = 3
_RANKS = {
    DeliveryStatus.QUEUED: 0,
    DeliveryStatus.UNKNOWN: 1,
    DeliveryStatus.SENT: 2,
    DeliveryStatus.DELIVERED: _FINAL,
    DeliveryStatus.UNDELIVERED: _FINAL,
    DeliveryStatus.FAILED: _FINAL,
    DeliveryStatus.CANCELED: _FINAL,
}


class RejectReason(StrEnum):
    """Why a message was refused or did not arrive."""

    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    OPTED_OUT = "opted_out"
    LANDLINE = "landline"
    SPAM = "spam"
    UNREGISTERED_SENDER = "unregistered_sender"
    NO_CREDIT = "no_credit"
    EXPIRED = "expired"
    OTHER = "other"


class Encoding(StrEnum):
    """The alphabet a text travels in."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    """One input of a provider's credential form.

    `requires` names the field without which this one means nothing. `rotates`
    keeps a replaced value for a day, because what was signed with it may still be on
    its way. `shape` is a pattern of what a whole value looks like.
    """

    key: str
    secret: bool = False
    required: bool = True
    advanced: bool = False
    requires: str | None = None
    rotates: bool = False
    shape: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who the credentials belong to; `id` is the first half of a unique id."""

    id: str
    name: str | None = None

    def __post_init__(self) -> None:
        clean_record(self, id=LONGEST_ID, name=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A line of the user's: E.164, and the account it lives in."""

    account: str
    number: str = field(repr=False)
    label: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        clean_record(self, account=LONGEST_ID, number=LONGEST_NAME, label=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or file that travels with a message."""

    url: str = field(repr=False)
    content_type: str | None = None

    def __post_init__(self) -> None:
        clean_record(self, url=_LONGEST_URL, content_type=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """One text to one recipient; `message_id` never changes, `contact` is for us."""

    message_id: str
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    media: tuple[str, ...] = field(default=(), repr=False)
    created_at: datetime
    segments: int = 1
    encoding: Encoding = Encoding.GSM_7
    contact: str | None = field(default=None, repr=False)

    @property
    def is_empty(self) -> bool:
        """Say whether nobody would see anything of it."""
        return not (self.media or drop_unseen(self.text).strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """What the provider answered to a message it accepted.

    `exact` is False for a record that may be another message to the same recipient.
    """

    provider_id: str
    status: DeliveryStatus = DeliveryStatus.QUEUED
    segments: int | None = None
    cost: Cost | None = None
    exact: bool = True

    def __post_init__(self) -> None:
        clean_record(self, provider_id=LONGEST_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A text someone wrote to a number of ours; id and `wish` are the provider's."""

    message_id: str
    number: str | None = field(repr=False)
    sender: str = field(repr=False)
    text: str = field(repr=False)
    received_at: datetime
    segments: int | None = None
    media: tuple[Media, ...] = field(default=(), repr=False)
    wish: Wish | None = None

    def __post_init__(self) -> None:
        clean_record(
            self,
            message_id=LONGEST_ID,
            number=LONGEST_NAME,
            sender=LONGEST_NAME,
            text=_LONGEST_TEXT,
        )


class SetAsideReason(StrEnum):
    """Why a record of the provider's cannot be taken now."""

    INCOMPLETE = "incomplete"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An inbound record that is to be read again later.

    INCOMPLETE: a part of it cannot be read yet; `message` is the rest. UNREADABLE: it
    makes no sense. `at` is when it was received, by the provider's clock, if known.
    """

    record_id: str
    reason: SetAsideReason
    at: datetime | None = None
    message: InboundMessage | None = None

    def __post_init__(self) -> None:
        clean_record(self, record_id=LONGEST_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """What the provider says of a message it accepted earlier.

    `message_id` is ours when the callback carried it, which tells the message
    apart before the provider's own id is known here.
    """

    provider_id: str
    status: DeliveryStatus
    message_id: str | None = None
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime | None = None
    cost: Cost | None = None

    def __post_init__(self) -> None:
        clean_record(
            self,
            provider_id=LONGEST_ID,
            message_id=LONGEST_ID,
            error_code=LONGEST_NAME,
        )


type Event = InboundMessage | DeliveryReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is left in the account: money when it has a currency, else credits."""

    amount: Decimal
    currency: str | None = None

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError("no amount")
        clean_record(self, currency=LONGEST_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackUrls:
    """The URLs that stand at the provider for a number; None where there is none.

    `overruled_by` names what makes the provider ignore them, as an application does;
    `perhaps_overruled_by` what may, as far as can be told.
    """

    inbound: str | None = field(default=None, repr=False)
    status: str | None = field(default=None, repr=False)
    overruled_by: str | None = None
    perhaps_overruled_by: str | None = None

    def __post_init__(self) -> None:
        clean_record(self, inbound=_LONGEST_URL, status=_LONGEST_URL)


class Advice(StrEnum):
    """What only the user can do about a refusal, at the provider."""

    ENABLE_COUNTRY = "enable_country"
    ENABLE_VOICE_COUNTRY = "enable_voice_country"
    LEAVE_TRIAL = "leave_trial"
    REGISTER_SENDER = "register_sender"
    RENEW_SERVICE = "renew_service"
    TOP_UP = "top_up"


class AuthorizationStatus(StrEnum):
    """What the user has made of a request for access."""

    PENDING = "pending"
    VALIDATED = "validated"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A key that opens nothing until the user agrees at `url`."""

    url: str = field(repr=False)
    consumer_key: str = field(repr=False)

    def __post_init__(self) -> None:
        clean_record(self, url=_LONGEST_URL, consumer_key=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationState:
    """What a key may do, its lacking rights named as the provider does.

    `missing` are those without which nothing is sent or received, and
    `missing_for_callbacks` those without which the URLs are set by hand.
    """

    status: AuthorizationStatus
    expires_at: datetime | None = None
    missing: tuple[str, ...] = ()
    missing_for_callbacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What a provider wants to hear when its callback was taken in."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, kw_only=True)
class CallbackRequest:
    """A provider's HTTP request, free of any web framework.

    `url` is the one that was registered plus the query that arrived, for a proxy may
    have changed everything else. Header names are in lower case. `truncated` tells
    that the body was longer than anyone may send.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Return the query's pairs in order, empty values included."""
        query = self.url.partition("#")[0].partition("?")[2]
        return tuple(parse_qsl(query, keep_blank_values=True))

    @cached_property
    def form(self) -> tuple[tuple[str, str], ...]:
        """Return the form's pairs in order, empty values included.

        Raises UnicodeDecodeError for bytes that are no UTF-8. The number of fields
        has no limit of its own: that of the body is one.
        """
        text = self.body.decode("utf-8")
        return tuple(parse_qsl(text, keep_blank_values=True))

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return query and form as one mapping; the form wins."""
        return dict(self.query) | dict(self.form)
