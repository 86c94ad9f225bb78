"""The test text to a new contact, which ends the set-up of a number."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.virtual_sms.adapters.call_models import CallState, Direction
from custom_components.virtual_sms.adapters.models import DeliveryStatus
from custom_components.virtual_sms.flows import contact_check
from custom_components.virtual_sms.people.contacts import async_directory
from custom_components.virtual_sms.store.changes import (
    CallChanged,
    Received,
    StatusChanged,
)

from ..contacts import add_contact, fill_in, find
from ..fakes import START, inbound
from ..home import RECIPIENT, SENDER, listen, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.config_entries import ConfigEntry, SubentryFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

CALLED = CallChanged(
    call_id="c",
    provider_id=None,
    direction=Direction.INBOUND,
    correspondent=SENDER,
    state=CallState.RINGING,
    previous=None,
    at=START,
)
OF_ANOTHER = StatusChanged(
    message_id="m",
    provider_id=None,
    recipient=SENDER,
    status=DeliveryStatus.FAILED,
    previous=DeliveryStatus.QUEUED,
    at=START,
)
FAILS_AT_OVH = "+33600000105"
TEXT = "This is a test of {} in Home Assistant. Please answer OK."


async def begin(
    hass: HomeAssistant, entry: ConfigEntry, *numbers: str, **typed: Any
) -> SubentryFlowResult:
    """Add Bob, and have a test text sent to him."""
    typed = {"name": "Bob", "numbers": list(numbers or [RECIPIENT])} | typed
    result = await fill_in(hass, entry, send_test=True, **typed)
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    return result


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition: a home whose test is under way does not come to rest."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def sent(simulator: Simulator, entry: ConfigEntry) -> Any:
    """Wait until the test text is with the provider, and return it."""
    provider = simulator.providers[entry.data["provider"]]
    await until(lambda: provider.messages)
    return provider.messages[-1]


async def outcome(
    hass: HomeAssistant, simulator: Simulator, flow: SubentryFlowResult
) -> SubentryFlowResult:
    """Wait until the test is over, and return what the window shows then."""
    await settle(hass, simulator)
    flows = hass.config_entries.subentries
    assert flows.async_get(flow["flow_id"])["step_id"] == "checked"
    return await flows.async_configure(flow["flow_id"])


async def press(
    hass: HomeAssistant, flow: SubentryFlowResult, option: str
) -> SubentryFlowResult:
    """Choose from the menu that a flow shows."""
    return await hass.config_entries.subentries.async_configure(
        flow["flow_id"], {"next_step_id": option}
    )


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no answer longer than a test does."""
    monkeypatch.setattr(contact_check, "CHECK_TIMEOUT", 0.5)


async def test_answered(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Bob is there once he has answered OK, from any of his numbers."""
    flow = await begin(hass, entry, RECIPIENT, SENDER)
    assert flow["progress_action"] == "check"
    assert flow["description_placeholders"] == {"number": RECIPIENT}
    message = await sent(simulator, entry)
    assert (message.to, message.text) == (RECIPIENT, TEXT.format(entry.title))
    provider = simulator.providers[entry.data["provider"]]
    heard = listen(hass)
    for sender, text in ((SENDER, "Okra"), ("+33600000042", "OK")):
        provider.receive(sender, text)
    await until(lambda: len(heard.received) == 2)
    assert not entry.subentries
    provider.receive(SENDER, " ok. ")
    result = await outcome(hass, simulator, flow)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert find(entry, "Bob").data["numbers"] == [RECIPIENT, SENDER]
    assert "send_test" not in find(entry, "Bob").data
    assert len(provider.messages) == 1


async def test_what_decides_nothing(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A call is no answer, nor is a second OK, nor what becomes of another message."""
    check = contact_check.ContactCheck(
        hass=hass, entry=twilio_entry, numbers=[SENDER], language="en"
    )
    running = hass.async_create_task(check.async_run())
    # Before it is known which message is its own.
    check._async_handle(twilio_entry, OF_ANOTHER, {})
    await sent(simulator, twilio_entry)
    check._async_handle(twilio_entry, CALLED, {})
    assert not check._outcome.done()
    for _ in range(2):
        answer = Received(message=inbound("M", text="OK", number=None), late=False)
        answer = replace(answer, message=replace(answer.message, sender=SENDER))
        check._async_handle(twilio_entry, answer, {})
    assert await running is True
    await settle(hass, simulator)


async def test_in_the_language_of_the_contact(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who is to be answered in French is asked in French."""
    flow = await begin(hass, twilio_entry, language="fr")
    message = await sent(simulator, twilio_entry)
    assert message.text.startswith("Ceci est un essai de Twilio line")
    simulator.twilio.receive(RECIPIENT, "OK merci")
    await outcome(hass, simulator, flow)
    assert find(twilio_entry, "Bob")


async def test_answered_on_another_line(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Whichever number they answer to, they have got it."""
    flow = await begin(hass, twilio_entry)
    await sent(simulator, twilio_entry)
    simulator.ovh.receive(RECIPIENT, "Ok")
    await outcome(hass, simulator, flow)
    assert find(twilio_entry, "Bob")


@pytest.mark.usefixtures("brief")
async def test_no_answer(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """After a while the window asks what now: again, correct it, or keep it."""
    flow = await begin(hass, twilio_entry)
    shown = await outcome(hass, simulator, flow)
    assert shown["step_id"] == "no_answer"
    result = await press(hass, flow, "check")
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    shown = await outcome(hass, simulator, flow)
    assert shown["step_id"] == "no_answer"
    assert len(simulator.twilio.messages) == 2
    result = await press(hass, flow, "correct")
    assert result["type"] is FlowResultType.FORM
    flows = hass.config_entries.subentries
    typed = {"name": "Robert", "numbers": [SENDER], "send_test": True}
    result = await flows.async_configure(flow["flow_id"], typed)
    await outcome(hass, simulator, flow)
    assert simulator.twilio.messages[-1].to == SENDER
    result = await press(hass, flow, "keep")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert find(twilio_entry, "Robert").data["numbers"] == [SENDER]
    assert len(twilio_entry.subentries) == 1


async def test_not_delivered(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """What cannot be delivered is known before anybody could answer."""
    flow = await begin(hass, ovh_entry, FAILS_AT_OVH)
    shown = await outcome(hass, simulator, flow)
    assert shown["step_id"] == "not_reached"
    assert shown["menu_options"] == ["check", "correct", "keep"]
    assert shown["description_placeholders"]
    assert len(shown["description_placeholders"]["problem"]) > 10


async def test_refused(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """What the provider refuses at once is said in its words."""
    flow = await begin(hass, ovh_entry, "+33600000001")
    shown = await outcome(hass, simulator, flow)
    assert shown["step_id"] == "not_reached"


async def test_a_line_at_rest(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number that is not active sends no test, and its contact can be kept."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    typed = {"name": "Bob", "numbers": [RECIPIENT], "send_test": True}
    # There is no progress to show: it is known at once.
    flow = await fill_in(hass, twilio_entry, **typed)
    assert flow["type"] is FlowResultType.MENU
    result = await press(hass, flow, "keep")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not simulator.twilio.messages


@pytest.mark.usefixtures("brief")
async def test_taken_meanwhile(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number is one contact's, also when the other window was faster."""
    flow = await begin(hass, twilio_entry)
    await add_contact(hass, twilio_entry, "Ann", RECIPIENT)
    await outcome(hass, simulator, flow)
    result = await press(hass, flow, "keep")
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"numbers": "number_taken"}


async def test_the_window_is_closed(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who closes the window has a contact, and nobody waits for them any more."""
    flow = await begin(hass, twilio_entry)
    await sent(simulator, twilio_entry)
    hass.config_entries.subentries.async_abort(flow["flow_id"])
    await settle(hass, simulator)
    assert find(twilio_entry, "Bob").data["numbers"] == [RECIPIENT]
    simulator.twilio.receive(RECIPIENT, "OK")
    await settle(hass, simulator)
    assert len(async_directory(hass).contacts) == 1


async def test_the_window_is_closed_after_another_was_faster(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number is one contact's then as well."""
    flow = await begin(hass, twilio_entry)
    await sent(simulator, twilio_entry)
    await add_contact(hass, twilio_entry, "Ann", RECIPIENT)
    hass.config_entries.subentries.async_abort(flow["flow_id"])
    await settle(hass, simulator)
    assert [each.name for each in async_directory(hass).contacts] == ["Ann"]


async def test_the_number_is_removed(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A contact whose number is gone is not kept."""
    flow = await begin(hass, twilio_entry)
    await sent(simulator, twilio_entry)
    assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    hass.config_entries.subentries.async_abort(flow["flow_id"])
    await settle(hass, simulator)
    assert not async_directory(hass).contacts
