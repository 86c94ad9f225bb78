"""The action that asks people and answers with what the first of them said."""

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
from homeassistant.helpers import config_validation as cv

from ..actions.people_fields import (
    CLEAN_TEXT,
    PEOPLE_FIELDS,
    answer_text,
    async_find_people,
    async_find_sender,
    async_load_numbers,
    written_text,
)
from ..actions.permission import for_who_may_control
from ..actions.sending import raise_not_sent
from ..const import DOMAIN
from ..core.answer_matching import Choice
from ..core.questions import Asked, Question, QuestionState
from ..home_file import async_get_home_file
from .questions import QUESTIONS

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_ASK: Final = "ask"
DEFAULT_TIMEOUT: Final = timedelta(minutes=10)
LONGEST_TIMEOUT: Final = timedelta(hours=24)


ASK_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        **PEOPLE_FIELDS,
        vol.Required("message"): CLEAN_TEXT,
        vol.Required("answers"): vol.All(
            cv.ensure_list,
            [
                {
                    vol.Required("id"): vol.All(written_text, CLEAN_TEXT),
                    vol.Required("sentences"): vol.All(
                        cv.ensure_list, [answer_text], vol.Length(min=1)
                    ),
                }
            ],
            vol.Length(min=1),
        ),
        vol.Optional("timeout", default=DEFAULT_TIMEOUT): vol.All(
            cv.positive_time_period, vol.Range(max=LONGEST_TIMEOUT)
        ),
        vol.Optional("tag"): CLEAN_TEXT,
    }
)


@callback
def async_setup_ask(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_ASK,
        _async_ask,
        schema=ASK_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


@for_who_may_control
async def _async_ask(call: ServiceCall) -> ServiceResponse:
    """Ask, and wait for an answer or for the time to be up."""
    hass, data = call.hass, call.data
    await async_load_numbers(hass, data)
    addressed = async_find_people(hass, async_find_sender(hass, data), data)
    if not addressed.people:
        raise_not_sent(addressed.wrong)
    file = async_get_home_file(hass)
    # Its clock begins when it is opened.
    await file.async_open()
    now = file.clock.now()
    desk = hass.data[QUESTIONS]
    question = await desk.async_ask(
        Question(
            question_id=uuid4().hex,
            tag=data.get("tag"),
            text=data["message"],
            choices=tuple(map(_read_choice, data["answers"])),
            asked_at=now,
            deadline=now + data["timeout"],
            recipients=tuple(Asked(person=each) for each in addressed.people),
        )
    )
    if question.state is QuestionState.FAILED:
        raise_not_sent([*addressed.wrong, *desk.async_list_failures(question)])
    return desk.async_describe(question, addressed.describe_wrong())


def _read_choice(given: dict[str, Any]) -> Choice:
    return Choice(choice_id=given["id"], sentences=tuple(given["sentences"]))
