"""What people are texted in an alert."""

from homeassistant.core import HomeAssistant

from ..actions.planned import async_say_to
from ..core.escalation import Plan
from ..core.person import Person


async def async_write_alert(
    hass: HomeAssistant, plan: Plan, person: Person, code: int | None
) -> str:
    """Return the alert's text, and with a code which answer is meant for this one."""
    if code is None:
        return plan.text
    words = {"answer": f"{plan.words[0]} {code}"}
    return f"{plan.text}\n{await async_say_to(hass, person, 'alert_answer', words)}"


async def async_write_notice(
    hass: HomeAssistant, plan: Plan, person: Person, taker: Person
) -> str:
    """Return who took the alert, for somebody who was alarmed."""
    if taker.key == person.key:
        words = {"message": plan.text}
        return await async_say_to(hass, person, "alert_taken_by_you", words)
    words = {"message": plan.text, "who": taker.shown}
    return await async_say_to(hass, person, "alert_taken", words)
