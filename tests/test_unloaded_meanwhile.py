"""A number that is unloaded, or removed, while something of it is under way.

Whoever waits for it learns in a sentence that it is not at work, and nothing goes on by
itself that began before.
"""

import asyncio
from contextlib import contextmanager
from datetime import timedelta
import logging
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.actions import calling, planned
from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.core.reachability import Verdict
from custom_components.virtual_sms.issues import Problem, async_raise_issue
from custom_components.virtual_sms.media.shelf import PictureShelf
from custom_components.virtual_sms.monitoring.balance_timer import DELAY
from custom_components.virtual_sms.monitoring.monitor import INSPECTION_INTERVAL
from custom_components.virtual_sms.store.conversations import Conversations

from .home import RECIPIENT, SENDER, send, settle
from .media.conftest import CAMERA, camera, lens
from .test_repairs import begin
from .test_websocket import reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.components.repairs import RepairsFlowManager
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import WebSocketGenerator

    from simulator import Simulator

__all__ = ["camera", "lens"]

URL = "https://example.org/a.jpg"


@contextmanager
def unloaded_during(
    hass: HomeAssistant, entry: ConfigEntry, where: object, name: str, **more: Any
) -> Iterator[None]:
    """Unload a number while something is waited for; then that goes on as it would."""
    real = getattr(where, name)

    async def wait(*args: Any, **given: Any) -> Any:
        found = more["returns"] if "returns" in more else await real(*args, **given)
        assert await hass.config_entries.async_unload(entry.entry_id)
        return found

    with patch.object(where, name, wait):
        yield


@pytest.mark.parametrize("dry_run", [False, True])
async def test_while_it_is_found_out_whether_pictures_go(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    *,
    dry_run: bool,
) -> None:
    """The provider may be slow to say whether a number can send them."""
    with unloaded_during(
        hass, twilio_entry, TwilioAdapter, "can_send_media", returns=True
    ):
        sending = send(hass, twilio_entry, media=[URL], dry_run=dry_run)
        if dry_run:
            [foreseen] = await sending
            assert foreseen["error"].startswith("This number is not active")
        else:
            with pytest.raises(HomeAssistantError, match="not active"):
                await sending
    assert simulator.twilio.messages == []


@pytest.mark.usefixtures("camera")
async def test_while_a_picture_is_written_down(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The disk may be slow to take it."""
    with (
        unloaded_during(hass, twilio_entry, PictureShelf, "async_put"),
        pytest.raises(HomeAssistantError, match="not active"),
    ):
        await send(hass, twilio_entry, media=[CAMERA])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not _warnings(caplog)


async def test_while_a_call_is_prepared(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is said to a caller may have to be loaded."""
    data = {"to": RECIPIENT, "message": "Leak", "acknowledge": "1"}
    with (
        unloaded_during(hass, twilio_entry, calling, "async_load_phrases"),
        pytest.raises(HomeAssistantError, match="not active"),
    ):
        await hass.services.async_call(DOMAIN, "call", data, blocking=True)


async def test_while_an_alarm_is_checked(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """An alarm whose number falls silent then is begun, and waits for it."""
    steps = [{"to": RECIPIENT, "call": True}]
    data = {"message": "Leak", "steps": steps}
    with unloaded_during(hass, twilio_entry, planned, "async_can_call", returns=False):
        await hass.services.async_call(DOMAIN, "alert", data, blocking=True)
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert [each.to for each in simulator.twilio.phones.calls] == [RECIPIENT]


async def test_while_a_conversation_is_read(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """A dashboard is told so, as when it asks later."""
    assert await async_setup_component(hass, "websocket_api", {})
    client = await hass_ws_client(hass)
    with unloaded_during(hass, twilio_entry, Conversations, "read"):
        said = await reply(
            client, twilio_entry.entry_id, "conversation", correspondent=SENDER
        )
    assert said["error"]["translation_key"] == "entry_not_loaded"


async def test_while_callbacks_are_checked(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What was found is told all the same."""
    from custom_components.virtual_sms import button

    with unloaded_during(
        hass, twilio_entry, button, "async_check_callbacks", returns=Verdict.OK
    ):
        await hass.services.async_call(
            "button",
            "press",
            {"entity_id": "button.twilio_line_check_callbacks"},
            blocking=True,
        )


async def test_while_a_repair_looks_for_the_address(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    manager: RepairsFlowManager,
) -> None:
    """The address that a person has pasted is noted all the same."""
    from custom_components.virtual_sms import repairs

    problem = Problem.ADDRESS_CHANGED
    async_raise_issue(hass, twilio_entry, problem, callback_url="https://new.example")
    flow = await begin(manager, twilio_entry, problem)
    with unloaded_during(
        hass, twilio_entry, repairs, "async_callback_url", returns="https://new.example"
    ):
        result = await manager.async_configure(flow["flow_id"], {})
    assert result["type"] == "create_entry"
    assert twilio_entry.data["callback_url"] == "https://new.example"


async def test_removed_while_a_message_is_waited_for(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """An action that was to see it delivered fails with the reason of the message."""
    data = {"to": "+15005551003", "message": "?", "wait_for": "delivered"}
    from custom_components.virtual_sms.actions import delivery

    real = delivery._async_wait

    async def wait(*args: Any) -> None:
        await settle(hass, simulator)
        await real(*args)
        await hass.config_entries.async_remove(twilio_entry.entry_id)

    with (
        patch.object(delivery, "_async_wait", wait),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await hass.services.async_call(DOMAIN, "send_message", data, blocking=True)
    assert caught.value.translation_key == "not_sent"


@pytest.mark.parametrize(
    ("after", "asked"),
    [
        (INSPECTION_INTERVAL, "list_numbers"),
        (timedelta(seconds=DELAY), "get_balance"),
    ],
)
async def test_what_is_asked_from_time_to_time_ends(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    after: timedelta,
    asked: str,
) -> None:
    """A question that has begun concludes nothing about a number that is gone."""
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    cancelled = asyncio.Event()

    async def hang(*_: object) -> list[Any]:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return []

    with patch.object(TwilioAdapter, asked, hang):
        async_fire_time_changed(hass, dt_util.utcnow() + after + timedelta(seconds=1))
        await asyncio.sleep(0.05)
        await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert cancelled.is_set()
    assert not ir.async_get(hass).issues


async def test_an_address_is_not_claimed_for_a_number_that_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was tried again later ends with the number as well."""
    registrar = twilio_entry.runtime_data.registrar
    simulator.faults.add("server_error", path="IncomingPhoneNumbers")
    await registrar.async_follow()
    simulator.faults.clear()
    begun = asyncio.Event()
    cancelled = asyncio.Event()

    async def hang(*_: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with patch.object(type(registrar), "async_follow", hang):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=11))
        await begun.wait()
        await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert cancelled.is_set()


async def test_nothing_is_wrong_with_a_number_that_is_gone(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whoever finds out too late leaves no repair that nobody could end."""
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    async_raise_issue(hass, twilio_entry, Problem.NUMBER_GONE)
    assert not ir.async_get(hass).issues


def _warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.levelno >= logging.WARNING]
