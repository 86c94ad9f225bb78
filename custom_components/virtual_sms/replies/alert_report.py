"""What events say of an alert, and how much of that outside."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback

from ..bus import find_privacy
from ..core.escalation import Alert, AlertChange, AlertMessage


def describe_change(alert: Alert, change: AlertChange) -> dict[str, object]:
    """Return the whole data of the event of a change."""
    left = [_describe_unreached(each) for each in alert.list_unreached(change)]
    return {**_describe(alert, change), "not_reached": left}


@callback
def async_describe_shown(
    hass: HomeAssistant, alert: Alert, change: AlertChange
) -> dict[str, object]:
    """Return what may be told outside, by the privacy of the line of each person."""
    taker = alert.taken_by.line if alert.taken_by else None
    left = [
        _redact(hass, each.person.line, _describe_unreached(each))
        for each in alert.list_unreached(change)
    ]
    return {**_redact(hass, taker, _describe(alert, change)), "not_reached": left}


def _describe(alert: Alert, change: AlertChange) -> dict[str, object]:
    taker = alert.taken_by
    return {
        "alert_id": alert.alert_id,
        "tag": alert.plan.tag,
        "state": change.state.value,
        "step": change.step,
        "round": change.round,
        "contact": taker and taker.name,
        "contact_id": taker and taker.contact_id,
    }


def _describe_unreached(message: AlertMessage) -> dict[str, object]:
    """Return what an event says of somebody whom a step did not reach, and why."""
    person = message.person
    return {
        "contact": person.name,
        "contact_id": person.contact_id,
        "recipient": person.number,
        "reason": message.reason,
    }


def _redact(
    hass: HomeAssistant, line: str | None, data: Mapping[str, object]
) -> dict[str, object]:
    return dict(find_privacy(hass, line or "").redact(data))
