"""A provider that only sends and receives works in a home, with no branch for it."""

import logging
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.virtual_sms.config_flow import VirtualSmsConfigFlow

from .adapters.made_up import simulated
from .adapters.made_up.registration import register
from .adapters.made_up.simulated import MadeUp
from .home import SENDER, listen, refresh, send, settle
from .set_up import answer, to_callbacks

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


@pytest.fixture(autouse=True)
def third(monkeypatch: pytest.MonkeyPatch) -> str:
    """Register the provider, and give the flow its step."""
    key = register(monkeypatch)

    async def step(
        flow: VirtualSmsConfigFlow, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return await flow._async_credentials(key, user_input)

    monkeypatch.setattr(VirtualSmsConfigFlow, f"async_step_{key}", step, raising=False)
    return key


@pytest.fixture
def made_up(third: str, simulator: Simulator) -> MadeUp:
    """Return the simulated provider."""
    found = simulator.providers[third]
    assert isinstance(found, MadeUp)
    return found


@pytest.fixture
async def line(
    hass: HomeAssistant,
    third: str,
    simulator: Simulator,
    made_up: MadeUp,
    home_url: str,
) -> ConfigEntry:
    """Set its number up; its user writes the URL into a form of the provider's."""
    result = await to_callbacks(hass, simulator, third, name="Third")
    result = await answer(hass, result, mode="automatic")
    assert result["step_id"] == "manual"
    made_up.callback_url = result["description_placeholders"]["callback_url"]
    result = await answer(hass, result)
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    return entry


async def test_messages_go_both_ways(
    hass: HomeAssistant, line: ConfigEntry, simulator: Simulator, made_up: MadeUp
) -> None:
    """A message goes out until it is delivered, and one comes in at once."""
    heard = listen(hass)
    assert line.state is ConfigEntryState.LOADED
    (sent,) = await send(hass, line)
    made_up.receive(SENDER, "Hi")
    await settle(hass, simulator)

    assert heard.course(sent["message_id"]) == ["queued", "sent", "delivered"]
    assert heard.texts == ["Hi"]
    assert not heard.received[0]["late"]


async def test_a_poll_proves_the_credentials(
    hass: HomeAssistant,
    line: ConfigEntry,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a record to read, a poll still finds out that the keys are void."""
    await refresh(hass, simulator, line)
    assert line.runtime_data.coordinator.last_update_success
    monkeypatch.setattr(simulated, "TOKEN", "another")
    await refresh(hass, simulator, line)
    assert not line.runtime_data.coordinator.last_update_success
    assert list(line.async_get_active_flows(hass, {"reauth"}))


async def test_nothing_is_asked_in_vain(
    hass: HomeAssistant,
    line: ConfigEntry,
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What the provider cannot do is no trouble, up to the removal of its number."""
    await refresh(hass, simulator, line)
    await hass.config_entries.async_remove(line.entry_id)
    await settle(hass, simulator)
    assert not ir.async_get(hass).issues
    ours = [each for each in caplog.records if "custom_components" in each.name]
    assert not [each.message for each in ours if each.levelno >= logging.WARNING]
    assert {each.status for each in simulator.requests} == {200}
