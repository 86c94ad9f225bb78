"""No message, whatever is in it, costs a home its states."""

import json
from typing import TYPE_CHECKING

from homeassistant.util import dt as dt_util
import pytest

from custom_components.virtual_sms.adapters.models import InboundMessage

from .home import send, settle, state

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


@pytest.mark.parametrize("text", ["half \ud83d", "null \x00", "\ufffe"])
async def test_a_text_that_would_harm_the_home(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    text: str,
) -> None:
    """All states of the home can still be read."""
    message = InboundMessage(
        message_id="m1",
        number=simulator.providers[provider].number,
        sender=text,
        text=text,
        received_at=dt_util.utcnow(),
    )
    await entry.runtime_data.gateway.inbox.take(message)
    await settle(hass, simulator)
    assert "\ufffd" in state(hass, entry, "last_message").state
    # As the API joins them for all of the home.
    states = b",".join(each.as_dict_json for each in hass.states.async_all())
    assert json.loads(b"[" + states + b"]")


async def test_a_text_of_ours_that_no_provider_takes(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """An alarm goes out all the same, with a mark where half a character was."""
    await send(hass, entry, message="Leak \ud83d", title="Null \x00")
    await settle(hass, simulator)
    [message] = simulator.providers[provider].messages
    assert message.text == "Null \ufffd\nLeak \ufffd"


async def test_a_recipient_that_is_no_text(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """It is named in a way that an answer can carry, and that can be seen."""
    answers = await send(hass, twilio_entry, to=["+33612345678", "12\ud83d\u202e"])
    assert answers[1]["to"] == "12\\ud83d\\u202e"
    json.dumps(answers[1]["to"]).encode()
