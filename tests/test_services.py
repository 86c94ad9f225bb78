"""The action that sends: whom it reaches, what it answers, when it raises."""

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import voluptuous as vol

from custom_components.virtual_sms.const import DOMAIN, OPTION_RETRY_FOR

from .fakes import FullDisk
from .home import RECIPIENT, listen, revoke, send, settle, state

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

OTHER = "+33687654321"
REFUSED = {"twilio": "+15005550009", "ovh": "+33600000001"}
REASONS = {"twilio": "landline", "ovh": "invalid_number"}
TOO_LONG = {"twilio": "x" * 1601, "ovh": "x" * 919}


async def call(hass: HomeAssistant, entry: ConfigEntry, **data: Any) -> None:
    """Call the action without asking for an answer."""
    defaults = {"config_entry_id": entry.entry_id, "to": RECIPIENT, "message": "Hello"}
    await hass.services.async_call(
        DOMAIN, "send_message", defaults | data, blocking=True
    )


async def test_send_until_delivered(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A message has our id from the call on, and moves forward to its end."""
    heard = listen(hass)
    [answer] = await send(hass, entry, message="Hé €")
    await settle(hass, simulator)

    assert answer | {"status": "queued"} == {
        "message_id": answer["message_id"],
        "provider_id": str(simulator.providers[provider].messages[0].id),
        "to": RECIPIENT,
        "line": entry.entry_id,
        "contact": None,
        "status": "queued",
        "segments": 1,
        "encoding": "GSM-7",
        "cost": {"credits": 1.0} if provider == "ovh" else None,
    }
    assert [each.text for each in simulator.providers[provider].messages] == ["Hé €"]
    # A provider that is asked about its own callback may be a step ahead of it.
    course = [each["status"] for each in heard.statuses]
    assert course in (["queued", "sent", "delivered"], ["queued", "delivered"])
    assert [each["previous"] for each in heard.statuses] == [None, *course[:-1]]
    assert [each["final"] for each in heard.statuses] == [
        each == "delivered" for each in course
    ]
    assert {each["message_id"] for each in heard.statuses} == {answer["message_id"]}
    assert heard.statuses[0]["provider_id"] is None
    assert heard.statuses[-1]["provider_id"] == answer["provider_id"]


@pytest.mark.parametrize(
    ("country", "to"),
    [
        ("FR", "+33 6 12 34 56 78"),
        ("FR", "06 12 34 56 78"),
        ("FR", "0033612345678"),
        ("FR", "33612345678"),
        ("FR", 33612345678),
        ("US", "+33612345678"),
    ],
)
async def test_spellings(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    country: str,
    to: str | int,
) -> None:
    """A number is read as people write it in the home's country."""
    hass.config.country = country
    [answer] = await send(hass, twilio_entry, to=to)
    assert answer["to"] == RECIPIENT
    await settle(hass, simulator)


async def test_each_recipient_once(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Recipients are tried in order, each once however they are spelled."""
    to = [OTHER, RECIPIENT, "+33 6 87 65 43 21", 33612345678]
    answer = await send(hass, entry, to=to)
    await settle(hass, simulator)
    assert [each["to"] for each in answer] == [OTHER, RECIPIENT]
    sent = [each.to for each in simulator.providers[provider].messages]
    assert sorted(sent) == sorted([OTHER, RECIPIENT])


async def test_title_and_media(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A title stands above the text; a file may be a list of one."""
    url = f"{simulator.url}/door.jpg"
    await send(hass, twilio_entry, title="Home", message="Door", media=url)
    await settle(hass, simulator)
    [message] = simulator.twilio.messages
    assert message.text == "Home\nDoor"
    assert len(message.media) == 1


async def test_some_unreadable(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Who cannot be read does not keep the others from their message."""
    answer = await send(hass, entry, to=["grandma", RECIPIENT, None, "", {"a": 1}])
    await settle(hass, simulator)
    assert [each["to"] for each in answer] == [
        "grandma",
        RECIPIENT,
        "None",
        "",
        "{'a': 1}",
    ]
    assert {key: answer[0][key] for key in ("to", "reason")} == {
        "to": "grandma",
        "reason": "invalid_number",
    }
    assert "grandma is not a phone number" in answer[0]["error"]
    assert len(simulator.providers[provider].messages) == 1


async def test_failures_are_named(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A response tells who did not get it and why, an error does so without one."""
    heard = listen(hass)
    refused = REFUSED[provider]
    answer = await send(hass, entry, to=[refused, RECIPIENT])
    assert answer[0]["reason"] == REASONS[provider]
    assert set(answer[0]) == {"to", "line", "contact", "error", "reason"}
    assert answer[1]["to"] == RECIPIENT

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, entry, to=[refused, RECIPIENT])
    assert caught.value.translation_key == "not_sent"
    assert f"{refused} - {answer[0]['error']}" in str(caught.value)
    assert RECIPIENT not in str(caught.value)

    await settle(hass, simulator)
    reasons = [each["reason"] for each in heard.statuses if each["final"]]
    assert reasons.count(REASONS[provider]) == 2
    assert state(hass, entry, "failed").state == "2"


async def test_all_failed(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """When nobody got it, a response is no excuse."""
    with pytest.raises(HomeAssistantError, match=r"\+"):
        await send(hass, entry, to=[REFUSED[provider]])


async def test_bad_input_is_the_callers(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Nothing but typing errors is a mistake of the caller's, not a failure."""
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, entry, to=["grandma", "12"])
    assert caught.value.translation_key == "not_sent"
    assert str(caught.value).count("grandma") == 1
    assert "; 12 is not a phone number" in str(caught.value)
    assert not simulator.providers[provider].messages


@pytest.mark.parametrize("text", ["", None])
async def test_impossible_letter(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    text: str | None,
) -> None:
    """What the provider cannot express is refused before anyone gets it."""
    message = TOO_LONG[provider] if text is None else text
    heard = listen(hass)
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, entry, to=[RECIPIENT, OTHER], message=message)
    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_key.startswith(f"{provider}_")
    assert not simulator.providers[provider].messages
    assert not heard.statuses


async def test_nobody(hass: HomeAssistant, twilio_entry: ConfigEntry) -> None:
    """A message needs a recipient."""
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, twilio_entry, to=[])
    assert caught.value.translation_key == "no_recipient"


@pytest.mark.parametrize(
    "data",
    [
        {"message": None},
        {"message": ["a"]},
        {"title": {}},
        {"media": [None]},
        {"retry_for": "soon"},
        {"retry_for": -1},
        {"from": "+1"},
    ],
)
async def test_wrong_types(
    hass: HomeAssistant, twilio_entry: ConfigEntry, data: dict[str, Any]
) -> None:
    """What makes no sense is refused by the schema."""
    with pytest.raises(vol.Invalid):
        await send(hass, twilio_entry, **data)


async def test_entry_not_found(hass: HomeAssistant, twilio_entry: ConfigEntry) -> None:
    """An entry that does not exist, is not ours or not loaded is said to be so."""
    with pytest.raises(ServiceValidationError):
        await send(hass, twilio_entry, config_entry_id="nothing")
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    with pytest.raises(ServiceValidationError):
        await send(hass, twilio_entry)


async def test_waiting_is_no_failure(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """While the provider is down a message waits, and the caller is told so."""
    simulator.faults.add("server_error", status=503, provider=provider)
    heard = listen(hass)
    [answer] = await send(hass, entry)
    assert answer["status"] in {"queued", "unknown"}
    assert answer["provider_id"] is None
    assert state(hass, entry, "pending").state == "1"
    assert not [each for each in heard.statuses if each["final"]]


@pytest.mark.parametrize("by_option", [True, False])
async def test_no_patience(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    *,
    by_option: bool,
) -> None:
    """Without patience a provider that takes no message now means failure."""
    simulator.faults.add("rate_limited", provider=provider)
    heard = listen(hass)
    data: dict[str, Any] = {"retry_for": {"minutes": 0}}
    if by_option:
        hass.config_entries.async_update_entry(entry, options={OPTION_RETRY_FOR: 0})
        await hass.async_block_till_done()
        data = {}
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, entry, **data)
    assert caught.type is HomeAssistantError
    await settle(hass, simulator)
    assert [(each["status"], each["reason"]) for each in heard.statuses] == [
        ("queued", None),
        ("failed", "expired"),
    ]
    answer = await send(hass, entry, to=["nobody", RECIPIENT], retry_for=60)
    assert [each.get("status") for each in answer] == [None, "queued"]


async def test_revoked_credentials(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """When the provider refuses our credentials, the person is asked for new ones."""
    revoke(simulator)
    with pytest.raises(HomeAssistantError):
        await send(hass, entry)
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == "reauth"
    assert flow["context"]["entry_id"] == entry.entry_id


async def test_closed_account(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """New credentials would not help where the account is closed."""
    simulator.twilio.suspended = True
    with pytest.raises(HomeAssistantError, match="not active"):
        await send(hass, twilio_entry)
    await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_disk_full(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What cannot be written down is not sent."""
    records = twilio_entry.runtime_data.gateway.store.outbound
    full = sqlite3.OperationalError("database or disk is full")
    with (
        patch.object(records, "queue", side_effect=full),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await send(hass, twilio_entry)
    assert caught.value.translation_key == "storage_failed"
    assert not simulator.twilio.messages


async def test_unloaded_meanwhile(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who sends while the number is unloaded hears that the message is written down."""
    fault = simulator.faults.add("slow", path="/Messages", method="POST", delay=30)
    heard = listen(hass)
    task = hass.async_create_task(send(hass, twilio_entry))
    while not fault.hits:
        await hass.async_add_executor_job(lambda: None)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    [message] = await task
    assert message["status"] == "queued"
    assert message["message_id"]
    assert [each["status"] for each in heard.statuses] == ["queued"]


async def test_reloaded_in_mid_burst(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """None of fifty callers hears of a failure, and each message goes out once."""
    simulator.automatic = False
    tasks = [
        hass.async_create_task(send(hass, entry, to=f"+336123400{number:02}"))
        for number in range(50)
    ]
    while not simulator.providers[provider].messages:
        await hass.async_add_executor_job(lambda: None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    # Who came after the line had closed was refused before anything was written.
    written = [each for each in answers if not isinstance(each, BaseException)]
    refused = [each for each in answers if isinstance(each, BaseException)]
    assert written
    assert {getattr(each, "translation_key", None) for each in refused} <= {
        "entry_not_loaded",
        "service_config_entry_not_loaded",
    }
    for _ in range(6):
        freezer.tick(30)
        async_fire_time_changed(hass)
        await settle(hass, simulator)
    assert len(simulator.providers[provider].messages) == len(written)
    assert len({each.to for each in simulator.providers[provider].messages}) == len(
        written
    )


@pytest.mark.parametrize("is_after", [False, True])
async def test_a_disk_that_is_full(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    monkeypatch: pytest.MonkeyPatch,
    is_after: bool,
) -> None:
    """It goes out all the same, once; that it is not remembered is said."""
    disk = FullDisk(monkeypatch)
    disk.is_full = not is_after
    if not is_after:
        [message] = await send(hass, entry)
        assert message["remembered"] is False
        assert message["message_id"]
        assert len(simulator.providers[provider].messages) == 1
        disk.is_full = False
        return
    adapter = entry.runtime_data.gateway.line.adapter
    original = adapter._send

    async def fill(*args: Any) -> Any:
        await disk.fill()
        return await original(*args)

    monkeypatch.setattr(adapter, "_send", fill)
    [message] = await send(hass, entry)
    assert message["message_id"]
    assert message["status"] in {"queued", "sent", "unknown"}
    disk.is_full = False
    await settle(hass, simulator)
    assert len(simulator.providers[provider].messages) == 1


async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No log of ours shows a number or a text."""
    caplog.set_level("DEBUG", "custom_components.virtual_sms")
    await send(hass, entry, to=["nobody", RECIPIENT], message="secret")
    with pytest.raises(HomeAssistantError):
        await send(hass, entry, to=[REFUSED[provider]], message="secret")
    simulator.providers[provider].receive("+33698765432", "secret")
    await settle(hass, simulator)
    ours = [each for each in caplog.records if "virtual_sms" in each.name]
    for record in ours:
        for hidden in (RECIPIENT, REFUSED[provider], "secret", "nobody", "98765432"):
            assert hidden not in record.getMessage()
