"""What OVHcloud says, in our words: its callbacks, its records and its codes.

Guides are those of ovh/docs, named by their titles; `ovh/...` are repositories.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from hashlib import blake2s
import re
from typing import Any, Final

from .models import (
    Authorization,
    AuthorizationState,
    AuthorizationStatus,
    Balance,
    CallbackRequest,
    CallbackUrls,
    DeliveryReceipt,
    DeliveryStatus,
    Event,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
    SentMessage,
)
from .ovh_errors import rejection

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

_ID: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_CODE: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_STATUS_FIELDS: Final = frozenset({"dlr", "description", "ptt"})
_LONGEST_TAG: Final = 20
_SHORTEST_NUMBER: Final = 8


def tag_of(message: OutboundMessage) -> str:
    """Return the tag under which a message can be found again.

    20 characters at most ("Sending SMS messages via a URL - http2sms"; the
    API's own limit is not published).
    """
    if len(message.message_id) <= _LONGEST_TAG:
        return message.message_id
    half = _LONGEST_TAG // 2
    return blake2s(message.message_id.encode(), digest_size=half).hexdigest()


def is_id(value: str) -> bool:
    """Tell what may be an id of OVHcloud's from what it would call a bad request."""
    return _ID.fullmatch(value) is not None


def to_e164(number: str) -> str:
    """Write a number as E.164; short codes and names stay as they are."""
    digits = number.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit()):
        return number
    if digits == number and (number[0] == "0" or len(number) < _SHORTEST_NUMBER):
        return number
    return f"+{digits}"


def to_utc(moment: datetime) -> str:
    """Write a time as a filter takes it: OVHcloud keeps whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def spellings(number: str) -> tuple[str, ...]:
    """List the forms a number may have in a path, the given one first.

    RaspiSMS writes 00 and ovh/manager what the list returned, which is a +.
    """
    e164 = to_e164(number)
    return tuple(dict.fromkeys((number, e164, f"00{e164.removeprefix('+')}")))


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

    def equals(self, message: OutboundMessage, since: datetime) -> bool:
        """Tell whether this may be a message of ours, sent since then."""
        if self.tag:
            return self.tag == tag_of(message)
        return (
            self.created_at >= since.replace(microsecond=0)
            and self.receiver == message.recipient
            and self.text == message.text
        )


def read_callback(request: CallbackRequest) -> Event:
    """Read what rings the bell; KeyError or ValueError when nothing does."""
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
            received_at=datetime.now(UTC),
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
    return [_string(each) for each in _list(answer)]


def read_ids(answer: Any) -> list[str]:
    """Read a list of ids, lowest and hence oldest first."""
    return [str(each) for each in sorted(_integer(each) for each in _list(answer))]


def read_batch[T](read: Callable[[Any], T], answer: Any) -> dict[str, T]:
    """Read the items of a batch that are there, by their ids."""
    return {
        str(each["key"]): read(each["value"])
        for each in _list(answer)
        if each.get("error") is None
    }


def read_label(answer: Any) -> str | None:
    """Read what the user called an SMS account."""
    _string(answer["name"])
    return answer.get("description") or None


def read_sent(answer: Any) -> SentMessage:
    """Read a sending report, which comes with 200 also for a refused receiver."""
    if not _list(answer["validReceivers"]):
        raise rejection("invalid_receiver")
    return SentMessage(provider_id=str(_integer(answer["ids"][0])))


def read_inbound(number: PhoneNumber, answer: Any) -> InboundMessage:
    """Read a message someone wrote to a number, which is not named in it."""
    return InboundMessage(
        message_id=str(_integer(answer["id"])),
        number=number.number,
        sender=to_e164(_string(answer["sender"])),
        text=_string(answer["message"]),
        received_at=_moment(answer["creationDatetime"]),
    )


def read_receipt(answer: Any) -> DeliveryReceipt:
    """Read where a message stands that was sent."""
    at = answer.get("deliveredAt") or answer.get("sentAt")
    return make_receipt(
        str(_integer(answer["id"])),
        _integer(answer["deliveryReceipt"]),
        _integer(answer["ptt"]),
        at and _moment(at),
    )


def read_pending(answer: Any) -> DeliveryReceipt:
    """Read where a message stands that is about to be sent."""
    return DeliveryReceipt(
        provider_id=str(_integer(answer["id"])), status=DeliveryStatus.QUEUED
    )


def read_outgoing(answer: Any) -> Outgoing:
    """Read what a message says, sent or pending."""
    return Outgoing(
        id=str(_integer(answer["id"])),
        receiver=to_e164(_string(answer["receiver"])),
        text=_string(answer["message"]),
        tag=answer.get("tag") or "",
        created_at=_moment(answer["creationDatetime"]),
    )


def read_response(answer: Any) -> dict[str, object]:
    """Read what an account does with messages, without what is not set."""
    response = answer["smsResponse"]
    _string(response["responseType"])
    return {name: value for name, value in response.items() if value is not None}


def read_callbacks(answer: Any) -> CallbackUrls:
    """Read the URLs of an account."""
    response = read_response(answer)
    inbound = response.get("cgiUrl") if response["responseType"] == "cgi" else None
    return CallbackUrls(
        inbound=_string(inbound or "") or None,
        status=_string(answer.get("callBack") or "") or None,
    )


def read_balance(answer: Any) -> Balance:
    """Read the credits an account has left."""
    return Balance(amount=Decimal(str(float(answer["creditsLeft"]))))


def read_authorization(answer: Any) -> Authorization:
    """Read a key that waits for its user."""
    return Authorization(
        url=_string(answer["validationUrl"]),
        consumer_key=_string(answer["consumerKey"]),
    )


def read_authorization_state(number: PhoneNumber, answer: Any) -> AuthorizationState:
    """Read what a key may do, against what it must for a number."""
    rules = [
        (_string(each["method"]), _string(each["path"])) for each in answer["rules"]
    ]
    expiration = answer.get("expiration")
    return AuthorizationState(
        status=_AUTHORIZATIONS[answer["status"]],
        expires_at=expiration and _moment(expiration),
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


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("no whole number")
    return value


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(_string(value)).astimezone(UTC)
