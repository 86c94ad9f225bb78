"""Who may only look at the home sends nothing by it."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.virtual_sms.const import DOMAIN
from simulator import Simulator

from ..home import RECIPIENT, settle

ASKED = {"message": "Is anybody there?", "to": RECIPIENT}
ANSWERS = {"answers": [{"id": "yes", "sentences": ["yes"]}], "timeout": 1}
ACTIONS: dict[str, dict[str, Any]] = {
    "send_message": ASKED,
    "call": ASKED,
    "ask": ASKED | ANSWERS,
    "alert": {"message": "Water", "steps": [{"to": RECIPIENT}]},
    "cancel_alert": {"tag": "leak"},
}


@pytest.mark.usefixtures("twilio_entry")
@pytest.mark.parametrize("action", ACTIONS)
async def test_who_may_only_look_sends_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    hass_read_only_user: MockUser,
    action: str,
) -> None:
    """It is refused as any other control, and asks no provider."""
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            action,
            ACTIONS[action],
            blocking=True,
            context=context,
            return_response=action == "ask",
        )
    await settle(hass, simulator)
    assert not simulator.twilio.messages
    assert not simulator.twilio.describe_calls()


NOTIFICATION = {"message": "Is anybody there?", "target": RECIPIENT}


@pytest.mark.usefixtures("twilio_entry")
async def test_nor_by_the_notify_action(
    hass: HomeAssistant, simulator: Simulator, hass_read_only_user: MockUser
) -> None:
    """The action of a number sends as well as our own."""
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "notify",
            "twilio_line",
            NOTIFICATION,
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert not simulator.twilio.messages


@pytest.mark.usefixtures("twilio_entry")
@pytest.mark.parametrize(
    ("domain", "action", "data"),
    [(DOMAIN, "send_message", ASKED), ("notify", "twilio_line", NOTIFICATION)],
)
async def test_who_lives_here_sends(
    hass: HomeAssistant,
    simulator: Simulator,
    hass_owner_user: MockUser,
    domain: str,
    action: str,
    data: dict[str, Any],
) -> None:
    """A person's click is no less than an automation."""
    await hass.services.async_call(
        domain, action, data, blocking=True, context=Context(user_id=hass_owner_user.id)
    )
    assert [each.to for each in simulator.twilio.messages] == [RECIPIENT]


@pytest.mark.parametrize("action", ["send_message", "call", "ask", "alert"])
async def test_without_a_number_the_action_says_so(
    hass: HomeAssistant, hass_owner_user: MockUser, action: str
) -> None:
    """That is what is missing, and no permission."""
    assert await async_setup_component(hass, DOMAIN, {})
    with pytest.raises(ServiceValidationError, match="number"):
        await hass.services.async_call(
            DOMAIN,
            action,
            ACTIONS[action],
            blocking=True,
            context=Context(user_id=hass_owner_user.id),
            return_response=action == "ask",
        )
