"""Alerts: who is told when, who takes them, and what a restart changes: nothing."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
import voluptuous as vol

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.home_file import HOME_FILE
from custom_components.virtual_sms.replies.alerts import ALERTS

from ..alarms import hear, pass_time, restart, set_clock, texts
from ..contacts import OTHER_NUMBER, add_contact
from ..home import RECIPIENT, SENDER, listen, settle, state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import Event, HomeAssistant

    from simulator import Simulator

pytestmark = pytest.mark.usefixtures("bob", "ann")

LEAK = "Leak! Answer ok."
UNREACHABLE = "+15005551003"
REFUSED = "+15005550009"
BOB_THEN_ANN = [{"contacts": "notify.bob"}, {"contacts": "notify.ann"}]
TO_BOB, TO_ANN = (RECIPIENT, LEAK), (OTHER_NUMBER, LEAK)
type Events = list[Event[dict[str, Any]]]


@pytest.fixture
async def bob(hass: HomeAssistant, twilio_entry: ConfigEntry) -> ConfigSubentry:
    """Have Bob texted by Twilio's number, and known by two of his."""
    return await add_contact(hass, twilio_entry, numbers=[RECIPIENT, SENDER])


@pytest.fixture
async def ann(hass: HomeAssistant, twilio_entry: ConfigEntry) -> ConfigSubentry:
    """Have Ann texted by the same number; she reads French."""
    return await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER, language="fr")


@pytest.fixture
def events(hass: HomeAssistant) -> Events:
    """Hear of alerts."""
    return async_capture_events(hass, "virtual_sms_alert")


async def call(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Begin an alert, and return at once."""
    response: Any = await hass.services.async_call(
        DOMAIN,
        "alert",
        {"message": LEAK, "steps": BOB_THEN_ANN} | data,
        blocking=True,
        return_response=True,
    )
    assert set(response) == {"alert_id", "skipped"}
    return dict(response)


async def alert(hass: HomeAssistant, simulator: Simulator, **data: Any) -> str:
    """Begin an alert, and let its first texts go out."""
    response = await call(hass, **data)
    await settle(hass, simulator)
    return str(response["alert_id"])


def states(events: Events) -> list[tuple[str, int, int]]:
    """List what happened to the alerts."""
    return [
        (each.data["state"], each.data["step"], each.data["round"]) for each in events
    ]


async def test_until_somebody_takes_it(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    ann: ConfigSubentry,
    events: Events,
) -> None:
    """It goes on until somebody acknowledges; all who were told hear who that is."""
    heard = listen(hass)
    alert_id = await alert(hass, simulator, tag="leak")
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 299)
    assert len(texts(simulator)) == 1
    await pass_time(hass, simulator, freezer, 2)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    await hear(hass, simulator, OTHER_NUMBER, "Ok, j'y vais")
    assert sorted(texts(simulator)[2:]) == [
        (RECIPIENT, f"Ann has taken it: {LEAK}"),
        (OTHER_NUMBER, f"Vous vous en occupez : {LEAK}"),
    ]
    assert states(events) == [
        ("started", 1, 1),
        ("escalated", 2, 1),
        ("acknowledged", 2, 1),
    ]
    assert {each.data["alert_id"] for each in events} == {alert_id}
    assert {each.data["tag"] for each in events} == {"leak"}
    assert [each.data["contact"] for each in events] == [None, None, "Ann"]
    assert events[-1].data["contact_id"] == ann.subentry_id
    assert heard.received[0]["answer_to"] == alert_id
    await pass_time(hass, simulator, freezer, 3600)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert heard.received[1]["answer_to"] is None
    assert len(texts(simulator)) == 4
    assert len(events) == 3


async def test_nobody_takes_it(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """After the last round it is exhausted, and nothing wakes it again."""
    await alert(hass, simulator, step_after=60, rounds=2)
    for _ in range(6):
        await pass_time(hass, simulator, freezer, 61)
    assert texts(simulator) == [TO_BOB, TO_ANN, TO_BOB, TO_ANN]
    assert states(events) == [
        ("started", 1, 1),
        ("escalated", 2, 1),
        ("escalated", 1, 2),
        ("escalated", 2, 2),
        ("exhausted", 2, 2),
    ]
    await hear(hass, simulator, RECIPIENT, "ok")
    assert len(events) == 5


@pytest.mark.parametrize("number", [UNREACHABLE, REFUSED])
async def test_who_is_not_reached_is_left_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    number: str,
) -> None:
    """An undelivered step, or one that is refused, moves on at once."""
    steps = [{"to": number}, {"contacts": "notify.bob"}]
    await alert(hass, simulator, steps=steps)
    assert texts(simulator)[-1] == TO_BOB
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    await hear(hass, simulator, RECIPIENT, "1")
    assert texts(simulator)[-1] == (RECIPIENT, f"You have taken it: {LEAK}")
    assert len([each for each in texts(simulator) if each[0] == number]) <= 1


async def test_nobody_at_all(
    hass: HomeAssistant,
    simulator: Simulator,
    events: Events,
) -> None:
    """An alert that reaches nobody is exhausted at once; one for nobody is refused."""
    await alert(hass, simulator, steps=[{"to": REFUSED}], rounds=2)
    assert states(events) == [
        ("started", 1, 1),
        ("escalated", 1, 2),
        ("exhausted", 1, 2),
    ]
    with pytest.raises(ServiceValidationError, match="nobody"):
        await call(hass, steps=[{"to": "nobody"}])
    with pytest.raises(ServiceValidationError):
        await call(hass, steps=[{"contacts": []}])
    response = await call(hass, steps=[{"to": "nobody"}, {"contacts": "notify.bob"}])
    [skipped] = response["skipped"]
    assert (skipped["to"], skipped["reason"]) == ("nobody", "invalid_number")
    await settle(hass, simulator)
    assert texts(simulator) == [TO_BOB]
    assert len(events) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": []},
        {"acknowledge": []},
        {"acknowledge": [" "]},
        {"acknowledge": True},
        {"rounds": 0},
        {"step_after": 0},
    ],
)
async def test_bad_input(hass: HomeAssistant, wrong: dict[str, Any]) -> None:
    """What cannot be is refused before anybody is told."""
    with pytest.raises(vol.Invalid):
        await call(hass, **wrong)


async def test_strangers_take_nothing(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """Who was not told yet, or at all, or has not proved who they are, takes nothing."""
    await alert(hass, simulator)
    for sender in (OTHER_NUMBER, "+33655555555", "BANK"):
        await hear(hass, simulator, sender, "ok")
    with patch(
        "custom_components.virtual_sms.bus.async_identify",
        return_value={"contact": "Bob", "contact_id": None, "trust": "unproven"},
    ):
        await hear(hass, simulator, RECIPIENT, "ok")
    await hear(hass, simulator, RECIPIENT, "what?")
    assert states(events) == [("started", 1, 1)]
    assert texts(simulator) == [TO_BOB]
    await hear(hass, simulator, SENDER, "OK")
    assert states(events)[-1] == ("acknowledged", 1, 1)


async def test_two_alerts_to_one_person(
    hass: HomeAssistant, simulator: Simulator, events: Events
) -> None:
    """Each text says which answer means it; a bare word takes the oldest."""
    first = await alert(hass, simulator, message="Leak!")
    second = await alert(hass, simulator, message="Fire!")
    third = await alert(
        hass, simulator, message="Feu !", steps=[{"contacts": "notify.ann"}]
    )
    fourth = await alert(
        hass, simulator, message="Eau !", steps=[{"contacts": "notify.ann"}]
    )
    assert texts(simulator) == [
        (RECIPIENT, "Leak!"),
        (RECIPIENT, "Fire!\nAnswer: ok 2"),
        (OTHER_NUMBER, "Feu !"),
        (OTHER_NUMBER, "Eau !\nRépondre : ok 4"),
    ]
    taken = []
    for sender, text in (
        (OTHER_NUMBER, "\u200fok \u0664"),
        (OTHER_NUMBER, "ok 4"),
        (RECIPIENT, "ok"),
        (RECIPIENT, "ok"),
        (OTHER_NUMBER, "ok"),
    ):
        await hear(hass, simulator, sender, text)
        last = events[-1].data
        taken.append(last["alert_id"] if last["state"] == "acknowledged" else None)
    assert taken == [fourth, fourth, first, second, third]


@pytest.mark.parametrize("long", ["x" * 1600, "é" * 1595])
async def test_an_alert_as_long_as_a_text_may_be(
    hass: HomeAssistant, simulator: Simulator, events: Events, long: str
) -> None:
    """It arrives without what else is said there, and who took it is told with less."""
    await alert(hass, simulator, message="Leak!")
    await alert(hass, simulator, message=long)
    assert texts(simulator) == [(RECIPIENT, "Leak!"), (RECIPIENT, long)]
    for _ in range(2):
        await hear(hass, simulator, RECIPIENT, "ok")
    assert events[-1].data["state"] == "acknowledged"
    assert texts(simulator)[-1] == (
        RECIPIENT,
        f"You have taken it: {long[:160]} ...",
    )


async def test_what_was_texted_last_is_meant(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """Of an alert and a question to the same person, "ok" answers what came last."""
    import asyncio

    await alert(hass, simulator)
    freezer.tick(1)
    question = {
        "contacts": "notify.bob",
        "message": "Coffee?",
        "answers": [{"id": "yes", "sentences": ["ok"]}],
    }
    asking = asyncio.create_task(
        hass.services.async_call(
            DOMAIN, "ask", question, blocking=True, return_response=True
        )
    )
    await asyncio.sleep(0)
    await settle(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert (await asking)["answered"] is True  # type: ignore[index]
    assert len(events) == 1
    await hear(hass, simulator, RECIPIENT, "ok")
    assert states(events)[-1] == ("acknowledged", 1, 1)


async def test_canceled(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """An alert is ended by its id or its tag; an unknown id is refused, a tag is not."""

    async def cancel(**data: str) -> None:
        await hass.services.async_call(DOMAIN, "cancel_alert", data, blocking=True)
        await settle(hass, simulator)

    one = await alert(hass, simulator)
    await cancel(alert_id=one)
    await cancel(alert_id=one)
    await alert(hass, simulator, tag="leak")
    await cancel(tag="leak")
    await cancel(tag="leak")
    await cancel(tag="fire")
    with pytest.raises(ServiceValidationError, match="no such alert"):
        await cancel(alert_id="unknown")
    with pytest.raises(vol.Invalid):
        await cancel()
    await pass_time(hass, simulator, freezer, 3600)
    assert texts(simulator) == [TO_BOB, TO_BOB]
    assert [each.data["state"] for each in events] == ["started", "canceled"] * 2


@asynccontextmanager
async def being_written(
    hass: HomeAssistant,
    simulator: Simulator,
    error: Exception | None = None,
    **data: Any,
) -> AsyncIterator[None]:
    """Begin an alert whose first write takes as long as the context, or fails then."""
    desk, store, is_free = (
        hass.data[ALERTS],
        hass.data[HOME_FILE]._store,
        asyncio.Event(),
    )
    save = store.save

    async def save_later(*given: Any) -> None:
        await is_free.wait()
        if error is not None:
            raise error
        await save(*given)

    def begin_to_save(*given: Any) -> asyncio.Future[None]:
        return hass.async_create_background_task(save_later(*given), "save")

    with patch.object(store, "save", begin_to_save):
        calling = hass.async_create_background_task(call(hass, **data), "alert")
        while not desk._alerts.open:
            await asyncio.sleep(0)
        yield
        is_free.set()
        await asyncio.wait([calling])
        assert isinstance(calling.exception(), HomeAssistantError) is bool(error)
        await settle(hass, simulator)


@pytest.mark.parametrize("error", [None, sqlite3.OperationalError("disk I/O error")])
async def test_canceled_while_it_is_written(
    hass: HomeAssistant,
    simulator: Simulator,
    events: Events,
    error: Exception | None,
) -> None:
    """On a slow disk it ends as well, and nobody is told."""
    async with being_written(hass, simulator, error, tag="leak"):
        await hass.services.async_call(
            DOMAIN, "cancel_alert", {"tag": "leak"}, blocking=True
        )
    assert states(events) == [("started", 1, 1), ("canceled", 1, 1)]
    assert texts(simulator) == []


async def test_a_step_is_over_while_it_is_written(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """On a very slow disk both steps are told, and it does not go back."""
    async with being_written(hass, simulator):
        freezer.tick(301)
        hass.data[ALERTS]._async_advance()
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]
    assert sorted(texts(simulator)) == sorted([TO_BOB, TO_ANN])


async def test_what_waits_does_not_go_out_when_it_is_over(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A text that its provider has not taken is withdrawn when the alert ends."""
    simulator.faults.add("rate_limited", method="POST", path="Messages")
    alert_id = await alert(hass, simulator)
    await hass.services.async_call(
        DOMAIN, "cancel_alert", {"alert_id": alert_id}, blocking=True
    )
    await settle(hass, simulator)
    simulator.faults.clear()
    for _ in range(5):
        await pass_time(hass, simulator, freezer, 60)
    assert texts(simulator) == []
    assert state(hass, twilio_entry, "pending").state == "0"


async def test_open_alerts_are_counted(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """The device of a number shows how many alerts use it."""
    await alert(hass, simulator)
    await alert(hass, simulator)
    assert state(hass, twilio_entry, "open_alerts").state == "2"
    assert state(hass, ovh_entry, "open_alerts").state == "0"
    await hear(hass, simulator, RECIPIENT, "ok")
    assert state(hass, twilio_entry, "open_alerts").state == "1"


@pytest.mark.parametrize(
    ("privacy", "contact"), [("masked", "Bob"), ("metadata", None)]
)
async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
    privacy: str,
    contact: str | None,
) -> None:
    """The event names who took it if the number's option allows that."""
    hass.config_entries.async_update_entry(twilio_entry, options={"privacy": privacy})
    await hass.async_block_till_done()
    await alert(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert events[-1].data["contact"] == contact


async def test_a_line_that_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """Whom a number would text that was removed meanwhile is skipped."""
    steps = [
        {"contacts": "notify.bob"},
        {"to": OTHER_NUMBER, "config_entry_id": ovh_entry.entry_id},
        {"contacts": "notify.ann"},
    ]
    await alert(hass, simulator, steps=steps)
    await hass.config_entries.async_remove(ovh_entry.entry_id)
    await pass_time(hass, simulator, freezer, 301)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    assert states(events)[1:] == [("escalated", 2, 1), ("escalated", 3, 1)]


async def test_a_restart_changes_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """A step goes on where it was: nobody is told again, and nothing is fired again."""
    await alert(hass, simulator)
    await restart(hass, simulator, seconds=100, freezer=freezer)
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 150)
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 60)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    await hear(hass, simulator, RECIPIENT, "ok")
    await restart(hass, simulator, seconds=3600, freezer=freezer)
    assert len(texts(simulator)) == 4
    assert [each.data["state"] for each in events] == [
        "started",
        "escalated",
        "acknowledged",
    ]
    await restart(hass, simulator, seconds=2 * 86400, freezer=freezer)
    assert len(texts(simulator)) == 4


async def test_a_clock_that_is_set_before_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step keeps its time, however far the clock was set, and set back again."""
    await alert(hass, simulator)
    for seconds in (7200, 0, -7200, 0):
        set_clock(hass, monkeypatch, seconds)
        await pass_time(hass, simulator, freezer, 61)
        await restart(hass, simulator)
        assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 61)
    assert texts(simulator) == [TO_BOB, TO_ANN]


async def test_an_hour_away(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """A home that was away for an hour goes on by one step, not by all it has missed."""
    await alert(hass, simulator)
    await restart(hass, simulator, seconds=3600, freezer=freezer)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]


async def test_a_crash_before_anybody_was_told(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """What was planned and not sent is sent by the next run; its step begins then."""
    sending = "custom_components.virtual_sms.replies.alerts.async_send_planned"
    with patch(sending, return_value=None):
        await alert(hass, simulator)
    assert texts(simulator) == []
    await restart(hass, simulator, seconds=3600, freezer=freezer)
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 301)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]


async def test_a_crash_before_it_was_published(
    hass: HomeAssistant,
    simulator: Simulator,
    events: Events,
) -> None:
    """What is on disk, and was neither fired nor told, is so by the next run."""
    await alert(hass, simulator)
    with patch(
        "custom_components.virtual_sms.replies.alerts.async_is_written",
        return_value=False,
    ):
        await hear(hass, simulator, RECIPIENT, "ok")
    assert len(events) == 1
    await restart(hass, simulator)
    assert states(events) == [("started", 1, 1), ("acknowledged", 1, 1)]
    assert texts(simulator) == [TO_BOB, (RECIPIENT, f"You have taken it: {LEAK}")]
    await restart(hass, simulator)
    assert len(texts(simulator)) == 2


async def test_a_bad_end_that_was_missed(
    hass: HomeAssistant,
    simulator: Simulator,
    events: Events,
) -> None:
    """What became of a step's texts is read from the lines after a restart."""
    steps = [{"to": UNREACHABLE}, {"contacts": "notify.bob"}]
    with patch(
        "custom_components.virtual_sms.replies.alerts.has_ended_badly",
        return_value=False,
    ):
        await alert(hass, simulator, steps=steps)
    assert len(texts(simulator)) == 1
    await restart(hass, simulator)
    assert texts(simulator)[1:] == [TO_BOB]


async def test_a_disk_that_fails(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An alert that cannot be kept is refused; one that was begun goes on all the same."""
    await alert(hass, simulator)
    file = hass.data[HOME_FILE]
    failed: Any = sqlite3.OperationalError("disk I/O error")

    def fail(*_: object) -> Any:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(failed)
        return future

    with patch.object(file._store, "save", side_effect=fail):
        with pytest.raises(HomeAssistantError, match="disk"):
            await call(hass)
        await pass_time(hass, simulator, freezer, 301)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    assert "cannot be written" in caplog.text


async def test_a_file_that_cannot_be_opened(
    hass: HomeAssistant, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A home whose file is of another application sends and receives; alerts are refused."""
    await alert(hass, simulator)
    path = hass.data[HOME_FILE].path
    await hass.data[HOME_FILE]._store.close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    heard = listen(hass)
    await restart(hass, simulator)
    assert "cannot be opened" in caplog.text
    with pytest.raises(HomeAssistantError):
        await call(hass)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert heard.texts == ["ok"]


async def test_the_last_number_is_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """An alert that nobody can be sent any more ends, and says so."""
    await alert(hass, simulator)
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert states(events) == [("started", 1, 1), ("canceled", 1, 1)]


async def test_nothing_is_left_behind(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """With the last number goes the home's file; before, it is there only if needed."""
    path = hass.data[HOME_FILE].path
    assert not path.exists()
    await alert(hass, simulator)
    assert path.exists()
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert not path.exists()


async def test_texts_leave_the_disk(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Of an alert that has ended, and was told, no text is kept."""
    await alert(hass, simulator, message="A secret leak")
    await hear(hass, simulator, RECIPIENT, "ok")
    file = hass.data[HOME_FILE]
    await file._store.close()
    assert b"secret" not in file.path.read_bytes()
    freezer.tick(timedelta(days=2))


async def test_no_answer_to_a_number_of_the_home(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """One of our own numbers is not let know who took it: it might answer."""
    own = simulator.ovh.number
    steps = [{"to": own, "contacts": "notify.bob"}]
    line = twilio_entry.entry_id
    await alert(hass, simulator, steps=steps, config_entry_id=line)
    await hear(hass, simulator, RECIPIENT, "ok")
    assert [each[0] for each in texts(simulator)].count(own) == 1
    assert texts(simulator)[-1] == (RECIPIENT, f"You have taken it: {LEAK}")


async def test_a_number_at_rest_after_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """What a number at rest has nobody knows: its people are not texted again."""
    await alert(hass, simulator)
    with patch("custom_components.virtual_sms.lines.ConfigEntryState", autospec=True):
        await restart(hass, simulator, seconds=100, freezer=freezer)
    assert texts(simulator) == [TO_BOB]
    await pass_time(hass, simulator, freezer, 201)
    assert texts(simulator) == [TO_BOB, TO_ANN]
    assert states(events) == [("started", 1, 1), ("escalated", 2, 1)]


async def test_taken_while_the_home_starts(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    events: Events,
) -> None:
    """An alert that is taken while it is being resumed rests."""
    from custom_components.virtual_sms.replies import alerts

    await alert(hass, simulator)

    async def answer(*_: object) -> bool:
        desk = hass.data[alerts.ALERTS]
        [open_one] = desk._alerts.open
        person = open_one.messages[0].person
        desk._async_put(
            open_one.acknowledge(person, "in", open_one.began_at, lambda: "n")
        )
        return False

    with patch.object(alerts, "async_find_planned", side_effect=answer):
        await restart(hass, simulator)
    await restart(hass, simulator)
    assert [each.data["state"] for each in events] == ["started", "acknowledged"]
    assert state(hass, twilio_entry, "open_alerts").state == "0"


async def test_begun_while_the_home_starts(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    events: Events,
) -> None:
    """An alert that begins before the home has started is sent once, and goes on."""
    from custom_components.virtual_sms.replies.alerts import ALERTS

    await alert(hass, simulator)
    hass.data[ALERTS]._is_ready = False
    await alert(hass, simulator, steps=[{"to": REFUSED}, {"contacts": "notify.ann"}])
    assert texts(simulator) == [TO_BOB]
    await hass.data[ALERTS].async_resume()
    hass.data[ALERTS].async_begin()
    await settle(hass, simulator)
    assert texts(simulator) == [TO_BOB, TO_ANN]
