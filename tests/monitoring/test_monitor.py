"""What Home Assistant notices by itself, and when it is content again."""

from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.errors import (
    AccountSuspendedError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
)
from custom_components.virtual_sms.adapters.models import (
    Advice,
    Balance,
    CallbackUrls,
    PhoneNumber,
)
from custom_components.virtual_sms.const import (
    CONF_CALLBACK_URL,
    CONF_NUMBER,
    DOMAIN,
    OPTION_BALANCE_THRESHOLD,
    OPTION_PRIVACY,
)
from custom_components.virtual_sms.core.privacy import Privacy
from custom_components.virtual_sms.diagnostics import async_get_config_entry_diagnostics
from custom_components.virtual_sms.issues import ADVICE, Problem, async_raise_issue
from custom_components.virtual_sms.monitoring.balance_timer import DELAY
from custom_components.virtual_sms.store.database import DatabaseClosedError

from ..callbacks.test_registrar import FOREIGN, issues, put, standing
from ..contacts import add_contact, entity_of, read
from ..home import RECIPIENT, SENDER, listen, refresh, send, settle, state

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

SIX_HOURS = 6 * 3600 + 1
PARTLY_BLOCKED = "+15005551034"
AMERICAN = "+12025550123"
CANADIAN = "+14165550123"


async def wait(
    hass: HomeAssistant,
    sim: Simulator,
    freezer: FrozenDateTimeFactory,
    seconds: float = SIX_HOURS,
) -> None:
    """Let time go by until the next look.

    Time that leaps breaks connections; after the next poll it is looked again.
    """
    for step in (seconds, 601):
        freezer.tick(step)
        async_fire_time_changed(hass)
        await settle(hass, sim)


def shown(hass: HomeAssistant, entry: ConfigEntry, key: str) -> Any:
    """Return an issue that is shown."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{key}_{entry.entry_id}")
    assert issue is not None
    return issue


def placeholders(hass: HomeAssistant, entry: ConfigEntry, key: str) -> dict[str, str]:
    """Return what the text of an issue is filled with."""
    return shown(hass, entry, key).translation_placeholders or {}


async def test_content(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A number at which nothing is wrong complains of nothing."""
    assert not issues(hass)
    await wait(hass, simulator, freezer)
    assert not issues(hass)


async def test_url_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A URL that someone removed is noticed, but not set unasked."""
    put(simulator, provider, "")
    await wait(hass, simulator, freezer)
    assert issues(hass) == {"callback_missing"}
    assert not standing(simulator, provider)
    put(simulator, provider, entry.data["callback_url"])
    await wait(hass, simulator, freezer)
    assert not issues(hass)


async def test_url_replaced(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nor is a foreign URL that someone put there."""
    put(simulator, provider, FOREIGN)
    await wait(hass, simulator, freezer)
    assert issues(hass) == {"callback_foreign"}
    assert standing(simulator, provider) == {FOREIGN}
    put(simulator, provider, "")
    await wait(hass, simulator, freezer)
    assert issues(hass) == {"callback_missing"}


@pytest.mark.parametrize("mode", ["polling", "manual"])
async def test_url_is_not_our_affair(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """In the other modes the person decides what stands there."""
    put(simulator, provider, FOREIGN)
    await wait(hass, simulator, freezer)
    assert not issues(hass)


async def test_messaging_service(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A service that may take the messages is shown, until one gets here."""
    simulator.twilio.receive(SENDER, "Hello", callback=False)
    simulator.twilio.inbound[-1].service_sid = simulator.twilio.MESSAGING_SERVICE_SID
    await wait(hass, simulator, freezer)
    assert issues(hass) == {"callback_perhaps_overruled"}
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert not issues(hass)
    simulator.twilio.inbound[-1].service_sid = simulator.twilio.MESSAGING_SERVICE_SID
    await wait(hass, simulator, freezer)
    assert not issues(hass)


async def lose(
    hass: HomeAssistant,
    sim: Simulator,
    freezer: FrozenDateTimeFactory,
    provider: str,
    at: datetime | None = None,
) -> None:
    """Text the home by a message whose callback never comes, and let it be found.

    Providers know no fractions of a second, so it is not sent in that of the start.
    """
    freezer.tick(1)
    sim.providers[provider].receive(SENDER, "Hello", callback=False, at=at)
    freezer.tick(601)
    async_fire_time_changed(hass)
    await settle(hass, sim)


def lead_astray(
    hass: HomeAssistant, sim: Simulator, entry: ConfigEntry, provider: str, base: str
) -> None:
    """Have the provider call where nobody is home, as was agreed."""
    url = f"{base}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    data = {**entry.data, CONF_CALLBACK_URL: url}
    hass.config_entries.async_update_entry(entry, data=data)
    put(sim, provider, url)


async def test_callbacks_are_blocked(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    home_url: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A message without its callback has callbacks checked, until one gets here."""
    await lose(hass, simulator, freezer, provider)
    assert not issues(hass)
    lead_astray(hass, simulator, entry, provider, "http://127.0.0.1:1")
    await lose(hass, simulator, freezer, provider)
    assert issues(hass) == {"return_path"}
    assert "port forwarding" in placeholders(hass, entry, "return_path")["explanation"]
    lead_astray(hass, simulator, entry, provider, home_url)
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert not issues(hass)


async def test_missing_callback_begins_at_the_provider(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The cause is shown once, and not hours later."""
    put(simulator, provider, FOREIGN)
    await lose(hass, simulator, freezer, provider)
    assert issues(hass) == {"callback_foreign"}


async def test_messages_from_before_the_start_miss_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """While Home Assistant was off, no callback could get here."""
    lead_astray(hass, simulator, entry, provider, "http://127.0.0.1:1")
    before = dt_util.utcnow() - timedelta(minutes=1)
    await lose(hass, simulator, freezer, provider, at=before)
    assert not issues(hass)


async def test_missing_callback_of_a_provider_that_is_down(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What cannot be looked at now is not guessed."""
    lead_astray(hass, simulator, entry, provider, "http://127.0.0.1:1")
    with patch.object(
        ADAPTERS[provider], "get_callbacks", side_effect=ProviderUnavailableError
    ):
        await lose(hass, simulator, freezer, provider)
    assert not issues(hass)


@pytest.mark.parametrize("mode", ["polling"])
async def test_nobody_calls_who_is_not_asked_to(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Who checks regularly misses no callback."""
    simulator.faults.add("server_error", provider=provider)
    await refresh(hass, simulator, entry)
    simulator.faults.clear()
    heard = listen(hass)
    await lose(hass, simulator, freezer, provider)
    assert [each["late"] for each in heard.received] == [True]
    assert not issues(hass)


@pytest.mark.parametrize("days", [-30, 30])
async def test_key_expires_by_the_clock_of_its_provider(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    days: int,
) -> None:
    """A home whose clock is wrong is warned in time, and not before."""
    simulator.clock_offset = days * 86_400
    consumer = simulator.ovh.auth.consumers[simulator.ovh.consumer_key]
    is_soon = days > 0
    left = timedelta(days=13 if is_soon else 30)
    consumer.expires = datetime.now(UTC) + timedelta(days=days) + left
    await wait(hass, simulator, freezer)
    assert ("credentials_expiring" in issues(hass)) is is_soon


@pytest.mark.parametrize(("days", "soon"), [(30, False), (13, True)])
async def test_key_expires(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    *,
    days: int,
    soon: bool,
) -> None:
    """The end of a key is published two weeks ahead, and forgotten with a new one."""
    consumer = simulator.ovh.auth.consumers[simulator.ovh.consumer_key]
    consumer.expires = datetime.now(UTC) + timedelta(days=days)
    await wait(hass, simulator, freezer)
    assert issues(hass) == ({"credentials_expiring"} if soon else set())
    if soon:
        date = placeholders(hass, ovh_entry, "credentials_expiring")["date"]
        assert date.startswith(f"{consumer.expires.year}-")
    consumer.expires = None
    await wait(hass, simulator, freezer)
    assert not issues(hass)


async def test_number_released(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A number that can no longer text is missed at the next look."""
    line = simulator.twilio.numbers[simulator.twilio.NUMBER]
    service, numbers = simulator.ovh.service, simulator.ovh.service.numbers
    line.sms, service.numbers = False, numbers[1:]
    await wait(hass, simulator, freezer)
    assert "number_gone" in issues(hass)
    line.sms, service.numbers = True, numbers
    await wait(hass, simulator, freezer)
    assert not issues(hass)


@pytest.mark.parametrize("is_known", [True, False])
async def test_account_that_is_not_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
    *,
    is_known: bool,
) -> None:
    """A list may lack a whole account that does not answer: then the number is asked."""
    others = [PhoneNumber(account="another", number=AMERICAN)]
    unknown = patch.object(
        ADAPTERS[provider], "get_callbacks", side_effect=NotFoundError
    )
    with (
        patch.object(ADAPTERS[provider], "list_numbers", return_value=others),
        nullcontext() if is_known else unknown,
    ):
        await wait(hass, simulator, freezer)
    assert issues(hass) == (set() if is_known else {"number_gone"})


async def test_numbers_that_may_not_be_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A key that may not list numbers says nothing about them."""
    with patch.object(
        ADAPTERS[provider], "list_numbers", side_effect=MissingRightsError
    ):
        await wait(hass, simulator, freezer)
    assert not issues(hass)


async def test_who_is_on_the_providers_list(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Who has opted out at the provider is sent nothing, and a contact shows it."""
    bob = await add_contact(hass, ovh_entry)
    service = simulator.ovh.services[simulator.ovh.SERVICE]
    service.blacklist[RECIPIENT] = datetime.now(UTC)
    store = ovh_entry.runtime_data.gateway.store
    with patch.object(store.consent, "note_listed", side_effect=DatabaseClosedError):
        await wait(hass, simulator, freezer)
    assert read(hass, entity_of(hass, ovh_entry, bob, "status")) == "reachable"
    await wait(hass, simulator, freezer)
    assert read(hass, entity_of(hass, ovh_entry, bob, "status")) == "opted_out"
    [answer, _] = await send(hass, ovh_entry, to=[RECIPIENT, SENDER])
    assert answer["reason"] == "opted_out"
    assert [each.to for each in simulator.ovh.messages] == [SENDER]


async def test_provider_down(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nothing is concluded from silence, and nothing taken back."""
    put(simulator, provider, FOREIGN)
    await wait(hass, simulator, freezer)
    simulator.faults.add("server_error", provider=provider)
    await wait(hass, simulator, freezer)
    assert issues(hass) == {"callback_foreign"}
    assert await hass.config_entries.async_reload(entry.entry_id)


@pytest.mark.parametrize("threshold", [None, 5, 0])
async def test_balance(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
    threshold: int | None,
) -> None:
    """Little is left when the person says so, nothing when nothing is left."""
    options = {} if threshold is None else {OPTION_BALANCE_THRESHOLD: threshold}
    hass.config_entries.async_update_entry(entry, options=options)
    for left, expected in (
        (6, set()),
        (4, {"balance_low"} if threshold else set()),
        (0, {"no_credit"}),
        (-1, {"no_credit"}),
        (3, {"balance_low"} if threshold else set()),
        (8, set()),
    ):
        simulator.twilio.balance = Decimal(left)
        simulator.ovh.service.credits = left
        freezer.tick(601)
        await refresh(hass, simulator, entry)
        assert issues(hass) == expected, left


async def attempt(hass: HomeAssistant, entry: ConfigEntry, **data: str) -> None:
    """Send a message, which may be refused at once."""
    with suppress(HomeAssistantError):
        await send(hass, entry, **data)


async def test_balance_after_a_send(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The balance falls within a minute of a send, and is asked for once a burst."""
    # The clock has leapt when it was stopped, and polls were due.
    await settle(hass, simulator)
    before = entry.runtime_data.coordinator.balance
    left = replace(before, amount=before.amount - 1)
    with patch.object(ADAPTERS[provider], "get_balance", return_value=left) as ask:
        for _ in range(3):
            await send(hass, entry)
        await settle(hass, simulator)
        assert not ask.called
        freezer.tick(DELAY + 1)
        async_fire_time_changed(hass)
        await settle(hass, simulator)
        assert ask.call_count == 1
    assert Decimal(state(hass, entry, "balance").state) == left.amount


async def test_balance_that_may_not_be_read(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A question that fails keeps its growing pauses, however much is sent."""
    await settle(hass, simulator)
    refused = MissingRightsError("no")
    with patch.object(ADAPTERS[provider], "get_balance", side_effect=refused) as ask:
        for _ in range(5):
            await send(hass, entry)
            await settle(hass, simulator)
            freezer.tick(DELAY + 1)
            async_fire_time_changed(hass)
            await settle(hass, simulator)
        assert 1 <= ask.call_count <= 3


async def test_no_balance_after_the_end(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A number at rest asks for nothing."""
    await send(hass, entry)
    await settle(hass, simulator)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with patch.object(ADAPTERS[provider], "get_balance") as ask:
        freezer.tick(DELAY + 1)
        async_fire_time_changed(hass)
        await settle(hass, simulator)
    assert not ask.called


async def test_service_expired(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
) -> None:
    """An expired service is shown when it refuses, until it sends again."""
    simulator.ovh.service.expired = True
    await attempt(hass, ovh_entry)
    await refresh(hass, simulator, ovh_entry)
    assert issues(hass) == {"service_expired"}
    simulator.ovh.service.expired = False
    await attempt(hass, ovh_entry)
    await settle(hass, simulator)
    assert not issues(hass)


async def test_service_renewed(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A poll that began after the refusal proves that the service is renewed."""
    heard = listen(hass)
    simulator.automatic = False
    [first] = await send(hass, ovh_entry)
    coordinator = ovh_entry.runtime_data.coordinator
    inbox = ovh_entry.runtime_data.gateway.inbox

    async def expire(**_: object) -> None:
        await refuse(hass, simulator, ovh_entry, "service_expired", RECIPIENT)

    with patch.object(inbox, "catch_up_inbound", expire):
        await coordinator.async_refresh()
    await simulator.ovh.advance(first["provider_id"], "delivered")
    await settle(hass, simulator)
    assert heard.course(first["message_id"])[-1] == "delivered"
    assert issues(hass) == {"service_expired"}
    await refresh(hass, simulator, ovh_entry)
    assert not issues(hass)


async def test_service_expired_at_a_poll(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A poll may find it out as well, and that it is renewed."""
    err = AccountSuspendedError(provider_code="service_expired")
    inbox = ovh_entry.runtime_data.gateway.inbox
    with patch.object(inbox, "catch_up_inbound", side_effect=err):
        await refresh(hass, simulator, ovh_entry)
    assert issues(hass) == {"service_expired"}
    await refresh(hass, simulator, ovh_entry)
    assert not issues(hass)


async def test_a_refusal_moves_the_sensor_at_once(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Sensor and repair say the same, without a poll, over a reload, and afterwards."""

    def seen() -> tuple[str, set[str]]:
        return state(hass, ovh_entry, "line_status").state, issues(hass)

    simulator.ovh.service.credits = 0
    await attempt(hass, ovh_entry)
    await settle(hass, simulator)
    assert seen() == ("no_credit", {"no_credit"})
    with patch.object(ADAPTERS["ovh"], "get_balance", side_effect=NotFoundError):
        assert await hass.config_entries.async_reload(ovh_entry.entry_id)
        await refresh(hass, simulator, ovh_entry)
        assert seen() == ("no_credit", {"no_credit"})
    simulator.ovh.service.credits = 50
    await send(hass, ovh_entry)
    await settle(hass, simulator)
    assert seen() == ("available", set())


async def test_a_balance_of_before_the_refusal(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """An answer that was under way when a message was refused takes nothing back."""
    left = Balance(amount=Decimal(5))

    async def ask(*_: object) -> Balance:
        simulator.ovh.service.credits = 0
        await attempt(hass, ovh_entry)
        return left

    coordinator = ovh_entry.runtime_data.coordinator
    coordinator.async_ask_balance_soon()
    with patch.object(ADAPTERS["ovh"], "get_balance", ask):
        await refresh(hass, simulator, ovh_entry)
    assert state(hass, ovh_entry, "line_status").state == "no_credit"
    assert issues(hass) == {"no_credit"}
    simulator.ovh.service.credits = 50
    await refresh(hass, simulator, ovh_entry)
    assert state(hass, ovh_entry, "line_status").state == "available"
    assert not issues(hass)


@pytest.mark.parametrize("may_read_balance", [True, False])
async def test_out_of_credit_when_sending(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    *,
    may_read_balance: bool,
) -> None:
    """What a refused message shows need not wait for the next poll.

    The balance takes it back; where no key may read that, a message that arrives.
    """
    simulator.ovh.service.credits = 0
    await attempt(hass, ovh_entry)
    await refresh(hass, simulator, ovh_entry)
    assert issues(hass) == {"no_credit"}
    simulator.ovh.service.credits = 50
    forbidden = patch.object(
        ADAPTERS["ovh"], "get_balance", side_effect=MissingRightsError
    )
    with nullcontext() if may_read_balance else forbidden:
        freezer.tick(601)
        await refresh(hass, simulator, ovh_entry)
        assert issues(hass) == (set() if may_read_balance else {"no_credit"})
        await send(hass, ovh_entry)
        await settle(hass, simulator)
    assert not issues(hass)


@pytest.mark.parametrize("privacy", list(Privacy))
@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("+15005550003", {"country_not_enabled"}),
        ("+15005550005", {"trial_limits"}),
        ("+15005551034", {"registration_missing"}),
        ("+15005551032", {"registration_missing"}),
        ("+15005551044", {"trial_limits"}),
        ("+15005551003", set()),
    ],
)
async def test_advice(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    recipient: str,
    expected: set[str],
    privacy: str,
) -> None:
    """What only a person can fix is shown, until a message arrives in that country.

    However little may be shown of messages, and over a restart.
    """
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_PRIVACY: privacy}
    )
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await attempt(hass, twilio_entry, to=recipient)
    await settle(hass, simulator)
    assert issues(hass) == expected
    await send(hass, twilio_entry, to=[RECIPIENT, CANADIAN])
    await settle(hass, simulator)
    assert issues(hass) == expected
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await send(hass, twilio_entry, to=AMERICAN)
    await settle(hass, simulator)
    assert not issues(hass)


async def refuse(
    hass: HomeAssistant, sim: Simulator, entry: ConfigEntry, code: str, recipient: str
) -> None:
    """Have a message to a recipient refused."""
    error = MessageRejectedError(provider_code=code)
    with patch.object(ADAPTERS[entry.data["provider"]], "_send", side_effect=error):
        await attempt(hass, entry, to=recipient)
    await settle(hass, sim)


@pytest.mark.parametrize("is_read", [True, False])
async def test_each_country_for_itself(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_read: bool,
) -> None:
    """Two countries may be refused, and one of them enabled.

    Also where a message was sent before a restart, and its country is yet to be read.
    """
    monkeypatch.setattr(
        "custom_components.virtual_sms.monitoring.monitor.is_read",
        lambda *_: is_read,
    )
    for recipient in (RECIPIENT, AMERICAN):
        await refuse(hass, simulator, twilio_entry, "21408", recipient)
    assert shown(hass, twilio_entry, "country_not_enabled").data["regions"] == "FR US"
    await send(hass, twilio_entry, to=RECIPIENT)
    await settle(hass, simulator)
    assert shown(hass, twilio_entry, "country_not_enabled").data["regions"] == "US"
    await send(hass, twilio_entry, to=AMERICAN)
    await settle(hass, simulator)
    assert not issues(hass)


async def test_what_was_under_way_proves_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
) -> None:
    """A delivery of before a refusal, known after it, takes nothing back."""
    heard = listen(hass)
    simulator.automatic = False
    [first] = await send(hass, ovh_entry)
    simulator.ovh.service.credits = 0
    await attempt(hass, ovh_entry)
    await settle(hass, simulator)
    assert issues(hass) == {"no_credit"}
    await simulator.ovh.advance(first["provider_id"], "delivered")
    await settle(hass, simulator)
    assert heard.course(first["message_id"])[-1] == "delivered"
    assert issues(hass) == {"no_credit"}
    assert state(hass, ovh_entry, "line_status").state == "no_credit"


async def test_unreadable_records(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A message that makes no sense is counted, until it does."""
    heard = listen(hass)
    odd = simulator.ovh.receive(
        SENDER, "Odd", callback=False, record={"creationDatetime": "soon"}
    )
    simulator.ovh.receive(SENDER, "Even", callback=False)
    await refresh(hass, simulator, ovh_entry)
    assert heard.texts == ["Even"]
    assert issues(hass) == {"records_unreadable"}
    assert placeholders(hass, ovh_entry, "records_unreadable")["count"] == "1"
    found = await async_get_config_entry_diagnostics(hass, ovh_entry)
    [record] = found["unreadable_records"]
    assert record["id"].startswith("…")
    assert str(odd).endswith(record["id"][1:])
    assert str(odd) not in record["id"]

    simulator.ovh.find(odd).record = {}
    await ovh_entry.runtime_data.gateway.store.inbound.drop_set_aside([str(odd)])
    await refresh(hass, simulator, ovh_entry)
    assert not issues(hass)


async def test_no_number_in_an_issue(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A line may be called by its number, which issues do not hold in full."""
    number = ovh_entry.data[CONF_NUMBER]
    hass.config_entries.async_update_entry(ovh_entry, title=f"Home {number}")
    for problem in Problem:
        async_raise_issue(hass, ovh_entry, problem)
        held = placeholders(hass, ovh_entry, problem)
        assert number not in str(held)
        assert held["name"] == f"Home {number[:3]}…{number[-2:]}"


async def test_two_countries_that_are_not_enabled(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A delivery to one of them leaves the other, over a reload as well."""
    with patch.object(
        type(simulator.twilio),
        "refused_recipients",
        {"+33612345678": 21408, "+4915112345678": 21408},
    ):
        for recipient in ("+33612345678", "+4915112345678"):
            await attempt(hass, twilio_entry, to=recipient)
    await settle(hass, simulator)
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    for recipient, left in (("+33612345679", True), ("+4915112345679", False)):
        await send(hass, twilio_entry, to=recipient)
        await settle(hass, simulator)
        assert bool(issues(hass)) is left
    found = ir.async_get(hass).issues.values()
    assert not any("336123" in str(each.data) for each in found)


async def test_no_credit_is_shown_at_once(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """The sensor and the repair say the same, before the next poll and after it."""
    assert state(hass, ovh_entry, "line_status").state == "available"
    simulator.ovh.service.credits = 0
    await attempt(hass, ovh_entry)
    await settle(hass, simulator)
    assert state(hass, ovh_entry, "line_status").state == "no_credit"
    assert issues(hass) == {"no_credit"}
    simulator.ovh.service.credits = 50
    await refresh(hass, simulator, ovh_entry)
    assert state(hass, ovh_entry, "line_status").state == "available"
    assert not issues(hass)


async def test_records_that_cannot_be_read(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """They are counted, as long as there are some."""
    message_id = simulator.twilio.receive(SENDER, "x", callback=False)
    simulator.twilio.find(message_id).record["to"] = 7
    await refresh(hass, simulator, twilio_entry)
    assert issues(hass) == {"records_unreadable"}
    assert placeholders(hass, twilio_entry, "records_unreadable")["count"] == "1"
    assert state(hass, twilio_entry, "line_status").state == "available"
    inbound = twilio_entry.runtime_data.gateway.store.inbound
    with patch.object(inbound, "list_set_aside", return_value=[]):
        await refresh(hass, simulator, twilio_entry)
    assert not issues(hass)


async def test_gone_with_the_entry(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number that is removed complains of nothing."""
    await attempt(hass, twilio_entry, to=PARTLY_BLOCKED)
    await settle(hass, simulator)
    assert issues(hass)
    assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert not issues(hass)


async def test_two_numbers_have_problems_of_their_own(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """What is wrong with one number says nothing of the other."""
    simulator.ovh.service.expired = True
    await attempt(hass, ovh_entry)
    await settle(hass, simulator)
    registry = ir.async_get(hass)
    assert set(registry.issues) == {(DOMAIN, f"service_expired_{ovh_entry.entry_id}")}
    assert placeholders(hass, ovh_entry, "service_expired") == {
        "name": "OVH line",
        "provider": "OVHcloud",
    }


def test_every_advice_has_its_problem() -> None:
    """No provider can advise what nobody would see."""
    assert set(ADVICE) == set(Advice)
    given = {
        rule.advice
        for adapter in ADAPTERS.values()
        for rule in adapter.error_rules.values()
        if rule.advice
    }
    assert given == set(Advice)


@pytest.mark.parametrize(
    ("answer", "is_gone"),
    [(NotFoundError(), True), (ProviderUnavailableError(), False), (None, False)],
)
async def test_an_account_that_is_left_out(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    answer: Exception | None,
    *,
    is_gone: bool,
) -> None:
    """Nothing is concluded from a list without the number's account."""
    adapter = ADAPTERS["ovh"]
    with (
        patch.object(adapter, "list_numbers", return_value=[]),
        patch.object(
            adapter, "get_callbacks", side_effect=answer, return_value=CallbackUrls()
        ),
    ):
        await wait(hass, simulator, freezer)
    assert ("number_gone" in issues(hass)) is is_gone


async def test_a_number_that_is_not_found_at_a_poll(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What the poll was answered needs no other question."""
    inbox = ovh_entry.runtime_data.gateway.inbox
    with (
        patch.object(ADAPTERS["ovh"], "list_numbers", return_value=[]),
        patch.object(inbox, "catch_up_inbound", side_effect=NotFoundError()),
    ):
        await refresh(hass, simulator, ovh_entry)
        await wait(hass, simulator, freezer)
    assert "number_gone" in issues(hass)
