"""Whom an alarm or a question means: codes, groups, answers from a time away."""

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.lines import async_wait_until_read
from custom_components.virtual_sms.people.trust import async_trust
from simulator import Quirk

from ..alarms import hear, pass_time, restart, texts
from ..contacts import OTHER_NUMBER, add_contact, add_group, change
from ..home import RECIPIENT, listen, settle
from ..people.test_trust import PIN, add_bob
from .test_alert import LEAK, TO_BOB, alert, call, events, states
from .test_ask import ask, until_sent

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

    from .test_alert import Events

__all__ = ["events"]

BOB = [{"contacts": "notify.bob"}]


async def test_who_has_a_code_takes_it_with_their_code(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """A bare word of someone who has a code proves nothing, of several alerts neither."""
    await add_bob(hass, twilio_entry)
    first = await alert(hass, simulator, steps=BOB)
    second = await alert(hass, simulator, steps=BOB)
    for text in ("ok", "ok 2", "ok 1234", "1"):
        await hear(hass, simulator, RECIPIENT, text)
    assert [each.data["state"] for each in events] == ["started"] * 2
    await hear(hass, simulator, RECIPIENT, f"ok 2 {PIN}")
    await hear(hass, simulator, RECIPIENT, f"Ok {PIN}")
    taken = [each.data["alert_id"] for each in events[2:]]
    assert taken == [second, first]


async def test_another_number_while_it_goes_on(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """Whoever has another phone by then is alarmed there, and who took it is told there."""
    bob = await add_contact(hass, twilio_entry)
    await alert(hass, simulator, steps=BOB)
    await change(hass, twilio_entry, bob, name="Bob", numbers=[OTHER_NUMBER])
    await pass_time(hass, simulator, freezer, 301)
    await hear(hass, simulator, OTHER_NUMBER, "ok")
    assert texts(simulator) == [
        TO_BOB,
        (OTHER_NUMBER, LEAK),
        (OTHER_NUMBER, f"You have taken it: {LEAK}"),
    ]
    assert states(events)[-1] == ("acknowledged", 1, 2)


async def test_who_has_a_code_answers_with_their_code(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """So it is with a question."""
    await add_bob(hass, twilio_entry)
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    await hear(hass, simulator, RECIPIENT, "yes")
    assert not asking.done()
    await hear(hass, simulator, RECIPIENT, f"yes {PIN}")
    assert (await asking)["answer_id"] == "yes"


async def write_while_away(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    text: str,
    seconds: float,
) -> None:
    """Have Bob write what reaches nobody, before the home starts again after a while."""
    simulator.twilio.quirks = {Quirk.SUPPRESSED}
    simulator.twilio.receive(RECIPIENT, text)
    await settle(hass, simulator)
    simulator.twilio.quirks = set()
    await restart(hass, simulator, seconds=seconds, freezer=freezer)
    await settle(hass, simulator)


async def lock(hass: HomeAssistant, simulator: Simulator) -> None:
    """Have somebody try five codes in Bob's name."""
    for number in range(5):
        await hear(hass, simulator, RECIPIENT, f"ok 111{number}")


async def test_who_is_locked_is_not_asked(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Their answer would not be believed: the action says so, and does not wait."""
    bob, _ = await add_bob(hass, twilio_entry)
    await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    await lock(hass, simulator)
    with pytest.raises(HomeAssistantError, match="Bob - Five wrong codes"):
        await ask(hass)
    asking = ask(hass, contacts=["notify.bob", "notify.ann"])
    await until_sent(hass, simulator, 1)
    await hear(hass, simulator, OTHER_NUMBER, "yes")
    locked, asked = (await asking)["recipients"]
    assert (locked["status"], locked["reason"]) == ("failed", "locked")
    assert (asked["contact"], "reason" in asked) == ("Ann", False)
    await async_trust(hass).async_unlock(bob.subentry_id)
    asking = ask(hass)
    await until_sent(hass, simulator, 2)
    await hear(hass, simulator, RECIPIENT, f"yes {PIN}")
    assert (await asking)["answered"] is True


async def test_who_needs_no_code_any_more_is_asked_and_alarmed(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """What they answer is believed, whatever was tried while they had one."""
    bob, _ = await add_bob(hass, twilio_entry)
    await lock(hass, simulator)
    await alert(hass, simulator, steps=BOB, rounds=1)
    assert states(events)[-1] == ("exhausted", 1, 1)
    await change(hass, twilio_entry, bob, name="Bob", numbers=[RECIPIENT])
    asking = ask(hass)
    await alert(hass, simulator, steps=BOB)
    assert [each[0] for each in texts(simulator)] == [RECIPIENT] * 2
    await hear(hass, simulator, RECIPIENT, "yes")
    await hear(hass, simulator, RECIPIENT, "ok")
    assert (await asking)["answered"] is True
    assert states(events)[-1] == ("acknowledged", 1, 1)


async def test_everybody_is_alarmed_once_in_a_step(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """However often somebody is named: by a group, as a contact, by their number."""
    bob = await add_contact(hass, twilio_entry)
    ann = await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    await add_group(hass, twilio_entry, "Family", bob, ann)
    everybody = {"contacts": ["notify.family", "notify.bob"], "to": "+33 6 12 34 56 78"}
    await alert(hass, simulator, steps=[everybody])
    assert sorted(texts(simulator)) == [TO_BOB, (OTHER_NUMBER, LEAK)]
    await hear(hass, simulator, OTHER_NUMBER, "ok")
    assert events[-1].data["contact"] == "Ann"
    assert len(texts(simulator)) == 4


async def test_an_alert_is_answered_at_once(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whoever begins it does not wait for a provider that is slow."""
    await add_contact(hass, twilio_entry)
    simulator.faults.add("slow", provider="twilio", path="Messages", delay=3)
    async with asyncio.timeout(1):
        await call(hass, steps=BOB)
    assert texts(simulator) == []
    await settle(hass, simulator)


async def test_two_rounds_of_five_minutes_unless_told_else(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """What is left out is what the page says."""
    await add_contact(hass, twilio_entry)
    await alert(hass, simulator, steps=BOB)
    for seconds, count in ((299, 1), (2, 2), (297, 2), (4, 3)):
        await pass_time(hass, simulator, freezer, seconds)
        assert len(events) == count
    assert states(events)[1:] == [("escalated", 1, 2), ("exhausted", 1, 2)]


async def test_a_number_at_rest_keeps_no_alarm_back(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    events: Events,
) -> None:
    """A step that cannot be sent now is passed over, whoever is named how in it."""
    await add_contact(hass, ovh_entry, "Ann", OTHER_NUMBER)
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    by_number = {"to": RECIPIENT, "config_entry_id": twilio_entry.entry_id}
    await alert(hass, simulator, steps=[by_number, {"contacts": "notify.ann"}])
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    assert [each.to for each in simulator.ovh.messages] == [OTHER_NUMBER]
    by_nobody = {"to": RECIPIENT, "config_entry_id": "nobody"}
    with pytest.raises(ServiceValidationError):
        await call(hass, steps=[by_nobody])


@pytest.mark.parametrize("seconds", [30, 3600])
async def test_an_answer_from_a_time_away(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    events: Events,
    seconds: float,
) -> None:
    """Who acknowledged while the home was away has done so: nobody else is alarmed."""
    await add_contact(hass, twilio_entry)
    await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    await alert(hass, simulator)
    await write_while_away(hass, simulator, freezer, "ok", seconds)
    assert [each.data["state"] for each in events] == ["started", "acknowledged"]
    assert OTHER_NUMBER not in dict(texts(simulator))


@pytest.mark.parametrize(
    ("added", "text", "state"),
    [
        ({"may_command": True}, "ok", "acknowledged"),
        ({"may_command": True, "code": "pin"}, f"ok {PIN}", "acknowledged"),
        ({"may_command": True, "code": "pin"}, "ok", "escalated"),
        ({"may_command": True, "code": "pin"}, "ok 1234", "escalated"),
    ],
)
async def test_a_command_that_is_too_old_is_an_answer_still(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    events: Events,
    added: dict[str, Any],
    text: str,
    state: str,
) -> None:
    """Who may command, and proves it if they have to, is no less believed than others.

    What came after the question is an answer to it, whatever age a command may have.
    """
    add = add_bob if "code" in added else add_contact
    await add(hass, twilio_entry, **({} if "code" in added else added))
    await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    heard = listen(hass)
    await alert(hass, simulator)
    await write_while_away(hass, simulator, freezer, text, 3600)
    assert [each["trust"] for each in heard.received] == ["unproven"]
    assert [each.data["state"] for each in events][:2] == ["started", state]


async def test_a_provider_that_is_down_does_not_hold_an_alarm(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
) -> None:
    """What cannot be read is not waited for."""
    await add_contact(hass, twilio_entry)
    await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    await alert(hass, simulator)
    simulator.faults.add("server_error", method="GET", path="Messages")
    await restart(hass, simulator, seconds=3600, freezer=freezer)
    assert [each[0] for each in texts(simulator)] == [RECIPIENT, OTHER_NUMBER]


async def test_a_provider_that_is_slow_does_not_hold_an_alarm(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """What comes in is waited for a while only."""
    twilio_entry.runtime_data.coordinator.has_read.clear()
    async with asyncio.timeout(5):
        with patch("custom_components.virtual_sms.lines._LONGEST_WAIT", 0.01):
            await async_wait_until_read(hass)


@pytest.mark.parametrize("seconds", [30, 3600])
async def test_an_answer_to_a_question_from_a_time_away(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    seconds: float,
) -> None:
    """Who answered in time while the home was away has answered."""
    await add_contact(hass, twilio_entry)
    answered = async_capture_events(hass, "virtual_sms_answered")
    asking = ask(hass, tag="garage")
    await until_sent(hass, simulator, 1)
    asking.cancel()
    await write_while_away(hass, simulator, freezer, "yes", seconds)
    [event] = answered
    assert (event.data["tag"], event.data["answer_id"]) == ("garage", "yes")
    assert event.data["attended"] is False


async def test_an_hour_away_in_a_later_step(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """In the middle of step 2 it goes on with the next round, once, and its time is whole."""
    await add_contact(hass, twilio_entry)
    await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    await alert(hass, simulator)
    await pass_time(hass, simulator, freezer, 301)
    await pass_time(hass, simulator, freezer, 100)
    await restart(hass, simulator, seconds=3600, freezer=freezer)
    assert states(events)[1:] == [("escalated", 2, 1), ("escalated", 1, 2)]
    await pass_time(hass, simulator, freezer, 299)
    assert len(events) == 3
    await pass_time(hass, simulator, freezer, 2)
    assert states(events)[3:] == [("escalated", 2, 2)]
    assert [each[0] for each in texts(simulator)] == [RECIPIENT, OTHER_NUMBER] * 2


async def test_what_waits_at_a_number_at_rest_does_not_go_out_when_it_is_over(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
) -> None:
    """A text that was not sent when its number fell silent stays unsent."""
    await add_contact(hass, twilio_entry)
    simulator.faults.add("rate_limited", method="POST", path="Messages")
    await alert(hass, simulator, steps=BOB, tag="leak")
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    await hass.services.async_call(
        DOMAIN, "cancel_alert", {"tag": "leak"}, blocking=True
    )
    await settle(hass, simulator)
    simulator.faults.clear()
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    for _ in range(5):
        await pass_time(hass, simulator, freezer, 60)
    assert texts(simulator) == []


@pytest.mark.parametrize("at_rest", [False, True])
async def test_a_question_that_waits_does_not_go_out_when_it_is_closed(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
    *,
    at_rest: bool,
) -> None:
    """Nobody is asked what nobody wants to know any more, after a rest neither."""
    await add_contact(hass, twilio_entry)
    simulator.faults.add("rate_limited", method="POST", path="Messages")
    asking = ask(hass, timeout=30)
    await until_sent(hass, simulator, 0)
    if at_rest:
        await hass.config_entries.async_unload(twilio_entry.entry_id)
    await pass_time(hass, simulator, freezer, 31)
    assert (await asking)["answered"] is False
    simulator.faults.clear()
    if at_rest:
        assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    for _ in range(5):
        await pass_time(hass, simulator, freezer, 60)
    assert texts(simulator) == []


@pytest.mark.parametrize(
    ("message", "is_call", "why"),
    [
        ("", False, "empty"),
        ("", True, "empty"),
        ("x" * 1601, False, "1600"),
        ("x" * 5000, True, "1600"),
    ],
)
async def test_a_text_that_nobody_can_get_is_refused(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    message: str,
    why: str,
    *,
    is_call: bool,
) -> None:
    """An alarm that could alarm nobody fails where it is begun, and says why."""
    await add_contact(hass, twilio_entry)
    steps = [{"contacts": "notify.bob", "call": is_call}, {"to": OTHER_NUMBER}]
    with pytest.raises(HomeAssistantError, match=why):
        await call(hass, message=message, steps=steps)
    assert (events, texts(simulator)) == ([], [])


async def test_a_text_that_can_only_be_spoken(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """One that is too long for an SMS is taken where somebody can be called."""
    await add_contact(hass, twilio_entry)
    steps = [{"contacts": "notify.bob"}, {"contacts": "notify.bob", "call": True}]
    await alert(hass, simulator, message="x" * 1601, steps=steps)
    assert [each.to for each in simulator.twilio.phones.calls] == [RECIPIENT]


async def test_a_number_at_rest_may_be_able_to(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nobody knows what a number can that is not at work: the alarm waits for it."""
    await add_contact(hass, twilio_entry)
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    await call(hass, steps=BOB)
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert texts(simulator) == [TO_BOB]


async def test_a_country_that_is_not_enabled_in_a_step(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The alarm goes on, and a repair says what to enable."""
    steps = [{"to": "+15005550003", "call": True}]
    await alert(hass, simulator, steps=steps, rounds=1)
    issues = ir.async_get(hass).issues
    assert [key for key in issues if "voice" in key[1]], list(issues)


async def test_a_question_wants_a_response(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nobody is asked what nobody would learn."""
    await add_contact(hass, twilio_entry)
    answers = [{"id": "yes", "sentences": ["yes"]}]
    data = {"contacts": "notify.bob", "message": "Close?", "answers": answers}
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "ask", data, blocking=True)
    assert texts(simulator) == []


async def test_ten_minutes_to_answer_unless_told_else(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
) -> None:
    """A number that is a contact's is that contact, and the wait ends after ten minutes."""
    await add_contact(hass, twilio_entry)
    asking = ask(hass, contacts=[], to=["+33 6 12 34 56 78"])
    await until_sent(hass, simulator, 1)
    await pass_time(hass, simulator, freezer, 599)
    assert not asking.done()
    await pass_time(hass, simulator, freezer, 2)
    response: Any = await asking
    assert response["answered"] is False
    assert [each["contact"] for each in response["recipients"]] == ["Bob"]
