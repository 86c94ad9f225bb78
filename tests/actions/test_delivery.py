"""To wait for what becomes of a message, and to go on with another line."""

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
import voluptuous as vol

from custom_components.virtual_sms import lines
from custom_components.virtual_sms.const import DOMAIN, OPTION_FALLBACK
from custom_components.virtual_sms.store.database import DatabaseClosedError

from ..home import RECIPIENT, listen, refresh, send, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

UNREACHABLE = "+15005551003"
LANDLINE = "+33600000001"
SOON = {"milliseconds": 100}


def sent(simulator: Simulator) -> list[tuple[str, str]]:
    """List who texted whom."""
    return sorted(
        (name, each.to)
        for name, provider in simulator.providers.items()
        for each in provider.messages
    )


async def call(hass: HomeAssistant, entry: ConfigEntry, **data: Any) -> None:
    """Call the action without asking for an answer."""
    given = {"config_entry_id": entry.entry_id, "to": RECIPIENT, "message": "Hello"}
    await hass.services.async_call(DOMAIN, "send_message", given | data, blocking=True)


@pytest.mark.parametrize("level", ["sent", "delivered"])
async def test_wait(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, level: str
) -> None:
    """The action answers when the message has come so far."""
    [answer] = await send(hass, entry, wait_for=level)
    assert answer["status"] in {"sent": {"sent", "delivered"}}.get(level, {level})
    assert answer["provider_id"] is not None
    assert [each["line"] for each in answer["attempts"]] == [entry.entry_id]
    await settle(hass, simulator)


@pytest.mark.parametrize("mode", ["polling"])
async def test_the_price_comes_later(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A price that becomes known while the action waits is in its response."""
    waiting = asyncio.create_task(send(hass, twilio_entry, wait_for="delivered"))
    while not simulator.twilio.messages:
        await asyncio.sleep(0)
    await simulator.settled()
    await refresh(hass, simulator, twilio_entry)
    [answer] = await waiting
    assert answer["status"] == "delivered"
    assert answer["cost"] == {"amount": 0.0079, "currency": "USD"}
    assert answer["attempts"][0]["cost"] == answer["cost"]


async def test_accepted_by_default(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Whoever gives only a time waits until the message is accepted."""
    simulator.automatic = False
    [answer] = await send(hass, entry, timeout=60)
    assert answer["provider_id"] is not None
    assert answer["status"] == "queued"


async def test_time_is_up(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """After the time the action answers with what is known, and does not raise."""
    simulator.automatic = False
    [answer] = await send(hass, entry, wait_for="delivered", timeout=SOON)
    assert answer["status"] in {"queued", "sent"}
    await call(hass, entry, wait_for="delivered", timeout=SOON)


async def test_a_bad_end_is_an_end(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A message that ends badly is not waited for; without an answer it is raised."""
    [answer] = await send(hass, twilio_entry, to=UNREACHABLE, wait_for="delivered")
    assert answer["status"] == "undelivered"
    assert answer["reason"] == "unreachable"
    with pytest.raises(HomeAssistantError, match=UNREACHABLE[1:]):
        await call(hass, twilio_entry, to=UNREACHABLE, wait_for="delivered")
    await settle(hass, simulator)


async def test_nobody_reached(hass: HomeAssistant, twilio_entry: ConfigEntry) -> None:
    """Where nobody can be texted the action raises, whether answered or not."""
    with pytest.raises(ServiceValidationError, match="nobody"):
        await send(hass, twilio_entry, to="nobody", wait_for="sent")
    with pytest.raises(ServiceValidationError):
        await send(hass, twilio_entry, to=[], contacts=[], wait_for="sent")
    answers = await send(hass, twilio_entry, to=["nobody", RECIPIENT], wait_for="sent")
    assert [each.get("reason") for each in answers] == ["invalid_number", None]
    assert [len(each["attempts"]) for each in answers] == [1, 1]
    with pytest.raises(HomeAssistantError, match="nobody"):
        await call(hass, twilio_entry, to=["nobody", RECIPIENT], wait_for="sent")


@pytest.mark.parametrize(
    "data",
    [{"wait_for": "read"}, {"timeout": -1}, {"fallback": ["nowhere"]}],
)
async def test_bad_input(
    hass: HomeAssistant, twilio_entry: ConfigEntry, data: dict[str, Any]
) -> None:
    """What cannot be is refused before anything is sent."""
    with pytest.raises((vol.Invalid, ServiceValidationError)):
        await send(hass, twilio_entry, **data)


async def test_another_line_after_a_refusal(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """What a line refuses the next one sends; each attempt is in the response."""
    simulator.faults.add("rate_limited", provider="ovh", method="POST", path="/jobs")
    [answer] = await send(
        hass,
        ovh_entry,
        retry_for=0,
        fallback=[ovh_entry.entry_id, twilio_entry.title],
    )
    await settle(hass, simulator)
    assert sent(simulator) == [("twilio", RECIPIENT)]
    first, second = answer["attempts"]
    assert (first["line"], first["reason"]) == (ovh_entry.entry_id, "expired")
    assert second["line"] == answer["line"] == twilio_entry.entry_id
    assert second["message_id"] == answer["message_id"]


async def test_another_line_after_a_bad_end(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """What was not delivered another line sends once."""
    [answer] = await send(
        hass, twilio_entry, to=UNREACHABLE, wait_for="delivered", fallback="OVH line"
    )
    await settle(hass, simulator)
    assert sent(simulator) == [("ovh", UNREACHABLE), ("twilio", UNREACHABLE)]
    states = [each["status"] for each in answer["attempts"]]
    assert states == ["undelivered", "delivered"]
    assert answer["status"] == "delivered"


async def test_never_two_lines(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A line that has not sent in time does not do so later: its message is canceled."""
    simulator.faults.add("rate_limited", provider="twilio", method="POST")
    heard = listen(hass)
    [answer] = await send(hass, twilio_entry, timeout=SOON, fallback=["OVH line"])
    simulator.faults.clear()
    await twilio_entry.runtime_data.gateway.outbox.work()
    await settle(hass, simulator)
    assert sent(simulator) == [("ovh", RECIPIENT)]
    first, second = answer["attempts"]
    assert first["status"] == "queued"
    assert heard.course(first["message_id"]) == ["queued", "canceled"]
    assert second["provider_id"] is not None


@pytest.mark.parametrize("mode", ["polling"])
@pytest.mark.parametrize(
    ("error", "lines_used"),
    [(None, ["twilio"]), ("server_error", ["ovh", "twilio"])],
)
async def test_what_nobody_has_told_us_yet(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    error: str | None,
    lines_used: list[str],
) -> None:
    """Before another line sends, the provider is asked whether it was delivered."""
    if error:
        simulator.faults.add(error, provider="twilio", method="GET")
    [answer] = await send(
        hass,
        twilio_entry,
        wait_for="delivered",
        timeout={"milliseconds": 500},
        fallback=["OVH line"],
    )
    assert [each for each, _ in sent(simulator)] == lines_used
    assert answer["attempts"][0]["status"] == ("queued" if error else "delivered")


async def test_an_accepted_message_needs_no_other_line(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """As long as all is well, nobody else sends."""
    [answer] = await send(hass, twilio_entry, fallback=["OVH line"])
    await settle(hass, simulator)
    assert sent(simulator) == [("twilio", RECIPIENT)]
    assert len(answer["attempts"]) == 1


async def test_a_line_at_rest_is_passed_over(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A line that is not loaded is an attempt like any other, and keeps none from it."""
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await send(hass, twilio_entry)
    [answer] = await send(hass, twilio_entry, fallback=["OVH line"])
    resting, other = answer["attempts"]
    assert (resting["line"], resting["reason"]) == (twilio_entry.entry_id, "other")
    assert other["line"] == answer["line"] == ovh_entry.entry_id
    [answer] = await send(hass, ovh_entry, fallback=["Twilio line"])
    assert [each["line"] for each in answer["attempts"]] == [ovh_entry.entry_id]
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_FALLBACK: [ovh_entry.entry_id]}
    )
    [answer] = await send(hass, twilio_entry, message="By the option")
    assert answer["line"] == ovh_entry.entry_id
    assert len(sent(simulator)) == 3
    with pytest.raises(ServiceValidationError):
        await send(hass, twilio_entry, fallback=[])
    await settle(hass, simulator)


async def test_the_option_of_the_number(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Without the field the number's option says who else sends; with it, it does not."""
    options = {OPTION_FALLBACK: [ovh_entry.entry_id]}
    hass.config_entries.async_update_entry(twilio_entry, options=options)
    await hass.async_block_till_done()
    refused = {"to": "+15005550009"}
    [answer] = await send(hass, twilio_entry, **refused)
    assert answer["line"] == ovh_entry.entry_id
    with pytest.raises(HomeAssistantError):
        await send(hass, twilio_entry, fallback=[], **refused)
    await settle(hass, simulator)


async def test_a_line_that_goes_while_one_waits(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whoever waits gets what was known of the message."""
    simulator.automatic = False
    outbound = twilio_entry.runtime_data.gateway.store.outbound
    with patch.object(outbound, "find", side_effect=DatabaseClosedError):
        [answer] = await send(hass, twilio_entry, wait_for="sent", timeout=SOON)
    assert answer["status"] == "queued"
    outbox = twilio_entry.runtime_data.gateway.outbox
    with patch.object(outbox, "withdraw", side_effect=DatabaseClosedError):
        await lines.async_withdraw(hass, twilio_entry.entry_id, "m")
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    assert await lines.async_look_up(hass, twilio_entry.entry_id, "m") is None
    await lines.async_withdraw(hass, twilio_entry.entry_id, "m")
    assert lines.async_find_gateway(hass, "gone") is None
