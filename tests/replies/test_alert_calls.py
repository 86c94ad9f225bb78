"""Alarms that phone: who is called, who takes it by a key, and whom nobody reaches."""

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.replies.alerts import ALERTS
from simulator import Quirk

from ..actions.test_calls import BUSY, PRESSES_1, SILENT, VOICEMAIL
from ..alarms import hear, pass_time, restart, texts
from ..contacts import OTHER_NUMBER, add_contact
from ..fakes import FullDisk
from ..home import RECIPIENT, settle
from .test_alert import LEAK, alert, ann, bob, events, states

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator
    from simulator.twilio.models import Call

    from .test_alert import Events

__all__ = ["ann", "bob", "events"]

pytestmark = pytest.mark.usefixtures("bob", "ann")

CALL_BOB = [{"contacts": "notify.bob", "call": True}]
CALL_BOB_THEN_ANN = [*CALL_BOB, {"contacts": "notify.ann", "call": True}]
FAILS = "+15005553012"
COUNTRY = "+15005550003"


def calls(simulator: Simulator) -> list[Call]:
    """List the calls at the provider, the oldest first."""
    return simulator.twilio.phones.calls


def called(simulator: Simulator) -> list[str]:
    """List who was called."""
    return [each.to for each in calls(simulator)]


async def use(
    hass: HomeAssistant, simulator: Simulator, *acts: str, call: int = -1
) -> None:
    """Have somebody use their phone, such as `answer`, `press 1`, `hang_up`."""
    for act in acts:
        do, _, digits = act.partition(" ")
        await simulator.twilio.phones.use(calls(simulator)[call].id, do, digits)
    await settle(hass, simulator)


async def test_a_key_takes_it(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    ann: ConfigSubentry,
    events: Events,
) -> None:
    """A step phones its people in their language; a key rests it, and all hear whose.

    It is texted to everybody who was alerted before, and nobody is phoned any more.
    """
    steps = [{"contacts": "notify.bob"}, {"contacts": "notify.ann", "call": True}]
    await alert(hass, simulator, steps=steps)
    await pass_time(hass, simulator, freezer, 301)
    assert called(simulator) == [OTHER_NUMBER]
    await use(hass, simulator, "answer", "press 1")
    assert calls(simulator)[0].heard == [
        *[f"{LEAK} Appuyez sur 1 pour confirmer."] * 2,
        "Merci. Au revoir.",
    ]
    assert set(calls(simulator)[0].languages) == {"fr-FR"}
    assert sorted(texts(simulator)[1:]) == [
        (RECIPIENT, f"Ann has taken it: {LEAK}"),
        (OTHER_NUMBER, f"Vous vous en occupez : {LEAK}"),
    ]
    assert [each.data["state"] for each in events] == [
        "started",
        "escalated",
        "acknowledged",
    ]
    assert events[-1].data["contact"] == "Ann"
    assert events[-1].data["contact_id"] == ann.subentry_id
    await pass_time(hass, simulator, freezer, 3600)
    assert (len(calls(simulator)), len(texts(simulator)), len(events)) == (1, 3, 3)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (BUSY, "busy"),
        (SILENT, "no_answer"),
        (FAILS, "failed"),
        (VOICEMAIL, "not_acknowledged"),
        (COUNTRY, "other"),
    ],
)
async def test_a_call_that_nobody_takes_is_left_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    number: str,
    reason: str,
) -> None:
    """Busy, silent, failed, or answered without the key: the next step begins at once.

    A voicemail acknowledges nothing. The event says who was not reached, and why.
    """
    steps = [{"to": number, "call": True}, {"contacts": "notify.bob"}]
    await alert(hass, simulator, steps=steps, config_entry_id=twilio_entry.entry_id)
    assert texts(simulator) == [(RECIPIENT, LEAK)]
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    assert [each.data["not_reached"] for each in events] == [
        [],
        [
            {
                "contact": None,
                "contact_id": None,
                "recipient": number,
                "reason": reason,
            }
        ],
    ]


async def test_a_step_waits_while_somebody_can_answer(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """One who is busy does not end a step in which another phone rings."""
    steps = [{"contacts": "notify.bob", "to": BUSY, "call": True}]
    await alert(hass, simulator, steps=steps, rounds=1)
    assert set(called(simulator)) == {RECIPIENT, BUSY}
    assert states(events) == [("started", 1, 1)]
    ringing = called(simulator).index(RECIPIENT)
    await use(hass, simulator, "answer", "press 5", call=ringing)
    assert states(events) == [("started", 1, 1)]
    await use(hass, simulator, "hang_up", call=ringing)
    assert states(events) == [("started", 1, 1), ("exhausted", 1, 1)]
    left = [each["recipient"] for each in events[-1].data["not_reached"]]
    assert sorted(left) == sorted([RECIPIENT, BUSY])


async def test_who_listened_hears_who_took_it(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whoever was called and answered is told, even without a key; a busy one is not."""
    steps = [
        {"to": [VOICEMAIL, BUSY], "call": True},
        {"contacts": "notify.bob", "call": True},
    ]
    await alert(hass, simulator, steps=steps, config_entry_id=twilio_entry.entry_id)
    await use(hass, simulator, "answer", "press 1")
    assert sorted(texts(simulator)) == [
        (VOICEMAIL, f"Bob has taken it: {LEAK}"),
        (RECIPIENT, f"You have taken it: {LEAK}"),
    ]


async def test_the_key_is_one_of_the_words(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """With words of one's own the first digit among them is the key, else it is 1."""
    await alert(hass, simulator, steps=CALL_BOB, acknowledge=["done", "7"])
    await use(hass, simulator, "answer", "press 1")
    assert "Press 7" in calls(simulator)[0].heard[0]
    assert states(events) == [("started", 1, 1)]
    await use(hass, simulator, "press 7")
    assert states(events)[-1][0] == "acknowledged"
    await alert(hass, simulator, steps=CALL_BOB, acknowledge=["ok"])
    await use(hass, simulator, "answer")
    assert "Press 1" in calls(simulator)[1].heard[0]
    await use(hass, simulator, "press 1")


async def test_a_text_takes_a_call(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """Who was phoned may answer by SMS as well."""
    await alert(hass, simulator, steps=CALL_BOB)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert states(events) == [("started", 1, 1), ("acknowledged", 1, 1)]
    assert texts(simulator) == [(RECIPIENT, f"You have taken it: {LEAK}")]
    # It rings no more: there is nothing to answer.
    await use(hass, simulator, "answer", "press 1")
    assert calls(simulator)[0].status == "canceled"
    assert len(events) == 2


CALL_BOTH = [{"contacts": ["notify.bob", "notify.ann"], "call": True}]


async def _cancel(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        DOMAIN, "cancel_alert", {"tag": "leak"}, blocking=True
    )


@pytest.mark.parametrize("end", ["acknowledged", "canceled", "exhausted"])
async def test_a_phone_that_rings_is_stopped(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
    end: str,
) -> None:
    """Once it is over no phone rings for it, and the call says so as any other.

    Somebody else has taken it, it was canceled, or nobody had the time to answer.
    """
    ends = async_capture_events(hass, "virtual_sms_call")
    more = {"tag": "leak", "rounds": 1}
    await alert(hass, simulator, steps=CALL_BOTH, step_after={"seconds": 20}, **more)
    rings = called(simulator).index(RECIPIENT)
    if end == "acknowledged":
        await use(hass, simulator, "answer", "press 1", call=1 - rings)
    elif end == "canceled":
        await _cancel(hass)
    else:
        await pass_time(hass, simulator, freezer, 21)
    await settle(hass, simulator)
    assert states(events)[-1][0] == end
    call = calls(simulator)[rings]
    assert (call.status, call.heard) == ("canceled", [])
    seen = [
        each.data["state"]
        for each in ends
        if each.data["correspondent"] == RECIPIENT and each.data["contact"] == "Bob"
    ]
    assert seen == ["queued", "ringing", "canceled"]


@pytest.mark.parametrize("end", ["acknowledged", "canceled"])
async def test_who_listens_hears_it_to_its_end(
    hass: HomeAssistant, simulator: Simulator, events: Events, end: str
) -> None:
    """A phone does not go dead in the middle of an alarm; who took it comes by SMS."""
    await alert(hass, simulator, steps=CALL_BOTH, tag="leak")
    listens = called(simulator).index(RECIPIENT)
    await use(hass, simulator, "answer", call=listens)
    if end == "acknowledged":
        await use(hass, simulator, "answer", "press 1", call=1 - listens)
        assert (RECIPIENT, f"Ann has taken it: {LEAK}") in texts(simulator)
    else:
        await _cancel(hass)
        await settle(hass, simulator)
    call = calls(simulator)[listens]
    assert call.status == "in-progress"
    await use(hass, simulator, "press 1", call=listens)
    assert call.heard[-1] == "Thank you. Goodbye."
    assert call.status == "completed"
    assert states(events)[-1][0] == end
    assert len(events) == 2


@pytest.mark.parametrize("fault", ["server_error", "rate_limited", "garbage"])
async def test_a_phone_that_cannot_be_stopped_harms_nothing(
    hass: HomeAssistant, simulator: Simulator, events: Events, fault: str
) -> None:
    """The alert has ended all the same, everybody hears of it, once, and no text stays."""
    await alert(hass, simulator, steps=CALL_BOTH)
    simulator.faults.add(fault, provider="twilio", path=r"/Calls/CA\w+\.json")
    await hear(hass, simulator, RECIPIENT, "ok")
    assert [each.data["state"] for each in events] == ["started", "acknowledged"]
    assert sorted(texts(simulator)) == [
        (RECIPIENT, f"You have taken it: {LEAK}"),
        (OTHER_NUMBER, f"Bob s'en occupe : {LEAK}"),
    ]
    assert {each.status for each in calls(simulator)} == {"ringing"}
    assert [each.plan.text for each in hass.data[ALERTS]._alerts.everything] == [""]
    simulator.faults.clear()
    await use(hass, simulator, "silent", call=0)
    await use(hass, simulator, "silent", call=1)
    assert len(events) == 2


async def test_a_phone_is_stopped_after_a_crash(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An alert that was taken just before a crash lets no phone ring after it."""
    await alert(hass, simulator, steps=CALL_BOTH)
    ending = "custom_components.virtual_sms.replies.alerts.AlertDesk._async_follow"
    with patch(ending):
        await hear(hass, simulator, RECIPIENT, "ok")
    assert {each.status for each in calls(simulator)} == {"ringing"}
    await restart(hass, simulator)
    assert {each.status for each in calls(simulator)} == {"canceled"}


async def test_a_line_that_cannot_call_texts(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    events: Events,
) -> None:
    """Whom OVHcloud would have to phone is texted instead, once."""
    await add_contact(hass, ovh_entry, "Eve", "+33600000009")
    await alert(hass, simulator, steps=[{"contacts": "notify.eve", "call": True}])
    assert [each.text for each in simulator.ovh.messages] == [LEAK]
    assert calls(simulator) == []
    await restart(hass, simulator)
    assert len(simulator.ovh.messages) == 1
    assert states(events) == [("started", 1, 1)]


async def test_a_full_disk_texts(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    events: Events,
) -> None:
    """A call that cannot be written down is not made, and the alarm gets there all the same."""
    disk = FullDisk(monkeypatch)
    await alert(hass, simulator, steps=CALL_BOB_THEN_ANN)
    disk.is_full = True
    await pass_time(hass, simulator, freezer, 301)
    assert called(simulator) == [RECIPIENT]
    assert texts(simulator) == [(OTHER_NUMBER, LEAK)]
    disk.is_full = False
    assert states(events)[-1] == ("escalated", 2, 1)


@pytest.mark.parametrize("mode", ["polling"])
async def test_a_line_without_callbacks_texts(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A home that would never learn of the key texts."""
    await alert(hass, simulator, steps=CALL_BOB)
    assert texts(simulator) == [(RECIPIENT, LEAK)]
    assert calls(simulator) == []


async def test_two_alerts_to_one_person(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """The key takes the alert that the call is about, and leaves the other one."""
    for message in ("Fire", "Flood"):
        await alert(hass, simulator, steps=CALL_BOB, message=message)
    await use(hass, simulator, "answer", "press 1")
    assert [each.data["state"] for each in events] == ["started"] * 2 + ["acknowledged"]
    assert events[-1].data["alert_id"] == events[1].data["alert_id"]
    await use(hass, simulator, "answer", "press 1", call=0)
    assert events[-1].data["alert_id"] == events[0].data["alert_id"]
    # Of what is over nothing is remembered that was under way.
    desk = hass.data[ALERTS]
    assert (desk._begun, desk._waiting) == (set(), set())


async def test_several_steps_and_rounds_phone_once_each(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """Each step of each round phones its people once, then nobody is left."""
    await alert(hass, simulator, steps=CALL_BOB_THEN_ANN, rounds=2)
    for _ in range(4):
        await pass_time(hass, simulator, freezer, 301)
    assert called(simulator) == [RECIPIENT, OTHER_NUMBER] * 2
    assert states(events)[-1] == ("exhausted", 2, 2)
    assert texts(simulator) == []


async def test_skipped_in_a_step(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    bob: ConfigSubentry,
) -> None:
    """Who is locked, opted out or over a limit is skipped, which the event says."""
    from custom_components.virtual_sms.people.trust import async_trust

    simulator.twilio.receive(OTHER_NUMBER, "STOP")
    await settle(hass, simulator)
    data = {**bob.data, "may_command": True}
    hass.config_entries.async_update_subentry(twilio_entry, bob, data=data)
    async_trust(hass)._memory.lock(bob.subentry_id)
    line = {"config_entry_id": twilio_entry.entry_id}
    for _ in range(10):
        await hass.services.async_call(
            DOMAIN,
            "call",
            {**line, "to": BUSY, "message": "Hello", "critical": True},
            blocking=True,
        )
    await settle(hass, simulator)
    everybody = {"contacts": ["notify.bob", "notify.ann"], "to": BUSY, "call": True}
    steps = [everybody, {"contacts": "notify.bob"}, {"to": PRESSES_1, "call": True}]
    await alert(hass, simulator, steps=steps, **line)
    first, second = events[1], events[2]
    reasons = {each["recipient"]: each["reason"] for each in first.data["not_reached"]}
    assert reasons == {RECIPIENT: "locked", OTHER_NUMBER: "opted_out", BUSY: "limited"}
    assert [each["reason"] for each in second.data["not_reached"]] == ["locked"]
    assert states(events)[-1] == ("acknowledged", 3, 1)
    assert called(simulator)[10:] == [PRESSES_1]


@pytest.mark.parametrize(
    ("privacy", "shown"),
    [("masked", ("Bob", "+33…78")), ("metadata", (None, None))],
)
async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    privacy: str,
    shown: tuple[str | None, str | None],
) -> None:
    """The event names who was not reached as far as their number's option allows."""
    hass.config_entries.async_update_entry(twilio_entry, options={"privacy": privacy})
    await hass.async_block_till_done()
    await alert(hass, simulator, steps=CALL_BOB, rounds=1)
    await use(hass, simulator, "busy")
    [left] = events[-1].data["not_reached"]
    assert (left["contact"], left["recipient"]) == shown
    assert left["reason"] == "busy"


async def test_forged_late_and_repeated_callbacks(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """A forged key takes nothing; one after the end of the call neither; twice is once."""
    await alert(hass, simulator, steps=CALL_BOB_THEN_ANN)
    phones, first = simulator.twilio.phones, calls(simulator)[0]
    simulator.twilio.quirks = {Quirk.FORGED}
    await phones.use(first.id, "answer")
    action = first.action
    await phones.use(first.id, "press", "1")
    assert simulator.callbacks[-1].status == 403
    simulator.twilio.quirks = set()
    await phones.repeat(first.id, CallStatus="completed")
    await settle(hass, simulator)
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    # The key of a call that has ended is late: the next step has begun.
    first.action = action
    first.status = "in-progress"
    await phones.use(first.id, "press", "1")
    await phones.repeat(first.id, CallStatus="busy")
    await settle(hass, simulator)
    assert len(events) == 2
    simulator.twilio.quirks = {Quirk.DUPLICATED}
    await use(hass, simulator, "answer", "press 1")
    second = calls(simulator)[-1]
    await phones.repeat(second.id, CallStatus="completed")
    await settle(hass, simulator)
    assert states(events)[2:] == [("acknowledged", 2, 1)]
    assert called(simulator) == [RECIPIENT, OTHER_NUMBER]
    heard = [each for each in texts(simulator) if "taken" in each[1]]
    assert len(heard) == len(set(heard))


async def test_a_restart_phones_nobody_again(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """A call that was made goes on, and its key is taken after the restart."""
    await alert(hass, simulator, steps=CALL_BOB_THEN_ANN)
    await restart(hass, simulator, seconds=100, freezer=freezer)
    assert called(simulator) == [RECIPIENT]
    await use(hass, simulator, "answer", "press 1")
    assert states(events) == [("started", 1, 1), ("acknowledged", 1, 1)]


async def test_a_crash_before_anybody_was_phoned(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """Who was to be phoned is phoned by the next run, once."""
    calling = "custom_components.virtual_sms.replies.alerts.async_call_planned"
    with patch(calling, return_value=None):
        await alert(hass, simulator, steps=CALL_BOB)
    assert called(simulator) == []
    for _ in range(2):
        await restart(hass, simulator)
        assert called(simulator) == [RECIPIENT]
    assert texts(simulator) == []
    assert states(events) == [("started", 1, 1)]


@pytest.mark.parametrize(
    ("acts", "state", "phoned"),
    [
        (("answer", "press 1"), "acknowledged", [RECIPIENT]),
        (("busy",), "escalated", [RECIPIENT, OTHER_NUMBER]),
    ],
)
async def test_an_end_that_was_missed(
    hass: HomeAssistant,
    simulator: Simulator,
    events: Events,
    acts: tuple[str, ...],
    state: str,
    phoned: list[str],
) -> None:
    """What became of a step's calls is read from the lines after a restart.

    A key that was thanked for takes the alert, though the call has ended since.
    """
    handling = (
        "custom_components.virtual_sms.replies.alerts.AlertDesk._async_handle_call"
    )
    with patch(handling):
        await alert(hass, simulator, steps=CALL_BOB_THEN_ANN)
        await use(hass, simulator, *acts)
    assert states(events) == [("started", 1, 1)]
    await restart(hass, simulator)
    assert [each.data["state"] for each in events] == ["started", state]
    assert called(simulator) == phoned
    await restart(hass, simulator)
    assert (len(events), called(simulator)) == (2, phoned)


async def test_a_text_that_is_too_long_to_speak(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What no call can say is texted."""
    from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter

    with patch.object(TwilioAdapter, "check_call", side_effect=_too_long()):
        await alert(hass, simulator, steps=CALL_BOB)
    assert texts(simulator) == [(RECIPIENT, LEAK)]
    assert calls(simulator) == []


def _too_long() -> Exception:
    from custom_components.virtual_sms.adapters.errors import MessageRejectedError

    return MessageRejectedError()
