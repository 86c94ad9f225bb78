"""Write and sign Twilio's callbacks, and judge the answers to them."""

import base64
from email.utils import format_datetime
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from ..callbacks import Answer, Callback, Verdict
from ..world import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .models import Call, TwilioMessage

API_VERSION: Final = "2010-04-01"
HEADERS: Final = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
# Twilio names the places of both ends, and mostly leaves them empty.
PLACES: Final = {
    f"{end}{place}": ""
    for end in ("From", "To")
    for place in ("City", "State", "Zip", "Country")
}


def sign(token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """Sign a callback as Twilio does, over the URL and the sorted fields."""
    bare = re.sub(r"^(\w+://)[^/?#]*@", r"\1", url.partition("#")[0])
    text = bare + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def with_query(url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Add fields to the query of a URL, as they will be sent."""
    bare = url.partition("#")[0]
    return f"{bare}{'&' if '?' in bare else '?'}{urlencode(tuple(fields))}"


def status_fields(account_sid: str, message: TwilioMessage) -> dict[str, str]:
    """List the fields of a status callback."""
    fields = {
        "SmsSid": message.id,
        "SmsStatus": message.status,
        "MessageStatus": message.status,
        "To": message.to,
        "MessageSid": message.id,
        "AccountSid": account_sid,
        "From": message.sender,
        "ApiVersion": API_VERSION,
    }
    if message.error_code is not None:
        fields["ErrorCode"] = str(message.error_code)
    if message.status in {"delivered", "undelivered"}:
        fields["RawDlrDoneDate"] = f"{now():%y%m%d%H%M}"
    if message.service_sid:
        fields["MessagingServiceSid"] = message.service_sid
    return fields


def call_fields(account_sid: str, call: Call) -> dict[str, str]:
    """List the fields of any callback about a call."""
    return {
        "CallSid": call.id,
        "AccountSid": account_sid,
        "From": call.sender,
        "To": call.to,
        "Caller": call.sender,
        "Called": call.to,
        "CallStatus": call.status,
        "Direction": "inbound" if call.inbound else "outbound-api",
        "ApiVersion": API_VERSION,
    }


def progress_fields(account_sid: str, call: Call) -> dict[str, str]:
    """List the fields of a status callback of a call."""
    fields = call_fields(account_sid, call) | {
        "Timestamp": format_datetime(now()),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(call.sequence),
    }
    if call.ended is not None:
        fields["CallDuration"] = str(call.duration)
    return fields


def voice_url(url: str) -> str:
    """Write a voice URL as it is signed: over https without its port."""
    return re.sub(r"^(https://[^/?#]*?):\d+(?=[/?#]|$)", r"\1", url)


def inbound_fields(
    account_sid: str, message: TwilioMessage, media_urls: Sequence[str]
) -> dict[str, str]:
    """List the fields of an inbound message's callback."""
    fields = PLACES | {
        "SmsMessageSid": message.id,
        "NumMedia": str(len(message.media)),
        "SmsSid": message.id,
        "SmsStatus": "received",
        "Body": message.text,
        "To": message.to,
        "NumSegments": str(message.segments),
        "ReferralNumMedia": "0",
        "MessageSid": message.id,
        "AccountSid": account_sid,
        "From": message.sender,
        "ApiVersion": API_VERSION,
    }
    pairs = zip(message.media, media_urls, strict=True)
    for index, (media, url) in enumerate(pairs):
        fields[f"MediaContentType{index}"] = media.content_type
        fields[f"MediaUrl{index}"] = url
    return fields


def judge(callback: Callback, answer: Answer) -> tuple[Verdict, int | None]:
    """Judge an answer as Twilio does; the number is its console error."""
    if not answer.success:
        return _judge_failure(answer)
    if not answer.body.strip():
        asked = callback.kind == "voice"
        return (Verdict.WARNING, 12100) if asked else (Verdict.ACCEPTED, None)
    kind = answer.content_type.partition(";")[0].strip().lower()
    if kind in {"text/xml", "application/xml"}:
        return _judge_twiml(answer.body)
    if callback.kind == "inbound" and kind == "text/plain":
        return Verdict.TEXTED_BACK, None
    return Verdict.WARNING, 12300


def _judge_failure(answer: Answer) -> tuple[Verdict, int]:
    if answer.timed_out:
        return Verdict.TIMED_OUT, 11200
    if answer.status is None:
        return Verdict.UNREACHABLE, 11205
    return Verdict.REJECTED, 11200


def _judge_twiml(body: str) -> tuple[Verdict, int | None]:
    try:
        root = ET.fromstring(body)  # noqa: S314
    except ET.ParseError:
        return Verdict.WARNING, 12100
    if root.tag != "Response":
        return Verdict.WARNING, 12200
    texts = root.find("Message") is not None
    return (Verdict.TEXTED_BACK if texts else Verdict.ACCEPTED), None
