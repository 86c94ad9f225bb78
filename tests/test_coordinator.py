"""Polling: how often, what for, and how its failures are told."""

import asyncio
from datetime import timedelta
import logging
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    InvalidResponseError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import Capability, DeliveryReceipt
from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter
from custom_components.virtual_sms.const import OPTION_POLL_INTERVAL
from simulator.base import Step

from .fakes import FullDisk
from .home import RECIPIENT, SENDER, listen, refresh, send, settle, state

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from custom_components.virtual_sms.coordinator import VirtualSmsCoordinator
    from simulator import Simulator


def coordinator_of(entry: ConfigEntry) -> VirtualSmsCoordinator:
    """Return what polls for an entry."""
    coordinator: VirtualSmsCoordinator = entry.runtime_data.coordinator
    return coordinator


async def pass_seconds(
    hass: HomeAssistant, simulator: Simulator, seconds: float
) -> None:
    """Have all come due that is due by then."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await settle(hass, simulator)


@pytest.mark.parametrize("mode", ["polling"])
async def test_polling_alone(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Without callbacks the same is told, at the interval of the provider."""
    heard = listen(hass)
    [message] = await send(hass, entry, to=RECIPIENT)
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert not simulator.callbacks
    assert not heard.received

    interval = {"twilio": 30, "ovh": 60}[provider]
    assert coordinator_of(entry).update_interval == timedelta(seconds=interval)
    await pass_seconds(hass, simulator, interval + 1)
    assert heard.texts == ["Hello"]
    assert heard.received[0]["late"] is False
    assert heard.course(message["message_id"])[-1] == "delivered"
    await pass_seconds(hass, simulator, interval + 1)
    assert len(heard.received) == 1


@pytest.mark.parametrize("mode", ["polling"])
async def test_polling_with_a_disk_that_is_full_for_a_while(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What came meanwhile is late; it is said once, and not with the way to it."""
    heard, disk = listen(hass), FullDisk(monkeypatch)
    simulator.twilio.receive(SENDER, "Hello")
    disk.is_full = True
    for _ in range(2):
        await refresh(hass, simulator, twilio_entry)
    assert not heard.received
    assert state(hass, twilio_entry, "line_status").state == "unavailable"
    errors = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert [each.exc_info for each in errors] == [None]
    disk.is_full = False
    await refresh(hass, simulator, twilio_entry)
    assert [(each["text"], each["late"]) for each in heard.received] == [
        ("Hello", True)
    ]
    assert state(hass, twilio_entry, "line_status").state == "available"


async def test_a_poll_whose_number_is_unloaded_under_it(
    hass: HomeAssistant, ovh_entry: ConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is wrong then with the provider or the disk, and nothing is told."""
    coordinator = ovh_entry.runtime_data.coordinator
    await ovh_entry.runtime_data.gateway.close()
    await coordinator.async_refresh()
    assert coordinator.last_update_success
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("mode", "interval"), [("polling", 45), ("automatic", 600), ("manual", 600)]
)
async def test_interval(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, interval: int
) -> None:
    """The option counts where polling is all there is."""
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_POLL_INTERVAL: 45}
    )
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert coordinator_of(twilio_entry).update_interval == timedelta(seconds=interval)


@pytest.mark.parametrize("mode", ["automatic", "polling"])
async def test_lost_callback(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What no callback brought is found by a poll, and after a gap it is late."""
    heard = listen(hass)
    simulator.faults.add("server_error", provider=provider)
    await refresh(hass, simulator, entry)
    simulator.providers[provider].receive(SENDER, "Hello", callback=False)
    simulator.faults.clear()
    await refresh(hass, simulator, entry)
    assert heard.texts == ["Hello"]
    assert heard.received[0]["late"] is True


async def test_trouble_is_told_once(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An outage makes one line when it begins and one when it ends."""
    coordinator = coordinator_of(entry)
    caplog.set_level("INFO", "custom_components.virtual_sms")
    caplog.clear()
    simulator.faults.add("bad_gateway", provider=provider)
    for _ in range(3):
        await refresh(hass, simulator, entry)
    name = {"twilio": "Twilio", "ovh": "OVHcloud"}[provider]
    ours = [each for each in caplog.records if "coordinator" in each.name]
    assert len(ours) == 1
    assert name in ours[0].getMessage()
    assert coordinator.update_interval == timedelta(minutes=1)

    simulator.faults.clear()
    for _ in range(2):
        await refresh(hass, simulator, entry)
    ours = [each for each in caplog.records if "coordinator" in each.name]
    assert len(ours) == 2
    assert coordinator.update_interval == timedelta(minutes=10)


async def test_patience_that_was_asked_for(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A provider that names a pause gets it."""
    simulator.faults.add("rate_limited", provider=provider, retry_after=300)
    await refresh(hass, simulator, entry)
    simulator.faults.clear()
    asked = len(simulator.requests)
    await pass_seconds(hass, simulator, 200)
    assert len(simulator.requests) == asked
    await pass_seconds(hass, simulator, 310)
    assert state(hass, entry, "line_status").state == "available"


@pytest.mark.parametrize("asked", [0, "Thu, 01 Jan 2026 00:00:00 GMT", 999_999])
async def test_patience_that_makes_no_sense(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    asked: int | str,
) -> None:
    """A pause of nothing is no reason to ask again and again, and one has an end."""
    simulator.faults.add("rate_limited", provider=provider, retry_after=asked)
    await refresh(hass, simulator, entry)
    simulator.faults.clear()
    requests = len(simulator.requests)
    await pass_seconds(hass, simulator, 50)
    assert len(simulator.requests) == requests
    await pass_seconds(hass, simulator, 3610)
    assert state(hass, entry, "line_status").state == "available"


@pytest.mark.parametrize("mode", ["polling"])
async def test_patience_with_a_short_interval(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Who checks more often than the provider wants waits for as long as it says."""
    options = {OPTION_POLL_INTERVAL: 5}
    hass.config_entries.async_update_entry(ovh_entry, options=options)
    assert await hass.config_entries.async_reload(ovh_entry.entry_id)
    simulator.faults.add("rate_limited", retry_after=30)
    await refresh(hass, simulator, ovh_entry)
    requests = len(simulator.requests)
    await pass_seconds(hass, simulator, 20)
    assert len(simulator.requests) == requests


@pytest.mark.parametrize("mode", ["polling"])
async def test_refusal_that_passes(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A provider that refuses good keys for a while is asked again, and seldom."""
    heard = listen(hass)
    simulator.faults.add("garbage", provider=provider, status=401, body="<html>")
    await refresh(hass, simulator, entry)
    assert state(hass, entry, "line_status").state == "unavailable"
    assert [*entry.async_get_active_flows(hass, {SOURCE_REAUTH})]
    simulator.providers[provider].receive(SENDER, "Hello")
    simulator.faults.clear()
    requests = len(simulator.requests)
    await pass_seconds(hass, simulator, 500)
    assert len(simulator.requests) == requests
    await pass_seconds(hass, simulator, 610)
    assert [(each["text"], each["late"]) for each in heard.received] == [
        ("Hello", True)
    ]
    assert state(hass, entry, "line_status").state == "available"
    assert not [*entry.async_get_active_flows(hass, {SOURCE_REAUTH})]
    entry.async_start_reauth(hass)
    await refresh(hass, simulator, entry)
    assert [*entry.async_get_active_flows(hass, {SOURCE_REAUTH})]


async def test_balance_now_and_then(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
) -> None:
    """The balance is asked for rarely, however often news is."""

    def asked() -> int:
        return sum("Balance" in each.path for each in simulator.requests)

    before = asked()
    for _ in range(3):
        await refresh(hass, simulator, twilio_entry)
    assert asked() == before
    freezer.tick(timedelta(minutes=11))
    await refresh(hass, simulator, twilio_entry)
    assert asked() == before + 1
    assert state(hass, twilio_entry, "balance").state == "12.34"


async def test_balance_that_may_not_be_read(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key that may not read the balance is good for all the rest."""
    simulator.faults.add(
        "garbage",
        path="Balance",
        status=403,
        body='{"code": 70051, "message": "no", "status": 403}',
    )
    freezer.tick(timedelta(minutes=11))
    await refresh(hass, simulator, twilio_entry)
    assert state(hass, twilio_entry, "balance").state == "unknown"
    assert state(hass, twilio_entry, "line_status").state == "available"


async def test_provider_without_a_balance(
    hass: HomeAssistant, twilio_entry: ConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no balance, nobody asks for it and no sensor shows it."""
    adapter = twilio_entry.runtime_data.gateway.line.adapter
    without = adapter.capabilities & ~Capability.BALANCE
    monkeypatch.setattr(type(adapter), "capabilities", without)
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, twilio_entry, "balance").state == "unavailable"
    assert state(hass, twilio_entry, "line_status").state == "available"


async def deliver_unheard(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> Any:
    """Send a message that arrives, and of which no callback tells."""
    simulator.automatic = False
    [message] = await send(hass, entry)
    await settle(hass, simulator)
    sent = simulator.twilio.find(message["provider_id"])
    simulator.twilio.move(sent, Step("delivered"))
    return message


async def test_the_set_up_waits_for_no_receipt(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """However much is under way: each message takes a question of its own."""
    message = await deliver_unheard(hass, simulator, twilio_entry)
    heard, answer = listen(hass), asyncio.Event()
    fetch = TwilioAdapter.fetch_receipt

    async def fetch_late(*arguments: Any) -> DeliveryReceipt:
        await answer.wait()
        return await fetch(*arguments)

    with patch.object(TwilioAdapter, "fetch_receipt", fetch_late):
        # Nor does it hinder the end: what is asked then is not waited for.
        async with asyncio.timeout(10):
            for _ in range(2):
                assert await hass.config_entries.async_reload(twilio_entry.entry_id)
        assert not heard.course(message["message_id"])
        answer.set()
        await settle(hass, simulator)
    assert heard.course(message["message_id"]) == ["delivered"]


async def test_receipts_that_cannot_be_read_are_asked_for_again(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The set-up is none the worse for it, and the next poll brings them."""
    message = await deliver_unheard(hass, simulator, twilio_entry)
    heard = listen(hass)
    simulator.faults.add("server_error", path=message["provider_id"], times=1)
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert not heard.course(message["message_id"])
    assert state(hass, twilio_entry, "line_status").state == "available"
    await refresh(hass, simulator, twilio_entry)
    assert heard.course(message["message_id"]) == ["delivered"]


@pytest.mark.parametrize("mode", ["polling"])
@pytest.mark.parametrize("error", [ProviderUnavailableError, InvalidResponseError])
async def test_a_balance_that_fails_keeps_nothing_else(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    error: type[SmsError],
) -> None:
    """Without its balance a number is available, and its messages are not late."""
    heard = listen(hass)
    coordinator = coordinator_of(twilio_entry)
    coordinator.async_ask_balance_soon()
    with patch.object(TwilioAdapter, "get_balance", side_effect=error):
        await refresh(hass, simulator, twilio_entry)
        simulator.twilio.receive(SENDER, "Hello")
        coordinator.async_ask_balance_soon()
        await refresh(hass, simulator, twilio_entry)
    assert coordinator.last_update_success
    assert [each["late"] for each in heard.received] == [False]
    assert state(hass, twilio_entry, "line_status").state == "available"


async def test_receipts_that_fail_keep_no_balance(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Receipts that cannot be read make a number neither unavailable nor poor."""
    coordinator = coordinator_of(twilio_entry)
    coordinator.async_ask_balance_soon()
    inbox = twilio_entry.runtime_data.gateway.inbox
    failing = patch.object(inbox, "catch_up_receipts", side_effect=InvalidResponseError)
    with failing:
        await refresh(hass, simulator, twilio_entry)
    assert coordinator.last_update_success
    assert coordinator.balance is not None


@pytest.mark.parametrize("mode", ["polling"])
@pytest.mark.parametrize("error", [AuthenticationError, NotFoundError, ValueError])
async def test_a_balance_that_fails_for_weeks(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    error: type[Exception],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is told once, asked for more and more seldom, and shown for a while."""
    coordinator = coordinator_of(twilio_entry)
    caplog.set_level("INFO", "custom_components.virtual_sms")
    caplog.clear()
    coordinator.async_ask_balance_soon()
    failing = patch.object(TwilioAdapter, "get_balance", side_effect=error)
    with failing as asked:
        await refresh(hass, simulator, twilio_entry)
        assert state(hass, twilio_entry, "balance").state == "12.34"
        for _ in range(60):
            freezer.tick(timedelta(minutes=30))
            await refresh(hass, simulator, twilio_entry)
            freezer.tick(timedelta(seconds=1))
            await refresh(hass, simulator, twilio_entry)
        assert asked.call_count <= 65
    assert state(hass, twilio_entry, "balance").state == "unknown"
    assert state(hass, twilio_entry, "line_status").state == "available"
    code = {"AuthenticationError": "invalid_auth", "NotFoundError": "not_found"}
    assert coordinator.side_errors == {"balance": code.get(error.__name__, "unknown")}
    assert not hass.config_entries.flow.async_progress()

    freezer.tick(timedelta(hours=1))
    await refresh(hass, simulator, twilio_entry)
    assert state(hass, twilio_entry, "balance").state == "12.34"
    assert coordinator.side_errors == {}
    told = [each for each in caplog.records if each.name.endswith("side_question")]
    assert [each.levelname for each in told if each.levelname != "DEBUG"] == [
        "WARNING",
        "INFO",
    ]


async def test_pauses_are_not_counted_by_the_wall_clock(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A clock that is put right by days neither asks at once nor stops asking."""
    coordinator = coordinator_of(twilio_entry)
    for days in (-3, 3):
        then = dt_util.utcnow() + timedelta(days=days)
        with (
            patch.object(dt_util, "utcnow", return_value=then),
            patch.object(TwilioAdapter, "get_balance") as asked,
        ):
            await coordinator.async_refresh()
        asked.assert_not_called()


async def test_receipts_while_messages_cannot_be_read(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nor do messages that cannot be read keep receipts from being asked for."""
    inbox = twilio_entry.runtime_data.gateway.inbox
    for error, is_asked in (
        (InvalidResponseError(), True),
        (ProviderUnavailableError(answered=True), True),
        (ProviderUnavailableError(), False),
        (RateLimitedError(), False),
        (AuthenticationError(), False),
    ):
        with (
            patch.object(inbox, "catch_up_inbound", side_effect=error),
            patch.object(inbox, "catch_up_receipts") as asked,
        ):
            await refresh(hass, simulator, twilio_entry)
        assert asked.called is is_asked, error
        assert not coordinator_of(twilio_entry).last_update_success


@pytest.mark.parametrize("rest", [True, ProviderUnavailableError()])
async def test_receipts_that_are_left_are_asked_for_soon(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, rest: Any
) -> None:
    """The end of a message must not wait for the next poll of a number with callbacks.

    One that can never be read makes the polls no more frequent than they were.
    """
    coordinator = coordinator_of(entry)
    inbox = entry.runtime_data.gateway.inbox
    with patch.object(inbox, "catch_up_receipts", side_effect=[rest, False, False]):
        await refresh(hass, simulator, entry)
        assert coordinator.update_interval == timedelta(minutes=1)
        await refresh(hass, simulator, entry)
        assert coordinator.update_interval == timedelta(minutes=10)
    trouble = ProviderUnavailableError()
    with patch.object(inbox, "catch_up_receipts", side_effect=trouble) as asked:
        for _ in range(6):
            coordinator._receipts._due_at = None
            await refresh(hass, simulator, entry)
    assert asked.call_count == 6
    assert coordinator.update_interval == timedelta(minutes=10)


async def test_receipts_that_are_left_at_the_start(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Many were under way when the home went down: the first poll comes soon."""
    coordinator = coordinator_of(entry)
    inbox, begun = entry.runtime_data.gateway.inbox, coordinator.begun
    with patch.object(inbox, "catch_up_receipts", side_effect=[True, False]) as asked:
        coordinator.async_ask_for_receipts()
        await settle(hass, simulator)
        assert asked.call_count == 1
        await pass_seconds(hass, simulator, 65)
    assert asked.call_count == 2
    assert coordinator.begun == begun + 1


async def test_receipts_that_may_not_be_read(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A key that may read messages is not called wrong for what else it may not."""
    inbox = twilio_entry.runtime_data.gateway.inbox
    with patch.object(inbox, "catch_up_receipts", side_effect=AuthenticationError):
        await refresh(hass, simulator, twilio_entry)
    assert coordinator_of(twilio_entry).side_errors == {"receipts": "invalid_auth"}
    assert state(hass, twilio_entry, "line_status").state == "available"
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.parametrize(
    "error",
    [
        InvalidResponseError("no_such_field"),
        NotFoundError("no_number"),
        ProviderUnavailableError("HTTP 503", answered=True),
        RateLimitedError("HTTP 429"),
        SmsError("KeyError"),
    ],
)
async def test_a_failed_poll_is_told_in_words(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    error: SmsError,
) -> None:
    """Who reads why a poll failed meets a sentence, and no code of ours."""
    with patch.object(TwilioAdapter, "fetch_inbound", side_effect=error):
        await refresh(hass, simulator, twilio_entry)
    failure = coordinator_of(twilio_entry).last_exception
    assert isinstance(failure, UpdateFailed)
    reason = (failure.translation_placeholders or {})["reason"]
    assert " " in reason
    assert reason.endswith(".")
    assert error.code not in reason.split()
    assert str(error) not in reason
