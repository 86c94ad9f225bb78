"""Say what became of a question, in a response and in an event."""

from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.json import JsonObjectType

from ..actions.sending import Failed
from ..adapters.models import DeliveryStatus
from ..bus import find_privacy
from ..core.privacy import Privacy
from ..core.questions import Asked, Question

_FIELDS = ("answer_id", "text", "contact", "contact_id", "number", "received_at")


def describe_answer(question: Question) -> JsonObjectType:
    """Return what was answered, if anything was."""
    answer = question.answer
    fields: JsonObjectType = {
        each: getattr(answer, each, None) for each in (*_FIELDS, "message_id")
    }
    return {"answered": answer is not None, **fields}


def describe_recipient(
    asked: Asked, status: DeliveryStatus | None, failure: Failed | None
) -> JsonObjectType:
    """Return whom a question went to, and how far it got."""
    person = asked.person
    return {
        "to": person.number,
        "line": person.line,
        "contact": person.name,
        "contact_id": person.contact_id,
        "message_id": asked.message_id,
        "status": status.value if status else asked.turn.value,
        **(failure.describe() if failure else {}),
    }


@callback
def async_redact(
    hass: HomeAssistant, question: Question, described: JsonObjectType
) -> dict[str, Any]:
    """Return what an event may tell of it, by the privacy of the number that got it.

    Of those who were asked by another number it tells what that allows as well.
    """
    privacy = find_privacy(hass, question.answer.line if question.answer else "")
    recipients: Any = described["recipients"]
    shown = [_redact(privacy, each, "to") for each in recipients]
    return {
        **_redact(privacy, described, "number"),
        "recipients": [
            _redact(find_privacy(hass, each["line"]), each, "to") for each in shown
        ],
    }


def _redact(privacy: Privacy, data: dict[str, Any], number: str) -> dict[str, Any]:
    """Redact data that keeps somebody's number under some name."""
    shown = privacy.redact({**data, "sender": data[number]})
    shown[number] = shown.pop("sender")
    return shown
