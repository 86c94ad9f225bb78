"""What is planned for a number that is at rest is sent when it is at work again.

After a power failure the home often starts before its way to the internet: then no
number can be set up for a while.
"""

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import ConfigEntryNotReady
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.virtual_sms.core.gateway import Gateway
from custom_components.virtual_sms.core.inbox import Inbox
from simulator import Quirk

from .alarms import SET_UP, hear, pass_time, restart, texts, wake
from .contacts import OTHER_NUMBER, add_contact
from .home import RECIPIENT, settle
from .replies.test_alert import LEAK, TO_ANN, TO_BOB, alert, ann, bob, events, states
from .replies.test_alert_calls import CALL_BOB, called
from .replies.test_ask import ask, until_sent

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

    from .replies.test_alert import Events

__all__ = ["ann", "bob", "events"]

pytestmark = pytest.mark.usefixtures("bob", "ann")

SENDING = "custom_components.virtual_sms.replies.{}.async_send_planned"
CALLING = "custom_components.virtual_sms.replies.alerts.async_call_planned"
EVE = "+33600000009"


async def pass_at_rest(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    seconds: float,
) -> None:
    """Let time go by in which no number can be set up."""
    with patch(SET_UP, side_effect=ConfigEntryNotReady):
        await pass_time(hass, simulator, freezer, seconds)


@pytest.mark.parametrize("is_call", [False, True])
async def test_a_number_that_is_loaded_anew_while_an_alarm_leaves(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    *,
    is_call: bool,
) -> None:
    """A change of an option just then keeps the alarm from nobody, nor sends it twice."""
    name = "call" if is_call else "send"
    real, entries = getattr(Gateway, name), hass.config_entries
    unloaded: list[bool] = []

    async def leave(self: Gateway, *args: Any, **given: Any) -> Any:
        if not unloaded:
            unloaded.append(await entries.async_unload(twilio_entry.entry_id))
        return await real(self, *args, **given)

    with patch.object(Gateway, name, leave):
        steps = [{"contacts": "notify.bob", "call": is_call}]
        await alert(hass, simulator, steps=steps, rounds=1)
        assert states(events) == [("started", 1, 1)]
        assert await entries.async_setup(twilio_entry.entry_id)
        await settle(hass, simulator)
    sent = called(simulator) if is_call else [each[0] for each in texts(simulator)]
    assert sent == [RECIPIENT]
    assert unloaded == [True]


async def test_answers_that_become_known_one_after_the_other(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    ovh_entry: ConfigEntry,
) -> None:
    """Who answered in time is heard, also if another number was read before theirs."""
    await add_contact(hass, ovh_entry, "Eve", EVE)
    answered = async_capture_events(hass, "virtual_sms_answered")
    for name in ("bob", "eve"):
        asking = ask(hass, contacts=f"notify.{name}", timeout=600)
        await until_sent(hass, simulator, 1)
        asking.cancel()
    for provider, sender in ((simulator.twilio, RECIPIENT), (simulator.ovh, EVE)):
        provider.quirks = {Quirk.SUPPRESSED}
        provider.receive(sender, "yes")
        await settle(hass, simulator)
        provider.quirks = set()
    real, may_read = Inbox.catch_up_inbound, asyncio.Event()

    async def read(self: Inbox, *, late: bool) -> None:
        if self._line.number.number == simulator.ovh.number:
            await may_read.wait()
        await real(self, late=late)

    with patch.object(Inbox, "catch_up_inbound", read):
        starting = asyncio.create_task(
            restart(hass, simulator, seconds=3600, freezer=freezer)
        )
        while not answered:
            await asyncio.sleep(0)
        async_fire_time_changed(hass)
        may_read.set()
        await starting
    assert [each.data["contact"] for each in answered] == ["Bob", "Eve"]


async def test_a_text_that_a_crash_cut_short(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """It is sent once when its number is at work again; its step begins then."""
    with patch(SENDING.format("alerts"), return_value=None):
        await alert(hass, simulator)
    await restart(hass, simulator, at_rest=True)
    await pass_at_rest(hass, simulator, freezer, 200)
    assert texts(simulator) == []
    for _ in range(2):
        await wake(hass, simulator)
        assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 200)
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 101)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]


async def test_a_call_that_a_crash_cut_short(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Whoever was to be phoned is phoned then, once."""
    with patch(CALLING, return_value=None):
        await alert(hass, simulator, steps=CALL_BOB)
    await restart(hass, simulator, at_rest=True)
    for _ in range(2):
        await wake(hass, simulator)
        assert called(simulator) == [RECIPIENT]


async def test_a_text_that_was_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """It is not sent again, and its step keeps its time."""
    await alert(hass, simulator)
    await restart(hass, simulator, at_rest=True)
    await pass_at_rest(hass, simulator, freezer, 200)
    await wake(hass, simulator)
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 101)
    assert texts(simulator) == [TO_BOB, TO_ANN]


async def test_a_bad_end_is_read_then(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """A step that has reached nobody is left when its number tells so."""
    handling = (
        "custom_components.virtual_sms.replies.alerts.AlertDesk._async_handle_call"
    )
    with patch(handling):
        await alert(hass, simulator, steps=[*CALL_BOB, {"contacts": "notify.ann"}])
        await simulator.twilio.phones.use(simulator.twilio.phones.calls[0].id, "busy")
        await settle(hass, simulator)
    await restart(hass, simulator, at_rest=True)
    assert states(events) == [("started", 1, 1)]
    await wake(hass, simulator)
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    assert texts(simulator) == [TO_ANN]


async def test_a_step_that_waits_too_long_is_left(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """While all numbers rest the steps take their time: none is used up in an instant.

    Whose step is over by then is not texted any more.
    """
    with patch(SENDING.format("alerts"), return_value=None):
        await alert(hass, simulator)
    await restart(hass, simulator, at_rest=True, seconds=3600, freezer=freezer)
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    await pass_at_rest(hass, simulator, freezer, 200)
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    assert texts(simulator) == []
    await wake(hass, simulator)
    assert texts(simulator) == [TO_ANN]


async def test_another_number_is_at_work(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    events: Events,
) -> None:
    """An alert does not wait for a number while the next step has one at work."""
    await add_contact(hass, ovh_entry, "Eve", EVE)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    steps = [{"contacts": "notify.bob"}, {"contacts": "notify.eve"}]
    await alert(hass, simulator, steps=steps)
    assert [each.to for each in simulator.ovh.messages] == [EVE]
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert texts(simulator) == []


async def test_an_alert_that_begins_while_all_rest(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """One that begins while its only number is being reloaded is sent then."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    await alert(hass, simulator)
    assert states(events) == [("started", 1, 1)]
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert texts(simulator) == [TO_BOB]


async def test_a_number_that_is_disabled_is_not_waited_for(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """What nobody will set up again reaches nobody."""
    from homeassistant.config_entries import ConfigEntryDisabler

    await hass.config_entries.async_set_disabled_by(
        twilio_entry.entry_id, ConfigEntryDisabler.USER
    )
    await alert(hass, simulator, rounds=1)
    assert states(events)[-1] == ("exhausted", 2, 1)


@pytest.mark.parametrize("is_at_rest", [True, False])
async def test_who_took_it_is_told_then(
    hass: HomeAssistant, simulator: Simulator, *, is_at_rest: bool
) -> None:
    """Whoever was alerted hears who took it, however late, and once."""
    await alert(hass, simulator)
    writing = "custom_components.virtual_sms.replies.alerts.async_is_written"
    with patch(writing, return_value=False):
        await hear(hass, simulator, RECIPIENT, "ok")
    await restart(hass, simulator, at_rest=is_at_rest)
    if is_at_rest:
        # The words are kept, over one more restart as well.
        await restart(hass, simulator, at_rest=True)
        assert texts(simulator) == [TO_BOB]
    for _ in range(2):
        await wake(hass, simulator)
        taken = (RECIPIENT, f"You have taken it: {LEAK}")
        assert texts(simulator) == [TO_BOB, taken]


async def test_a_notice_for_a_number_at_rest(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Whose number rests when somebody else takes it hears of it later."""
    await add_contact(hass, ovh_entry, "Eve", EVE)
    steps = [{"contacts": ["notify.bob", "notify.eve"]}]
    await alert(hass, simulator, steps=steps)
    assert await hass.config_entries.async_unload(ovh_entry.entry_id)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert len(simulator.ovh.messages) == 1
    assert await hass.config_entries.async_setup(ovh_entry.entry_id)
    await settle(hass, simulator)
    assert [each.text for each in simulator.ovh.messages] == [
        LEAK,
        f"Bob has taken it: {LEAK}",
    ]
    await restart(hass, simulator)
    assert len(simulator.ovh.messages) == 2


async def test_a_question_that_a_crash_cut_short(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It is asked once when the number is at work again, if it is still open."""
    with patch(SENDING.format("questions"), return_value=None):
        for message in ("Close it?", "And then?"):
            asking = ask(hass, message=message, timeout=600)
            await until_sent(hass, simulator, 0)
            asking.cancel()
    await restart(hass, simulator, at_rest=True)
    assert texts(simulator) == []
    for _ in range(2):
        await wake(hass, simulator)
        assert texts(simulator) == [(RECIPIENT, "Close it?")]
    await hear(hass, simulator, RECIPIENT, "yes")
    assert texts(simulator)[1:] == [(RECIPIENT, "And then?")]


async def test_a_question_that_is_over_by_then(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Nobody is asked what nobody waits for any more."""
    with patch(SENDING.format("questions"), return_value=None):
        asking = ask(hass, timeout=600)
        await until_sent(hass, simulator, 0)
        asking.cancel()
    await restart(hass, simulator, at_rest=True)
    await pass_at_rest(hass, simulator, freezer, 601)
    await wake(hass, simulator)
    assert texts(simulator) == []


async def test_choices_that_a_crash_cut_short(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """They are repeated once, after the restart as well."""
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    with patch(SENDING.format("questions"), return_value=None):
        await hear(hass, simulator, RECIPIENT, "what?")
    asking.cancel()
    assert len(texts(simulator)) == 1
    await restart(hass, simulator, at_rest=True)
    for _ in range(2):
        await wake(hass, simulator)
        assert [each[0] for each in texts(simulator)] == [RECIPIENT] * 2
    assert "Yes" in texts(simulator)[1][1]
    await hear(hass, simulator, RECIPIENT, "what?")
    assert len(texts(simulator)) == 2


async def test_only_its_own_number_is_waited_for(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A number that is at work again sends nothing of another's."""
    with (
        patch(SENDING.format("questions"), return_value=None),
        patch(SENDING.format("alerts"), return_value=None),
    ):
        asking = ask(hass)
        await until_sent(hass, simulator, 0)
        asking.cancel()
        await alert(hass, simulator)
    await restart(hass, simulator, at_rest=True)
    assert await hass.config_entries.async_reload(ovh_entry.entry_id)
    await settle(hass, simulator)
    assert texts(simulator) == []
    await wake(hass, simulator)
    assert sorted(texts(simulator)) == sorted([(RECIPIENT, "Close it?"), TO_BOB])
    assert OTHER_NUMBER not in dict(texts(simulator))
