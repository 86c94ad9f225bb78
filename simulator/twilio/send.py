"""Check a message as Twilio does before it accepts one."""

from datetime import UTC, datetime, timedelta
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..base import Draft, Media
from ..world import now
from .errors import error
from .models import Call
from .query import is_web_url
from .state import REFUSED_CALLS

if TYPE_CHECKING:
    from aiohttp.web_request import FileField
    from multidict import MultiDictProxy

    from .models import Number, TwilioMessage
    from .state import TwilioState

E164: Final = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_BODY: Final = 1600
LONGEST_TWIML: Final = 4000
MOST_MEDIA: Final = 10
SENDER_BARRED: Final = 21606
SOONEST: Final = timedelta(seconds=300)
LATEST: Final = timedelta(days=35)

type Form = MultiDictProxy[str | bytes | bytearray | FileField]


def accept(state: TwilioState, form: Form) -> TwilioMessage:
    """Check a form and turn it into an accepted message, or raise the refusal."""
    to = _tidy(_text(form, "To"))
    body = _text(form, "Body")
    urls = [str(url) for url in form.getall("MediaUrl", [])]
    if not to:
        raise error(21604)
    _check_content(body, urls)
    callback = _check_callback(_text(form, "StatusCallback"))
    service = _service(state, form)
    number = _sender(state, _tidy(_text(form, "From")), held=service is not None)
    _check_recipient(state, to, number)
    if urls and not number.mms:
        raise error(21612, to)
    files = tuple(Media("image/jpeg", url=url) for url in urls)
    # Twilio picks the sender of a service's message later on.
    status = "queued" if service is None else "accepted"
    draft = Draft(number.number, to, body, now(), files, status)
    message = state.compose(state.new_id(media=bool(urls)), draft)
    message.callback_url, message.service_sid = callback, service
    if _scheduled(form, service):
        message.status = "scheduled"
    return state.keep(message)


def accept_call(state: TwilioState, form: Form) -> Call:
    """Check a form and turn it into a call that waits, or raise the refusal."""
    to, sender = _tidy(_text(form, "To")), _tidy(_text(form, "From"))
    if not to:
        raise error(21201)
    if not sender:
        raise error(21213)
    if sender not in state.numbers:
        raise error(21210, sender)
    if not E164.fullmatch(to):
        raise error(21211, to)
    if to in REFUSED_CALLS:
        raise error(REFUSED_CALLS[to], to)
    twiml = _text(form, "Twiml")
    if not twiml:
        raise error(21205)
    if len(twiml) > LONGEST_TWIML:
        raise error(32018)
    events = frozenset(map(str, form.getall("StatusCallbackEvent", ["completed"])))
    call = Call(to=to, sender=sender, inbound=False, status="queued", twiml=twiml)
    call.callback_url, call.events = (
        _check_callback(_text(form, "StatusCallback")),
        events,
    )
    call.statuses.append(call.status)
    state.call_log[call.id] = call
    return call


def _text(form: Form, name: str) -> str:
    return str(form.get(name, ""))


def _tidy(number: str) -> str:
    return re.sub(r"[\s().-]", "", number)


def _check_content(body: str, urls: list[str]) -> None:
    if not body and not urls:
        raise error(21602)
    if len(body) > LONGEST_BODY:
        raise error(21617)
    if len(urls) > MOST_MEDIA:
        raise error(21623)
    for url in urls:
        if not is_web_url(url):
            raise error(21620, url)


def _check_callback(url: str) -> str:
    # Twilio refuses underscores in host names.
    if url and (not is_web_url(url) or "_" in (urlsplit(url).hostname or "")):
        raise error(21609, url)
    return url


def _service(state: TwilioState, form: Form) -> str | None:
    sid = _text(form, "MessagingServiceSid")
    if not sid:
        return None
    if sid != state.MESSAGING_SERVICE_SID:
        raise error(21703, sid)
    return sid


def _sender(state: TwilioState, sender: str, *, held: bool) -> Number:
    if held and not sender:
        return state.numbers[state.NUMBER]
    if not sender:
        raise error(21603)
    if sender in state.refused_senders:
        raise error(state.refused_senders[sender], sender)
    if not E164.fullmatch(sender):
        raise error(21212, sender)
    number = state.numbers.get(sender)
    if number is None or not number.sms:
        raise error(21606, sender)
    return number


def _check_recipient(state: TwilioState, to: str, number: Number) -> None:
    if not E164.fullmatch(to):
        raise error(21211, to)
    if to == number.number:
        raise error(21266, to)
    if to in state.refused_recipients:
        code = state.refused_recipients[to]
        raise error(code, number.number if code == SENDER_BARRED else to)
    if (number.number, to) in state.opted_out:
        raise error(21610)


def _scheduled(form: Form, service: str | None) -> bool:
    if _text(form, "ScheduleType") != "fixed":
        return False
    if service is None:
        raise error(35117)
    try:
        moment = datetime.fromisoformat(_text(form, "SendAt"))
    except ValueError as err:
        raise error(35114) from err
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not SOONEST <= moment - now() <= LATEST:
        raise error(35114)
    return True
