"""What OVHcloud says, in our words: its callbacks, its records and its codes.

Guides are those of ovh/docs, named by their titles; `ovh/...` are repositories.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from hashlib import blake2s
import re
from typing import Any, Final

from ..costs import Cost
from ..errors import InvalidResponseError, SmsError
from ..models import (
    Authorization,
    AuthorizationState,
    AuthorizationStatus,
    Balance,
    CallbackRequest,
    DeliveryReceipt,
    DeliveryStatus,
    Event,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
    SentMessage,
    SetAside,
    SetAsideReason,
)
from .errors import rejection
from .values import (
    as_integer,
    as_list,
    as_moment,
    as_object,
    as_text,
    if_any,
    is_id,
    optional,
    readable,
    spellings,
    to_e164,
)

_STATUSES: Final[Mapping[int | None, DeliveryStatus]] = {
    0: DeliveryStatus.QUEUED,
    1: DeliveryStatus.DELIVERED,
    2: DeliveryStatus.UNDELIVERED,
    4: DeliveryStatus.SENT,
    8: DeliveryStatus.SENT,
    16: DeliveryStatus.FAILED,
}
"""The delivery ids of "Everything you need to know about SMS users"."""

_FAILURES: Final = {DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED}

_PTTS: Final = {
    RejectReason.BLOCKED: "29 33 54 76 101 202",
    RejectReason.EXPIRED: "8 801",
    RejectReason.INVALID_NUMBER: "23 100",
    RejectReason.NO_CREDIT: "10",
    RejectReason.OPTED_OUT: "53",
    RejectReason.SPAM: "28",
    RejectReason.UNREACHABLE: "21 24 26 27 73 74",
    RejectReason.UNREGISTERED_SENDER: "52",
}
"""The ptt of "Everything you need to know about SMS users".

What that guide leaves out is from "SMPP Technical Specifications", which gives
some of the codes another meaning. 21 is the recipient's credit, not ours.
"""

_REASONS: Final[Mapping[int | None, RejectReason]] = {
    int(ptt): reason for reason, ptts in _PTTS.items() for ptt in ptts.split()
}

_AUTHORIZATIONS: Final = {
    "pendingValidation": AuthorizationStatus.PENDING,
    "validated": AuthorizationStatus.VALIDATED,
    "refused": AuthorizationStatus.REFUSED,
    "expired": AuthorizationStatus.EXPIRED,
}

_NONSENSE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a reader may make of a record that makes no sense."""

ANY: Final = "*"
"""Stands in a path for every account or number, as OVHcloud writes it."""

_NEEDED: Final = (
    ("GET", "/sms/{account}/virtualNumbers/{number}/incoming"),
    ("GET", "/sms/{account}/virtualNumbers/{number}/outgoing"),
    ("POST", "/sms/{account}/virtualNumbers/{number}/jobs"),
)
_NEEDED_FOR_CALLBACKS: Final = (
    ("GET", "/sms/{account}"),
    ("PUT", "/sms/{account}"),
)

_CODE: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_STATUS_FIELDS: Final = frozenset({"dlr", "description", "ptt"})
_LONGEST_TAG: Final = 20


def tag_of(message: OutboundMessage) -> str:
    """Return the tag under which a message can be found again.

    20 characters at most ("Sending SMS messages via a URL - http2sms"; the
    API's own limit is not published).
    """
    if len(message.message_id) <= _LONGEST_TAG:
        return message.message_id
    half = _LONGEST_TAG // 2
    return blake2s(message.message_id.encode(), digest_size=half).hexdigest()


def make_receipt(
    provider_id: str, dlr: int | None, ptt: int | None, at: datetime | None = None
) -> DeliveryReceipt:
    """Decide on the delivery id; the ptt only tells why a message failed."""
    status = _STATUSES.get(dlr, DeliveryStatus.UNKNOWN)
    if status not in _FAILURES:
        return DeliveryReceipt(provider_id=provider_id, status=status, at=at)
    return DeliveryReceipt(
        provider_id=provider_id,
        status=status,
        reason=_REASONS.get(ptt, RejectReason.OTHER),
        error_code=None if ptt is None else str(ptt),
        at=at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message in OVHcloud's own record; one still pending shows no tag."""

    id: str
    receiver: str
    text: str
    tag: str
    created_at: datetime

    def may_be(self, message: OutboundMessage, since: datetime) -> bool:
        """Tell whether this may be a message of ours, sent since then.

        A tag may have been dropped or cut, and a text changed; another tag is that
        of another message.
        """
        if self.tag == tag_of(message):
            return True
        return (
            tag_of(message).startswith(self.tag)
            and self.created_at >= since.replace(microsecond=0)
            and self.receiver == message.recipient
        )

    def equals(self, message: OutboundMessage) -> bool:
        """Tell whether what may be a message is it, as far as can be told."""
        return self.tag == tag_of(message) or (
            not self.tag and self.text == message.text
        )


def read_callback(request: CallbackRequest, now: datetime) -> Event:
    """Read what is to be asked about; KeyError or ValueError if there is nothing.

    It tells no time that can be relied on, but comes while the message does.
    """
    if request.truncated:
        raise ValueError("too long")
    fields = request.fields
    message_id = _read_id(fields["id"])
    sender = fields.get("senderid") or fields.get("sender")
    if sender and not fields.keys().isdisjoint({"message", "shortcode"}):
        number = to_e164(fields.get("shortcode", ""))
        return InboundMessage(
            message_id=message_id,
            number=number if number.startswith("+") else None,
            sender=to_e164(sender),
            text=fields.get("message", ""),
            received_at=now,
        )
    return _read_status(message_id, fields)


def _read_status(message_id: str, fields: Mapping[str, str]) -> DeliveryReceipt:
    """Read a status: RaspiSMS reads `dlr` where the guide names `description`."""
    if fields.keys().isdisjoint(_STATUS_FIELDS):
        raise ValueError("neither a message nor a status")
    dlr = _code(fields.get("dlr"))
    if dlr is None:
        dlr = _code(fields.get("description"))
    return make_receipt(message_id, dlr, _code(fields.get("ptt")))


def _read_id(value: str) -> str:
    if not is_id(value):
        raise ValueError("no id")
    return str(int(value))


def _code(value: str | None) -> int | None:
    return int(value) if value and _CODE.fullmatch(value) else None


def read_nothing(answer: Any) -> None:
    """Read the answer to what has none."""


def read_strings(answer: Any) -> list[str]:
    """Read a list of names or numbers."""
    return readable(as_text, answer)


def read_ids(answer: Any) -> list[str]:
    """Read a list of ids, lowest and hence oldest first."""
    return [str(each) for each in sorted(readable(as_integer, answer))]


def read_batch[T](read: Callable[[Any], T], answer: Any) -> dict[str, T]:
    """Read the items of a batch that are there and make sense, by their ids."""
    found: dict[str, T] = {}
    for each in as_list(answer):
        with suppress(*_NONSENSE):
            if each.get("error") is None:
                found[str(each["key"])] = read(each["value"])
    return found


def read_label(answer: Any) -> str | None:
    """Read what the user called an SMS account."""
    return as_object(answer).get("description") or None


def read_sent(answer: Any) -> SentMessage:
    """Read a sending report, which comes with 200 also for a refused receiver."""
    if not as_list(answer.get("validReceivers", answer["ids"])):
        raise rejection("invalid_receiver")
    return SentMessage(
        provider_id=str(as_integer(answer["ids"][0])),
        cost=Cost.read(answer.get("totalCreditsRemoved")),
    )


def read_inbound(number: PhoneNumber, answer: Any) -> InboundMessage:
    """Read a message someone wrote to a number, which is not named in it."""
    return InboundMessage(
        message_id=str(as_integer(answer["id"])),
        number=number.number,
        sender=to_e164(as_text(answer.get("sender") or "")),
        text=as_text(answer.get("message") or ""),
        received_at=as_moment(answer["creationDatetime"]),
    )


def sort_inbound(
    items: Mapping[str, InboundMessage | SmsError], start: datetime | None
) -> list[InboundMessage | SetAside]:
    """Put messages in the order of their times, older ones left out.

    What cannot be read or had now is set aside, and comes first.
    """
    aside = [
        _set_aside(each, e) for each, e in items.items() if isinstance(e, SmsError)
    ]
    messages = [each for each in items.values() if isinstance(each, InboundMessage)]
    messages.sort(key=lambda message: message.received_at)
    recent = [each for each in messages if start is None or each.received_at >= start]
    return [*aside, *recent]


def _set_aside(message_id: str, error: SmsError) -> SetAside:
    unreadable = isinstance(error, InvalidResponseError)
    reason = SetAsideReason.UNREADABLE if unreadable else SetAsideReason.INCOMPLETE
    return SetAside(record_id=message_id, reason=reason)


def read_receipt(answer: Any) -> DeliveryReceipt:
    """Read where a message stands that was sent."""
    at = answer.get("deliveredAt") or answer.get("sentAt")
    receipt = make_receipt(
        str(as_integer(answer["id"])),
        optional(as_integer, answer.get("deliveryReceipt")),
        if_any(as_integer, answer.get("ptt")),
        if_any(as_moment, at),
    )
    return replace(receipt, cost=Cost.read(answer.get("credits")))


def read_pending(answer: Any) -> DeliveryReceipt:
    """Read where a message stands that is about to be sent."""
    return DeliveryReceipt(
        provider_id=str(as_integer(answer["id"])), status=DeliveryStatus.QUEUED
    )


def read_outgoing(answer: Any) -> Outgoing:
    """Read what a message says, sent or pending."""
    return Outgoing(
        id=str(as_integer(answer["id"])),
        receiver=to_e164(as_text(answer["receiver"])),
        text=as_text(answer.get("message") or ""),
        tag=as_text(answer.get("tag") or ""),
        created_at=as_moment(answer["creationDatetime"]),
    )


def read_balance(answer: Any) -> Balance:
    """Read the credits an account has left."""
    return Balance(amount=Decimal(str(float(answer["creditsLeft"]))))


def read_authorization(answer: Any) -> Authorization:
    """Read a key that waits for its user."""
    return Authorization(
        url=as_text(answer["validationUrl"]),
        consumer_key=as_text(answer["consumerKey"]),
    )


def read_authorization_state(number: PhoneNumber, answer: Any) -> AuthorizationState:
    """Read what a key may do, against what it must for a number."""
    status = _AUTHORIZATIONS[answer["status"]]
    expires_at = optional(as_moment, answer.get("expiration"))
    listed = answer.get("rules")
    if listed is None:
        # What it may do is not told, which is no reason to think that it may not.
        return AuthorizationState(status=status, expires_at=expires_at)
    rules = [(as_text(each["method"]), as_text(each["path"])) for each in listed]
    return AuthorizationState(
        status=status,
        expires_at=expires_at,
        missing=_lacking(rules, _NEEDED, number),
        missing_for_callbacks=_lacking(rules, _NEEDED_FOR_CALLBACKS, number),
    )


def _lacking(
    rules: Sequence[tuple[str, str]],
    needed: Iterable[tuple[str, str]],
    number: PhoneNumber,
) -> tuple[str, ...]:
    """Name what no rule allows, whatever form of the number the rule is about."""
    return tuple(
        f"{method} {path.format(account=number.account, number=number.number)}"
        for method, path in needed
        if not any(
            method == verb
            and fnmatchcase(path.format(account=number.account, number=form), mask)
            for verb, mask in rules
            for form in spellings(number.number)
        )
    )


def read_clock(answer: Any) -> datetime:
    """Read what time it is at OVHcloud."""
    return datetime.fromtimestamp(as_integer(answer), UTC)
