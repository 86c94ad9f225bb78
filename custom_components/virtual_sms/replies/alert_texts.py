"""What people are texted in an alert."""

from typing import Final

from homeassistant.core import HomeAssistant

from ..actions.planned import async_foresee_refusal, async_say_to
from ..core.escalation import Plan
from ..core.person import Person

_QUOTED: Final = 160
"""Characters of an alert that tell which one was taken, where all are too many."""


async def async_write_alert(
    hass: HomeAssistant, plan: Plan, person: Person, code: int | None
) -> str:
    """Return the alert's text, and with a code which answer is meant for this one.

    Without the answer if both are too long: what has happened has to arrive.
    """
    if code is None:
        return plan.text
    words = {"answer": f"{plan.words[0]} {code}"}
    answer = await async_say_to(hass, person, "alert_answer", words)
    text = f"{plan.text}\n{answer}"
    return plan.text if await async_foresee_refusal(hass, person, text) else text


async def async_write_notice(
    hass: HomeAssistant, plan: Plan, person: Person, taker: Person
) -> str:
    """Return who took the alert, for somebody who was alarmed."""
    text = await _async_tell(hass, plan.text, person, taker)
    if await async_foresee_refusal(hass, person, text):
        begin = f"{plan.text[:_QUOTED].rstrip()} ..."
        return await _async_tell(hass, begin, person, taker)
    return text


async def _async_tell(
    hass: HomeAssistant, message: str, person: Person, taker: Person
) -> str:
    if taker.key == person.key:
        words = {"message": message}
        return await async_say_to(hass, person, "alert_taken_by_you", words)
    words = {"message": message, "who": taker.shown}
    return await async_say_to(hass, person, "alert_taken", words)
