"""The actions that begin an alert, and that end one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from ..actions.addressing import Recipient
from ..actions.people_fields import (
    CLEAN_TEXT,
    PEOPLE_FIELDS,
    Addressed,
    answer_text,
    async_find_people,
    async_find_sender,
    async_load_numbers,
)
from ..actions.permission import for_who_may_control
from ..actions.planned import Spoken, async_foresee_refusal
from ..actions.sending import raise_not_sent
from ..const import DOMAIN
from ..core.escalation import Plan, Reach, Step
from .alerts import ALERTS

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_ALERT: Final = "alert"
SERVICE_CANCEL_ALERT: Final = "cancel_alert"
DEFAULT_STEP_AFTER: Final = timedelta(minutes=5)
DEFAULT_ROUNDS: Final = 2
DEFAULT_WORDS: Final = ("ok", "1")


ALERT_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required("message"): CLEAN_TEXT,
        vol.Required("steps"): vol.All(
            cv.ensure_list,
            [
                {
                    vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
                    **PEOPLE_FIELDS,
                    vol.Optional("call", default=False): cv.boolean,
                }
            ],
            vol.Length(min=1, max=20),
        ),
        vol.Optional("step_after", default=DEFAULT_STEP_AFTER): vol.All(
            cv.positive_time_period,
            vol.Range(min=timedelta(seconds=1), max=timedelta(days=1)),
        ),
        vol.Optional("rounds", default=DEFAULT_ROUNDS): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=20)
        ),
        vol.Optional("acknowledge", default=lambda: list(DEFAULT_WORDS)): vol.All(
            cv.ensure_list, [answer_text], vol.Length(min=1)
        ),
        vol.Optional("tag"): CLEAN_TEXT,
    }
)
CANCEL_ALERT_FIELDS = vol.Schema(
    {vol.Optional("alert_id"): cv.string, vol.Optional("tag"): CLEAN_TEXT}
)
CANCEL_ALERT_SCHEMA = vol.All(
    CANCEL_ALERT_FIELDS, cv.has_at_least_one_key("alert_id", "tag")
)


@callback
def async_setup_alert(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_ALERT,
        _async_alert,
        schema=ALERT_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN, SERVICE_CANCEL_ALERT, _async_cancel, schema=CANCEL_ALERT_SCHEMA
    )


@for_who_may_control
async def _async_alert(call: ServiceCall) -> ServiceResponse:
    """Begin an alert; who cannot be addressed is skipped, unless nobody can."""
    hass, data = call.hass, call.data
    for each in (data, *data["steps"]):
        await async_load_numbers(hass, each)
    found = [_find_people(hass, data, each) for each in data["steps"]]
    wrong = [each for some in found for each in some.wrong]
    if not any(some.people for some in found):
        raise_not_sent(wrong)
    steps = [
        Step(people=some.people, reach=Reach.CALL if each["call"] else Reach.SMS)
        for each, some in zip(data["steps"], found, strict=True)
    ]
    plan = Plan(
        alert_id=uuid4().hex,
        tag=data.get("tag"),
        text=data["message"],
        steps=tuple(steps),
        step_after=data["step_after"],
        rounds=data["rounds"],
        words=tuple(data["acknowledge"]),
    )
    await _async_check_text(hass, plan)
    await hass.data[ALERTS].async_start(plan)
    skipped = [each for some in found for each in some.describe_wrong()]
    return {"alert_id": plan.alert_id, "skipped": list(skipped)}


async def _async_check_text(hass: HomeAssistant, plan: Plan) -> None:
    """Refuse a text that no step can bring to anybody, such as an empty one."""
    refused = []
    for step in plan.steps:
        is_call = step.reach is Reach.CALL
        spoken = Spoken(text=plan.text, digit=plan.digit) if is_call else None
        for each in step.people:
            why = await async_foresee_refusal(hass, each, plan.text, spoken)
            if why is None:
                return
            refused.append((Recipient(to=each.shown, line=each.line), why))
    raise_not_sent(refused)


def _find_people(
    hass: HomeAssistant, data: Mapping[str, Any], step: Mapping[str, Any]
) -> Addressed:
    """Find the people of a step; a number of its own comes before the alert's."""
    sender = async_find_sender(hass, {**data, **step}, may_rest=True)
    return async_find_people(hass, sender, step)


@for_who_may_control
async def _async_cancel(call: ServiceCall) -> None:
    """End an alert, or all of a tag; of a tag there may be none."""
    alert_id, tag = call.data.get("alert_id"), call.data.get("tag")
    is_known = call.hass.data[ALERTS].async_cancel(alert_id, tag)
    if alert_id is not None and not is_known:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_alert"
        )
