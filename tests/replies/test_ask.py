"""To ask people by SMS: who is asked when, who may answer, and who hears of it."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
)
import voluptuous as vol

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.replies.questions import QUESTIONS

from ..alarms import hear, pass_time, restart, set_clock, texts
from ..contacts import OTHER_NUMBER, add_contact
from ..home import RECIPIENT, SENDER, listen, refresh, settle

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import Event, HomeAssistant

    from simulator import Simulator

pytestmark = pytest.mark.usefixtures("bob", "ann")

YES_NO = [
    {"id": "yes", "sentences": ["Yes", "Oui"]},
    {"id": "no", "sentences": ["No", "Non"]},
]


@pytest.fixture
async def bob(hass: HomeAssistant, twilio_entry: ConfigEntry) -> ConfigSubentry:
    """Have Bob texted by Twilio's number, and known by two of his."""
    return await add_contact(hass, twilio_entry, numbers=[RECIPIENT, SENDER])


@pytest.fixture
async def ann(hass: HomeAssistant, twilio_entry: ConfigEntry) -> ConfigSubentry:
    """Have Ann texted by the same number; she reads French."""
    return await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER, language="fr")


def ask(hass: HomeAssistant, **data: Any) -> asyncio.Task[Any]:
    """Ask a question, and go on."""
    given = {"contacts": "notify.bob", "message": "Close it?", "answers": YES_NO}
    return asyncio.create_task(
        hass.services.async_call(
            DOMAIN, "ask", given | data, blocking=True, return_response=True
        )
    )


async def until_sent(hass: HomeAssistant, simulator: Simulator, count: int) -> None:
    """Let all happen that follows, and expect so many texts."""
    await asyncio.sleep(0)
    await settle(hass, simulator)
    assert len(simulator.twilio.messages) == count


@pytest.fixture
def answered(hass: HomeAssistant) -> list[Event[dict[str, Any]]]:
    """Hear of answers."""
    return async_capture_events(hass, "virtual_sms_answered")


async def test_answer(
    hass: HomeAssistant,
    simulator: Simulator,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """The first answer that is a choice ends the question, and is told by whom it is."""
    heard = listen(hass)
    asking = ask(hass, contacts=["notify.bob", "notify.ann"], tag="gar\x00age")
    await until_sent(hass, simulator, 2)
    await hear(hass, simulator, SENDER, "OUI, tout de suite !")
    response = await asking
    assert response["answered"] is True
    assert response["answer_id"] == "yes"
    assert response["text"] == "OUI, tout de suite !"
    assert (response["contact"], response["contact_id"]) == ("Bob", bob.subentry_id)
    assert response["number"] == SENDER
    [received] = heard.received
    assert response["message_id"] == received["message_id"]
    assert response["received_at"] == received["received_at"]
    assert [(each["to"], each["contact"]) for each in response["recipients"]] == [
        (RECIPIENT, "Bob"),
        (OTHER_NUMBER, "Ann"),
    ]
    assert {each["status"] for each in response["recipients"]} <= {
        "queued",
        "sent",
        "delivered",
    }
    assert {each["line"] for each in response["recipients"]} == {twilio_entry.entry_id}
    [event] = answered
    assert event.data["tag"] == "gar\ufffdage"
    assert event.data["question_id"] == received["answer_to"]
    assert event.data["attended"] is True
    assert {key: event.data[key] for key in response} == response
    await hear(hass, simulator, OTHER_NUMBER, "non")
    assert heard.received[-1]["answer_to"] is None
    assert len(answered) == 1


async def test_time_is_up(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """A timeout is an answer like any other; what comes later is an ordinary message."""
    heard = listen(hass)
    asking = ask(hass, timeout=60)
    await until_sent(hass, simulator, 1)
    await pass_time(hass, simulator, freezer, 59)
    assert not asking.done()
    await pass_time(hass, simulator, freezer, 2)
    response = await asking
    assert response["answered"] is False
    assert response["answer_id"] is response["text"] is response["contact"] is None
    assert [each["contact"] for each in response["recipients"]] == ["Bob"]
    await hear(hass, simulator, RECIPIENT, "yes")
    assert heard.received[-1]["answer_to"] is None
    assert not answered


async def test_nobody_can_be_asked(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Where nobody can be asked it raises; else it says who could not."""
    line = twilio_entry.entry_id
    with pytest.raises(ServiceValidationError, match="nobody"):
        await ask(hass, contacts=[], to=["nobody"])
    with pytest.raises(ServiceValidationError):
        await ask(hass, contacts=[])
    with pytest.raises(HomeAssistantError, match="15005550009"):
        await ask(hass, contacts=[], to=["+15005550009"], config_entry_id=line)
    with pytest.raises(HomeAssistantError, match="15005551003"):
        await ask(hass, contacts=[], to=["+15005551003"], config_entry_id=line)
    asking = ask(hass, to=["+15005550009", "nobody"])
    await until_sent(hass, simulator, 2)
    await hear(hass, simulator, RECIPIENT, "no")
    response = await asking
    assert response["answer_id"] == "no"
    found = {each["to"]: each.get("reason") for each in response["recipients"]}
    assert found == {
        RECIPIENT: None,
        "+15005550009": "landline",
        "nobody": "invalid_number",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"answers": []},
        {"answers": [{"id": "a", "sentences": []}]},
        {"answers": [{"id": "a", "sentences": [True]}]},
        {"answers": [{"id": False, "sentences": ["no"]}]},
        {"answers": [{"id": "a", "sentences": ["?"]}, {"id": "b", "sentences": [" "]}]},
        {"timeout": {"hours": 24, "seconds": 1}},
    ],
)
async def test_bad_input(hass: HomeAssistant, wrong: dict[str, Any]) -> None:
    """What can never be answered is refused, such as a yes that YAML reads as true."""
    with pytest.raises(vol.Invalid):
        await ask(hass, **wrong)


async def test_a_stranger_does_not_answer(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Who was not asked answers nothing, whatever they write."""
    heard = listen(hass)
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    for sender in (OTHER_NUMBER, "+33655555555", "BANK"):
        await hear(hass, simulator, sender, "yes")
    assert not asking.done()
    assert {each["answer_to"] for each in heard.received} == {None}
    assert len(simulator.twilio.messages) == 1
    await hear(hass, simulator, RECIPIENT, "yes")
    assert (await asking)["contact"] == "Bob"


@pytest.mark.parametrize("trust", ["unproven", "locked"])
async def test_who_has_a_code_must_prove_it(
    hass: HomeAssistant, simulator: Simulator, trust: str
) -> None:
    """A message without the code of someone who has one answers nothing."""
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    with patch(
        "custom_components.virtual_sms.bus.async_identify",
        return_value={"contact": "Bob", "contact_id": None, "trust": trust},
    ):
        await hear(hass, simulator, RECIPIENT, "yes")
    assert not asking.done()
    assert len(simulator.twilio.messages) == 1
    await hear(hass, simulator, RECIPIENT, "yes")
    await asking


async def test_choices_once_more(hass: HomeAssistant, simulator: Simulator) -> None:
    """What means none of the choices hears them once more, in the writer's language."""
    heard = listen(hass)
    asking = ask(hass, contacts=["notify.bob", "notify.ann"])
    await until_sent(hass, simulator, 2)
    for text in ("what?", "why?"):
        await hear(hass, simulator, RECIPIENT, text)
        await hear(hass, simulator, OTHER_NUMBER, text)
    assert texts(simulator)[2:] == [
        (RECIPIENT, "Please answer: Yes / No"),
        (OTHER_NUMBER, "Veuillez répondre : Yes / No"),
    ]
    assert {each["answer_to"] for each in heard.received} == {None}
    await hear(hass, simulator, RECIPIENT, "no")
    assert (await asking)["answer_id"] == "no"


async def test_one_question_at_a_time(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The second question to somebody waits for the first; its time runs meanwhile."""
    first = ask(hass, message="First?", timeout=600)
    await until_sent(hass, simulator, 1)
    freezer.tick(1)
    second = ask(hass, message="Second?", contacts=["notify.bob", "notify.ann"])
    third = ask(hass, message="Third?", timeout=30)
    await until_sent(hass, simulator, 2)
    await settle(hass, simulator)
    assert texts(simulator) == [(RECIPIENT, "First?"), (OTHER_NUMBER, "Second?")]
    await pass_time(hass, simulator, freezer, 31)
    expired = await third
    assert expired["answered"] is False
    assert expired["recipients"][0]["status"] == "waiting"
    await hear(hass, simulator, RECIPIENT, "yes")
    assert (await first)["answered"] is True
    await settle(hass, simulator)
    assert texts(simulator)[2:] == [(RECIPIENT, "Second?")]
    await hear(hass, simulator, RECIPIENT, "no")
    assert (await second)["answer_id"] == "no"


async def test_a_caller_that_goes_leaves_its_question(
    hass: HomeAssistant,
    simulator: Simulator,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """A cancelled automation leaves the question open; its answer is still an event."""
    heard = listen(hass)
    asking = ask(hass, tag="garage")
    await until_sent(hass, simulator, 1)
    asking.cancel()
    await asyncio.wait([asking])
    await hear(hass, simulator, RECIPIENT, "yes")
    [event] = answered
    assert event.data["tag"] == "garage"
    assert event.data["attended"] is False
    assert event.data["question_id"] == heard.received[0]["answer_to"]


@pytest.mark.parametrize(
    ("privacy", "number", "text", "contact"),
    [("masked", "+33…78", "…", "Bob"), ("metadata", None, None, None)],
)
async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    answered: list[Event[dict[str, Any]]],
    privacy: str,
    number: str | None,
    text: str | None,
    contact: str | None,
) -> None:
    """The event tells no more than the number's option allows; the caller hears all."""
    hass.config_entries.async_update_entry(twilio_entry, options={"privacy": privacy})
    await hass.async_block_till_done()
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    await hear(hass, simulator, RECIPIENT, "yes")
    assert (await asking)["text"] == "yes"
    [event] = answered
    shown = [event.data[key] for key in ("number", "text", "contact")]
    assert shown == [number, text, contact]
    [recipient] = event.data["recipients"]
    assert (recipient["to"], recipient["contact"]) == (number, contact)


async def test_privacy_of_another_number(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """Who was asked by a number that tells nothing is not told of by the other's event."""
    await add_contact(hass, ovh_entry, "Eve", "+33611223344")
    hass.config_entries.async_update_entry(ovh_entry, options={"privacy": "metadata"})
    await hass.async_block_till_done()
    asking = ask(hass, contacts=["notify.bob", "notify.eve"])
    await until_sent(hass, simulator, 1)
    await hear(hass, simulator, RECIPIENT, "yes")
    assert [each["contact"] for each in (await asking)["recipients"]] == ["Bob", "Eve"]
    [event] = answered
    shown = [(each["to"], each["contact"]) for each in event.data["recipients"]]
    assert shown == [(RECIPIENT, "Bob"), (None, None)]


async def test_an_answer_older_than_the_question(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is found after a gap, and was written before the question, is no answer."""
    heard = listen(hass)
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    received = twilio_entry.runtime_data.gateway._publisher
    for minutes, is_answer in ((-5, False), (1, True)):
        received.publish([late(minutes)])
        await settle(hass, simulator)
        assert (heard.received[-1]["answer_to"] is not None) is is_answer
    assert (await asking)["answered"] is True


def late(minutes: float) -> Any:
    """Make a message that was found after a gap."""
    from homeassistant.util import dt as dt_util

    from custom_components.virtual_sms.adapters.models import InboundMessage
    from custom_components.virtual_sms.store.changes import Received

    message = InboundMessage(
        message_id=f"late{minutes}",
        number=None,
        sender=RECIPIENT,
        text="yes",
        received_at=dt_util.utcnow() + timedelta(minutes=minutes),
    )
    return Received(message=message, late=True)


async def test_a_message_that_is_published_again(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """The same message answers the same question, and is not taken a second time."""
    heard = listen(hass)
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    publisher = twilio_entry.runtime_data.gateway._publisher
    for _ in range(2):
        publisher.publish([late(0)])
        await settle(hass, simulator)
    await asking
    first, second = heard.received
    assert first["answer_to"] == second["answer_to"] is not None
    assert len(answered) == 1


async def test_an_answer_after_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """A question outlives its home: nobody is asked again, and its answer is an event."""
    asking = ask(hass, tag="garage", contacts=["notify.bob", "notify.ann"])
    await until_sent(hass, simulator, 2)
    asking.cancel()
    await restart(hass, simulator)
    assert len(simulator.twilio.messages) == 2
    await hear(hass, simulator, RECIPIENT, "yes")
    [event] = answered
    assert (event.data["tag"], event.data["answer_id"]) == ("garage", "yes")
    assert event.data["attended"] is False
    await restart(hass, simulator)
    assert len(answered) == 1
    assert len(simulator.twilio.messages) == 2


async def test_a_crash_before_the_question_left(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """What was planned and not sent is sent after a restart, once; time goes on."""
    sending = "custom_components.virtual_sms.replies.questions.async_send_planned"
    with patch(sending, return_value=None):
        asking = ask(hass, timeout=600)
        await until_sent(hass, simulator, 0)
        asking.cancel()
    await restart(hass, simulator)
    assert texts(simulator) == [(RECIPIENT, "Close it?")]
    await restart(hass, simulator, seconds=601, freezer=freezer)
    await hear(hass, simulator, RECIPIENT, "yes")
    assert len(simulator.twilio.messages) == 1
    assert not answered
    await restart(hass, simulator, seconds=2 * 86400, freezer=freezer)


async def test_a_crash_before_the_answer_was_published(
    hass: HomeAssistant,
    simulator: Simulator,
    answered: list[Event[dict[str, Any]]],
) -> None:
    """An answer that is on disk is published by the next run."""
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    with patch(
        "custom_components.virtual_sms.replies.questions.async_is_written",
        return_value=False,
    ):
        await hear(hass, simulator, RECIPIENT, "yes")
    asking.cancel()
    assert not answered
    await restart(hass, simulator)
    [event] = answered
    assert event.data["answer_id"] == "yes"


async def test_a_question_that_could_not_be_written(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What a crash kept from the disk is not sent by this run, but by the next."""
    written = "custom_components.virtual_sms.replies.questions.async_is_written"
    with patch(written, return_value=False):
        asking = ask(hass)
        await until_sent(hass, simulator, 0)
        asking.cancel()
    await restart(hass, simulator)
    assert texts(simulator) == [(RECIPIENT, "Close it?")]
    with patch(written, return_value=False):
        await hear(hass, simulator, RECIPIENT, "what?")
    await hear(hass, simulator, RECIPIENT, "what?")
    assert len(texts(simulator)) == 1


async def test_no_choices_for_a_number_of_the_home(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """One of our own numbers hears no choices: it might answer for ever."""
    own = simulator.ovh.number
    asking = ask(hass, contacts=[], to=own, config_entry_id=twilio_entry.entry_id)
    await until_sent(hass, simulator, 1)
    await hear(hass, simulator, own, "what?")
    assert len(texts(simulator)) == 1
    await hear(hass, simulator, own, "yes")
    assert (await asking)["answer_id"] == "yes"


async def test_an_answer_before_everybody_was_asked(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A question that is closed is sent to nobody any more."""
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    desk = hass.data[QUESTIONS]
    [question] = desk._questions.open
    await hear(hass, simulator, RECIPIENT, "yes")
    await asking
    await desk._async_hand_over(question, question.recipients[0])
    await settle(hass, simulator)
    assert len(texts(simulator)) == 1


async def test_the_first_question_after_the_clock_was_set(
    hass: HomeAssistant, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that starts with a wrong clock, put right later, gives its whole time."""
    set_clock(hass, monkeypatch, 7200)
    asking = ask(hass, timeout=60)
    await until_sent(hass, simulator, 1)
    await hear(hass, simulator, RECIPIENT, "yes")
    assert (await asking)["answer_id"] == "yes"


@pytest.mark.parametrize("seconds", [7200, -7200])
async def test_an_answer_after_a_gap_in_a_home_with_a_wrong_clock(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
) -> None:
    """What was written before the question is no answer, and what came after it is."""
    set_clock(hass, monkeypatch, seconds)
    simulator.twilio.receive(RECIPIENT, "yes", callback=False)
    simulator.clock_offset = 300
    asking = ask(hass)
    await until_sent(hass, simulator, 1)
    simulator.twilio.receive(RECIPIENT, "no", callback=False)
    await refresh(hass, simulator, twilio_entry)
    assert (await asking)["answer_id"] == "no"


async def test_the_last_number_is_removed(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nobody waits for an answer that cannot come."""
    asking = ask(hass, timeout=86400)
    await until_sent(hass, simulator, 1)
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert (await asking)["answered"] is False
