"""Twilio's records and callbacks, in our words.

Every reader raises ValueError, or whatever the SDK's record raises, where the
provider says something that makes no sense. Facts are from twilio.com/docs,
named by the title of the page.
"""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from .base import ErrorRule
from .errors import (
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
from .models import (
    Advice,
    Balance,
    CallbackUrls,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    Media,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
    SentMessage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .twilio_http import Refusal

LONGEST_TEXT: Final = 1600
MOST_MEDIA: Final = 10
SERVER_ERROR: Final = 500
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
    RejectReason.INVALID_NUMBER: "21211 21265 21266 30005",
    RejectReason.UNREACHABLE: "21612 30003 30410",
    RejectReason.BLOCKED: "30004 30450",
    RejectReason.OPTED_OUT: "21610",
    RejectReason.LANDLINE: "21614 21635 30006",
    RejectReason.SPAM: "30007",
    RejectReason.UNREGISTERED_SENDER: "30032 30034",
    RejectReason.EXPIRED: "30036",
    RejectReason.OTHER: (
        "21212 21603 21606 21659 21660 21661 "  # the sender
        "21408 "  # the country
        "21608 572005 572002 30044 10002 "  # a trial account
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
    RateLimitedError: "20429 21611 30001 30022 30023 30027 63038",
    ProviderUnavailableError: "20500 20503",
}
_ADVICE: Final[Mapping[str, Advice]] = {
    code: advice
    for advice, codes in {
        Advice.ENABLE_COUNTRY: "21408",
        Advice.LEAVE_TRIAL: "10002 21608 30044 572002 572005",
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


def with_message_id(url: str, message_id: str) -> str:
    """Add our id to a URL; what follows a `#` is a wish about retries.

    See "Webhook connection overrides".
    """
    url, hash_sign, wish = url.partition("#")
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode({'m': message_id})}{hash_sign}{wish}"


def find_problem(message: OutboundMessage) -> str | None:
    """Return the code with which Twilio would refuse a message, if it would."""
    problems = {
        "21602": not message.text and not message.media,
        "21617": len(message.text) > LONGEST_TEXT,
        "21623": len(message.media) > MOST_MEDIA,
        "21620": not all(_is_web_url(url) for url in message.media),
    }
    return next((code for code, applies in problems.items() if applies), None)


def read_page[T](read: Callable[[Any], T], page: Any) -> tuple[list[T], Any]:
    """Read a page's records; with it comes the page if there is one after it."""
    return [read(record) for record in page], page if page.next_page_url else None


def read_newest[T](read: Callable[[Any], T], page: Any) -> T | None:
    """Read the first record of a page, if there is one."""
    return next((read(record) for record in page), None)


def read_sid(record: Any) -> str:
    """Read what every record has."""
    return _text(record.sid)


def read_sent(record: Any) -> SentMessage:
    """Read an outbound message that was accepted."""
    return SentMessage(
        provider_id=_text(record.sid),
        status=STATUSES.get(record.status, DeliveryStatus.UNKNOWN),
        segments=_count(record.num_segments),
    )


def read_receipt(record: Any) -> DeliveryReceipt:
    """Read where an outbound message stands."""
    return _receipt(
        _text(record.sid),
        _text(record.status),
        None if record.error_code is None else str(record.error_code),
        at=read_time(record.date_updated),
    )


def read_inbound(record: Any) -> tuple[InboundMessage, bool] | None:
    """Read an inbound message, and whether media came with it."""
    if _text(record.direction) != "inbound":
        return None
    message = InboundMessage(
        message_id=_text(record.sid),
        number=record.to or None,
        sender=record.from_ or "",
        text=record.body or "",
        received_at=read_time(record.date_sent or record.date_created),
        segments=_count(record.num_segments),
    )
    return message, _count(record.num_media) is not None


def read_service(record: Any) -> str | None:
    """Name what a message came through, if it was more than the number itself."""
    is_inbound = _text(record.direction) == "inbound"
    return "messaging_service" if is_inbound and record.messaging_service_sid else None


def read_equal(text: str, record: Any) -> tuple[datetime, SentMessage | None]:
    """Read when a message was made, and what it is if the API sent it with a text."""
    is_equal = _text(record.direction) == "outbound-api" and (
        _bare(record.body or "") == _bare(text)
    )
    return read_time(record.date_created), read_sent(record) if is_equal else None


def read_callbacks(record: Any) -> tuple[str, str, CallbackUrls]:
    """Read a number, its SID and the URLs that stand there."""
    # An application's own URLs win ("IncomingPhoneNumber resource").
    overruled_by = "application" if record.sms_application_sid else None
    urls = CallbackUrls(inbound=record.sms_url or None, overruled_by=overruled_by)
    return _text(record.phone_number), _text(record.sid), urls


def read_number(account: str, record: Any) -> PhoneNumber | None:
    """Read a number, if it can text."""
    if not record.capabilities["sms"]:
        return None
    return PhoneNumber(
        account=account,
        number=_text(record.phone_number),
        label=record.friendly_name or None,
    )


def read_media(origin: str, record: Any) -> Media:
    """Read an attachment; its bytes are where its record is, without `.json`."""
    path = _text(record.uri).removesuffix(".json")
    return Media(url=origin + path, content_type=record.content_type)


def read_balance(record: Any) -> Balance:
    """Read what is left."""
    amount = Decimal(_text(record.balance))
    if not amount.is_finite():
        raise ValueError("no amount")
    return Balance(amount=amount, currency=_text(record.currency))


def read_status_callback(
    fields: Mapping[str, str], message_id: str | None
) -> DeliveryReceipt:
    """Read a status callback; KeyError for a field that is missing."""
    return _receipt(
        _text(fields["MessageSid"]),
        _text(fields["MessageStatus"]),
        fields.get("ErrorCode") or None,
        message_id=message_id or None,
    )


def read_inbound_callback(fields: Mapping[str, str]) -> InboundMessage:
    """Read an inbound callback; KeyError for a field that is missing."""
    # It carries no time, and comes while the message does.
    return InboundMessage(
        message_id=_text(fields["MessageSid"]),
        number=fields["To"] or None,
        sender=fields["From"],
        text=fields["Body"],
        received_at=datetime.now(UTC),
        segments=_count(fields.get("NumSegments")),
        media=tuple(
            Media(
                url=fields[f"MediaUrl{i}"], content_type=fields[f"MediaContentType{i}"]
            )
            for i in takewhile(lambda i: f"MediaUrl{i}" in fields, count())
        ),
    )


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


def _reason(code: str) -> RejectReason:
    rule = ERROR_RULES.get(code)
    return (rule and rule.reason) or RejectReason.OTHER


def _is_web_url(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _bare(text: str) -> str:
    """Leave out what Twilio may have changed in a text."""
    return text.removeprefix(TRIAL_PREFIX).replace("\r\n", "\n").strip()


def _text(value: object) -> str:
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


def _count(value: str | None) -> int | None:
    """Read a number that comes as a text, and is "0" while it is unknown."""
    return int(value or 0) or None
