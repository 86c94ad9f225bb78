"""What Twilio says of calls, in our words.

Every reader raises ValueError, or whatever the SDK's record raises, where the
provider says something that makes no sense. Facts are from twilio.com/docs,
named by the title of the page.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ..call_models import (
    CallEvent,
    CallState,
    CallUpdate,
    IncomingCall,
    PlacedCall,
    RecordedCall,
)
from ..models import CallbackUrls
from .inbound import read_address
from .lists import Unreadable
from .records import (
    ERROR_RULES,
    read_count,
    read_text,
    read_time,
    read_time_if_any,
    with_parameter,
)

CALL_ID: Final = "c"
"""The parameter of a callback that holds our id."""

# "Call resource". What is `initiated` has left Twilio's queue, and rings nowhere yet.
STATES: Final[Mapping[str | None, CallState]] = {
    "queued": CallState.QUEUED,
    "initiated": CallState.QUEUED,
    "ringing": CallState.RINGING,
    "in-progress": CallState.ANSWERED,
    "completed": CallState.COMPLETED,
    "busy": CallState.BUSY,
    "no-answer": CallState.NO_ANSWER,
    "failed": CallState.FAILED,
    "canceled": CallState.CANCELED,
}


def with_call_id(url: str, call_id: str) -> str:
    """Add our id to a URL."""
    return with_parameter(url, CALL_ID, call_id)


def read_placed(record: Any) -> PlacedCall:
    """Read a call that was accepted."""
    return PlacedCall(
        provider_id=read_text(record.sid), state=_read_state(record.status)
    )


def read_call(record: Any) -> CallUpdate:
    """Read where a call stands."""
    return CallUpdate(
        provider_id=read_text(record.sid),
        state=_read_state(record.status),
        duration=read_count(record.duration),
        at=read_time_if_any(record.end_time),
    )


def read_candidate(record: Any) -> tuple[datetime, PlacedCall | None]:
    """Read when a call was made, and what it is if the API made it."""
    created = read_time(record.date_created)
    is_ours = read_text(record.direction) == "outbound-api"
    return created, read_placed(record) if is_ours else None


def pick_candidates(
    found: Sequence[tuple[datetime, PlacedCall | None] | Unreadable], start: datetime
) -> list[PlacedCall]:
    """Pick what was made since then, the newest given first, and the oldest goes first.

    What cannot be read may be it as well, if it has a name and is not too old.
    """
    read, unread = list[PlacedCall](), list[PlacedCall]()
    for each in reversed(found):
        if isinstance(each, Unreadable):
            if each.sid and not each.is_inbound and (each.at or start) >= start:
                unread.append(PlacedCall(provider_id=each.sid))
        elif each[1] and each[0] >= start:
            read.append(each[1])
    return [*read, *unread]


def read_recorded(record: Any) -> tuple[datetime, RecordedCall | None]:
    """Read when a call was made, and what it is if somebody called us and it is over."""
    created, state = read_time(record.date_created), _read_state(record.status)
    if read_text(record.direction) != "inbound" or not state.is_final:
        return created, None
    call = IncomingCall(
        provider_id=read_text(record.sid),
        number=read_address(record.to),
        caller=read_address(_read_from(record)),
    )
    duration = read_count(record.duration)
    return created, RecordedCall(call=call, state=state, duration=duration, at=created)


def read_voice_callbacks(record: Any) -> tuple[str, str, CallbackUrls]:
    """Read a number, its SID and the URL that is asked when somebody calls it."""
    # What else may be configured wins ("IncomingPhoneNumber resource").
    overruled_by = "application" if record.voice_application_sid else None
    if record.trunk_sid:
        overruled_by = "trunk"
    urls = CallbackUrls(inbound=record.voice_url or None, overruled_by=overruled_by)
    return read_text(record.phone_number), read_text(record.sid), urls


def read_callback(fields: Mapping[str, str], call_id: str | None) -> CallEvent:
    """Read a callback about a call; `call_id` is ours where the URL has it."""
    sid, state = read_text(fields["CallSid"]), _read_state(fields.get("CallStatus"))
    is_new = state.rank <= CallState.RINGING.rank
    if fields.get("Direction") == "inbound" and call_id is None and is_new:
        return IncomingCall(
            provider_id=sid,
            number=read_address(fields.get("To")),
            caller=read_address(fields["From"]),
        )
    code = fields.get("ErrorCode") or None
    rule = ERROR_RULES.get(code or "")
    return CallUpdate(
        provider_id=sid,
        state=state,
        call_id=call_id,
        digits=fields.get("Digits"),
        duration=read_count(fields.get("CallDuration")),
        reason=rule.reason if rule else None,
        error_code=code,
        at=_read_timestamp(fields.get("Timestamp")),
    )


def _read_from(record: Any) -> str | None:
    """Read who called, which the SDKs of one resource call by different names."""
    found: str | None = getattr(record, "from_", None) or getattr(record, "_from", None)
    return found


def _read_state(value: object) -> CallState:
    """Read a state; a new one of Twilio's says no more than that there is a call."""
    return STATES.get(read_text(value), CallState.QUEUED)


def _read_timestamp(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
    except TypeError, ValueError, OverflowError:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
