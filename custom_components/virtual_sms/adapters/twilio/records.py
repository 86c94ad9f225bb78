"""Twilio's records and callbacks, in our words.

Every reader raises ValueError, or whatever the SDK's record raises, where the
provider says something that makes no sense. Facts are from twilio.com/docs,
named by the title of the page.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from ..base import ErrorRule
from ..costs import Cost
from ..errors import (
    AccountSuspendedError,
    AuthenticationError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SmsError,
)
from ..models import (
    Advice,
    Balance,
    CallbackUrls,
    DeliveryReceipt,
    DeliveryStatus,
    Media,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
    SentMessage,
)
from .lists import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .http import Refusal

LONGEST_TEXT: Final = 1600
MOST_MEDIA: Final = 10
SERVER_ERROR: Final = 500
_LONGEST_COUNT: Final = 10
TRIAL_PREFIX: Final = "Sent from your Twilio trial account - "

# "Outbound Message Status in Status Callbacks".
STATUSES: Final[Mapping[str | None, DeliveryStatus]] = {
    "accepted": DeliveryStatus.QUEUED,
    "scheduled": DeliveryStatus.QUEUED,
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.QUEUED,
    "sent": DeliveryStatus.SENT,
    "partially_delivered": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.CANCELED,
}

# "Error and Warning Dictionary".
_REJECTIONS: Final[Mapping[RejectReason, str]] = {
    RejectReason.INVALID_NUMBER: "21211 21217 21265 21266 30005",
    RejectReason.UNREACHABLE: "21214 21612 30003 30410",
    RejectReason.BLOCKED: "21216 30004 30450",
    RejectReason.OPTED_OUT: "21610",
    RejectReason.LANDLINE: "21614 21635 30006",
    RejectReason.SPAM: "30007",
    RejectReason.UNREGISTERED_SENDER: "30032 30034",
    RejectReason.EXPIRED: "30036",
    RejectReason.OTHER: (
        "21212 21603 21606 21659 21660 21661 "  # the sender
        "21408 21215 "  # the country
        "10005 21210 32018 "  # a call: not allowed at all, its sender, its text
        "21219 21608 572005 572002 30044 10002 "  # a trial account
        "21609 "  # the callback URL
        "21602 21617 "  # the text
        "21620 21623 11751 30011 30019 "  # the media
        "21703 21704 21705 "  # the messaging service
        "30008"
    ),
}
_TROUBLE: Final[Mapping[type[SmsError], str]] = {
    AuthenticationError: "20003",
    MissingRightsError: "70051",
    AccountSuspendedError: "20005 20403 90010 30002",
    NotFoundError: "20404",
    RateLimitedError: "10004 20429 21611 30001 30022 30023 30027 63038",
    ProviderUnavailableError: "20500 20503",
}
_ADVICE: Final[Mapping[str, Advice]] = {
    code: advice
    for advice, codes in {
        Advice.ENABLE_COUNTRY: "21408",
        Advice.ENABLE_VOICE_COUNTRY: "21215",
        Advice.LEAVE_TRIAL: "10002 21219 21608 30044 572002 572005",
        Advice.REGISTER_SENDER: "30032 30034",
    }.items()
    for code in codes.split()
}
_BY_STATUS: Final[Mapping[int, ErrorRule]] = {
    401: ErrorRule(error=AuthenticationError),
    403: ErrorRule(error=MissingRightsError),
    404: ErrorRule(error=NotFoundError),
    408: ErrorRule(error=ProviderUnavailableError),
    429: ErrorRule(error=RateLimitedError),
}
_OUTAGE: Final = ErrorRule(error=ProviderUnavailableError)
_NONSENSE: Final = ErrorRule(error=InvalidResponseError)

ERROR_RULES: Final[Mapping[str, ErrorRule]] = {
    code: ErrorRule(error=error)
    for error, codes in _TROUBLE.items()
    for code in codes.split()
} | {
    code: ErrorRule(error=MessageRejectedError, reason=reason, advice=_ADVICE.get(code))
    for reason, codes in _REJECTIONS.items()
    for code in codes.split()
}


def translate(refusal: Refusal) -> SmsError:
    """Turn an answer other than success into one of our errors."""
    rule = _rule(refusal)
    text, code = str(refusal), refusal.code
    if issubclass(rule.error, RateLimitedError):
        return rule.error(text, provider_code=code, retry_after=refusal.retry_after)
    if issubclass(rule.error, ProviderUnavailableError):
        return rule.error(
            text, provider_code=code, answered=True, retry_after=refusal.retry_after
        )
    if issubclass(rule.error, MessageRejectedError):
        reason = rule.reason or RejectReason.OTHER
        return rule.error(text, provider_code=code, reason=reason)
    if issubclass(rule.error, MissingRightsError):
        return rule.error(text, provider_code=code, missing=(refusal.request,))
    return rule.error(text, provider_code=code)


def _rule(refusal: Refusal) -> ErrorRule:
    outage = refusal.status >= SERVER_ERROR
    fallback = _BY_STATUS.get(refusal.status, _OUTAGE if outage else _NONSENSE)
    return ERROR_RULES.get(refusal.code or "", fallback)


def with_parameter(url: str, name: str, value: str) -> str:
    """Add a parameter to a URL; what follows a `#` is a wish about retries.

    See "Webhook connection overrides".
    """
    url, hash_sign, wish = url.partition("#")
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{name}={quote_plus(value)}{hash_sign}{wish}"


def with_message_id(url: str, message_id: str) -> str:
    """Add our id of a message to a URL."""
    return with_parameter(url, "m", message_id)


def find_problem(message: OutboundMessage) -> str | None:
    """Return the code with which Twilio would refuse a message, if it would."""
    problems = {
        "21602": message.is_empty,
        "21617": len(message.text) > LONGEST_TEXT,
        "21623": len(message.media) > MOST_MEDIA,
        "21620": not all(_is_web_url(url) for url in message.media),
    }
    return next((code for code, applies in problems.items() if applies), None)


def read_newest[T](read: Callable[[Any], T], page: Any) -> T | None:
    """Read the first record of a page, if there is one."""
    return next((read(record) for record in page), None)


def read_sid(record: Any) -> str:
    """Read what every record has."""
    return read_text(record.sid)


def read_sent(record: Any) -> SentMessage:
    """Read an outbound message that was accepted."""
    return SentMessage(
        provider_id=read_text(record.sid),
        status=STATUSES.get(record.status, DeliveryStatus.UNKNOWN),
        segments=read_count(record.num_segments),
    )


def read_receipt(record: Any) -> DeliveryReceipt:
    """Read where an outbound message stands."""
    receipt = _receipt(
        read_text(record.sid),
        read_text(record.status),
        None if record.error_code is None else str(record.error_code),
        at=read_time_if_any(record.date_updated),
    )
    return replace(receipt, cost=_read_cost(record))


def read_service(record: Any) -> str | None:
    """Name what a message came through, if it was more than the number itself."""
    is_inbound = read_text(record.direction) == "inbound"
    return "messaging_service" if is_inbound and record.messaging_service_sid else None


def read_candidate(text: str, record: Any) -> tuple[datetime, SentMessage | None]:
    """Read when a message was made, and what it is if the API sent it.

    It is exact with the same text; otherwise the text may have been redacted.
    """
    created = read_time(record.date_created)
    if read_text(record.direction) != "outbound-api":
        return created, None
    exact = _bare(record.body or "") == _bare(text)
    return created, replace(read_sent(record), exact=exact)


def pick_candidates(
    found: Iterable[tuple[datetime, SentMessage | None] | Unreadable], start: datetime
) -> list[SentMessage]:
    """Pick what was sent since then, the newest given first; exact and oldest go first.

    What cannot be read may be it as well, if it has a name and is not too old.
    """
    picked: list[SentMessage] = []
    for each in found:
        if not isinstance(each, Unreadable):
            created, sent = each
        elif each.sid and not each.is_inbound:
            created = each.at or start
            unknown = DeliveryStatus.UNKNOWN
            sent = SentMessage(provider_id=each.sid, status=unknown, exact=False)
        else:
            continue
        if sent and created >= start:
            picked.append(sent)
    picked.reverse()
    return sorted(picked, key=lambda sent: not sent.exact)


def read_callbacks(record: Any) -> tuple[str, str, CallbackUrls]:
    """Read a number, its SID and the URLs that stand there."""
    # An application's own URLs win ("IncomingPhoneNumber resource").
    overruled_by = "application" if record.sms_application_sid else None
    urls = CallbackUrls(inbound=record.sms_url or None, overruled_by=overruled_by)
    return read_text(record.phone_number), read_text(record.sid), urls


def read_number(account: str, record: Any) -> PhoneNumber | None:
    """Read a number, if it can text."""
    # What it can do is optional in the schema: only a clear no is one.
    if _cannot(record, "sms"):
        return None
    return PhoneNumber(
        account=account,
        number=read_text(record.phone_number),
        label=record.friendly_name or None,
    )


def read_media_capability(record: Any) -> tuple[str, str, bool]:
    """Read a number, its SID, and whether it sends pictures: only a clear no is one."""
    can = not _cannot(record, "mms")
    return read_text(record.phone_number), read_text(record.sid), can


def _cannot(record: Any, what: str) -> bool:
    """Tell whether a number says no to something, in capitals or not."""
    said = {name.lower(): can for name, can in (record.capabilities or {}).items()}
    return said.get(what) is False


def read_media(origin: str, record: Any) -> Media:
    """Read an attachment; its bytes are where its record is, without `.json`."""
    path = read_text(record.uri).removesuffix(".json")
    return Media(url=origin + path, content_type=record.content_type)


def read_balance(record: Any) -> Balance:
    """Read what is left."""
    amount = Decimal(read_text(record.balance))
    return Balance(amount=amount, currency=read_text(record.currency))


def read_status_callback(
    sid: str, status: str, fields: Mapping[str, str], message_id: str | None
) -> DeliveryReceipt:
    """Read a status callback, whose id and status have been found in it."""
    code = fields.get("ErrorCode") or None
    return _receipt(sid, status, code, message_id=message_id or None)


def _receipt(
    sid: str,
    status: str,
    error_code: str | None,
    *,
    message_id: str | None = None,
    at: datetime | None = None,
) -> DeliveryReceipt:
    ours = STATUSES.get(status, DeliveryStatus.UNKNOWN)
    lost = ours in {DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED}
    return DeliveryReceipt(
        provider_id=sid,
        status=ours,
        message_id=message_id,
        reason=_reason(error_code or "") if lost else None,
        error_code=error_code,
        at=at,
    )


def _read_cost(record: Any) -> Cost | None:
    """Read the price, which comes late, and below zero as it is taken away."""
    if record.price is None or not record.price_unit:
        return None
    return Cost.read(record.price, record.price_unit)


def _reason(code: str) -> RejectReason:
    rule = ERROR_RULES.get(code)
    return (rule and rule.reason) or RejectReason.OTHER


def _is_web_url(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _bare(text: str) -> str:
    """Leave out what Twilio may have changed in a text."""
    return text.removeprefix(TRIAL_PREFIX).replace("\r\n", "\n").strip()


def read_text(value: object) -> str:
    """Read what must be there."""
    if not isinstance(value, str) or not value:
        raise ValueError("no text where there must be one")
    return value


def to_the_second(time: datetime) -> datetime:
    """Write a time as Twilio keeps it."""
    return time.astimezone(UTC).replace(microsecond=0)


def read_time(value: object) -> datetime:
    """Read a time, which the SDK leaves a text where it makes no sense."""
    if not isinstance(value, datetime):
        raise ValueError("no time where there must be one")  # noqa: TRY004  # one kind for all unreadable answers
    return value.astimezone(UTC)


def read_time_if_any(value: object) -> datetime | None:
    """Read a time that no more depends on than what is shown."""
    return read_time(value) if isinstance(value, datetime) else None


def read_count(value: object) -> int | None:
    """Read a number that comes as a text, and is "0" while it is unknown."""
    text = str(value)
    is_number = text.isascii() and text.isdecimal() and len(text) < _LONGEST_COUNT
    return int(text) or None if is_number else None
