"""Automations start when a question is answered, and when an alert changes."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest
import voluptuous as vol

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.replies.alerts import SIGNAL_ALERT
from custom_components.virtual_sms.replies.questions import SIGNAL_ANSWERED

from ..alarms import hear, restart
from ..contacts import add_contact
from ..home import RECIPIENT, settle
from ..test_trigger import automate

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

pytestmark = pytest.mark.usefixtures("bob")


@pytest.fixture
async def bob(hass: HomeAssistant, twilio_entry: ConfigEntry) -> ConfigSubentry:
    """Have Bob texted by Twilio's number, of which events show nothing."""
    options = {"privacy": "metadata"}
    hass.config_entries.async_update_entry(twilio_entry, options=options)
    return await add_contact(hass, twilio_entry)


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    """Call an action for Bob."""
    return await hass.services.async_call(
        DOMAIN, action, {"message": "?"} | data, blocking=True, return_response=True
    )


def ask(hass: HomeAssistant, tag: str) -> asyncio.Task[Any]:
    """Ask Bob."""
    answers = [{"id": "yes", "sentences": ["yes"]}]
    asking = call(hass, "ask", contacts="notify.bob", answers=answers, tag=tag)
    return asyncio.create_task(asking)


async def test_an_answer_starts_an_automation(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An answer does, with all of it and for its tag, after a restart as well."""
    everything = await automate(hass, "question_answered")
    tagged = await automate(hass, "question_answered", tag="garage")
    messages = await automate(hass, trust=["known", "trusted"])
    for tag in ("garage", "door"):
        asking = ask(hass, tag)
        await asyncio.sleep(0)
        await settle(hass, simulator)
        await hear(hass, simulator, RECIPIENT, "yes, please")
        await asking
    asking = ask(hass, "garage")
    await asyncio.sleep(0)
    await settle(hass, simulator)
    asking.cancel()
    await restart(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "yes")
    assert [each["tag"] for each in everything.runs] == ["garage", "door", "garage"]
    assert [each["attended"] for each in tagged.runs] == [True, False]
    first = tagged.runs[0]
    assert (first["answer_id"], first["text"]) == ("yes", "yes, please")
    assert (first["contact"], first["number"]) == ("Bob", RECIPIENT)
    assert messages.runs == []


@pytest.mark.parametrize(
    ("privacy", "said"),
    [("metadata", "Answer to a question"), ("masked", "Answer from Bob")],
)
async def test_the_logbook_names_who_may_be_named(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    privacy: str,
    said: str,
) -> None:
    """It keeps why an automation was started, whatever the automation may know."""
    hass.config_entries.async_update_entry(twilio_entry, options={"privacy": privacy})
    automation = await automate(hass, "question_answered")
    asking = ask(hass, "door")
    await asyncio.sleep(0)
    await settle(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "yes")
    await asking
    assert [each["description"] for each in automation.runs] == [said]


async def test_an_alert_starts_an_automation(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Each of its changes does, or those that are chosen."""
    everything = await automate(hass, "alert_changed")
    taken = await automate(hass, "alert_changed", tag="leak", state="acknowledged")
    messages = await automate(hass, trust=["known", "trusted"])
    for tag in ("leak", "fire"):
        await call(hass, "alert", steps=[{"contacts": "notify.bob"}], tag=tag)
        await settle(hass, simulator)
        await hear(hass, simulator, RECIPIENT, "ok")
    assert [each["state"] for each in everything.runs] == [
        "started",
        "acknowledged",
    ] * 2
    [run] = taken.runs
    assert (run["tag"], run["contact"]) == ("leak", "Bob")
    assert run["platform"] == f"{DOMAIN}.alert_changed"
    assert messages.runs == []


async def test_an_answer_is_a_message_for_who_asks_for_that(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """With `answers` a trigger hears answers to questions and alerts as well."""
    messages = await automate(hass, trust=["known", "trusted"], answers=True)
    ordinary = await automate(hass, trust=["known", "trusted"])
    asking = ask(hass, "garage")
    await asyncio.sleep(0)
    await settle(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "yes")
    await asking
    started = await call(hass, "alert", steps=[{"contacts": "notify.bob"}])
    await settle(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "ok")
    await hear(hass, simulator, RECIPIENT, "hello")
    assert [each["text"] for each in messages.runs] == ["yes", "ok", "hello"]
    assert messages.runs[1]["answer_to"] == started["alert_id"]
    assert [each["text"] for each in ordinary.runs] == ["hello"]


async def test_a_state_that_is_none(hass: HomeAssistant) -> None:
    """What an alert never becomes is refused when it is saved."""
    with pytest.raises(vol.Invalid):
        await automate(hass, "alert_changed", state="forgotten")


async def test_a_listener_that_fails_puts_nothing_into_the_log(
    hass: HomeAssistant, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant logs what a listener was given."""
    # In its debug log, which another test may leave on, it quotes every event itself.
    caplog.set_level(logging.INFO, "homeassistant.core")
    caplog.clear()

    @callback
    def fail(_: object) -> None:
        raise RuntimeError

    for signal in (SIGNAL_ANSWERED, SIGNAL_ALERT):
        async_dispatcher_connect(hass, signal, fail)
    asking = ask(hass, "garage")
    await asyncio.sleep(0)
    await settle(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "yes, please")
    await asking
    await call(hass, "alert", steps=[{"contacts": "notify.bob"}], tag="the leak")
    await settle(hass, simulator)
    assert caplog.text.count("when dispatching") == 2
    for secret in ("yes, please", RECIPIENT, "the leak"):
        assert secret not in caplog.text
