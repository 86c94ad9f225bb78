"""Assist by SMS: who is answered, by whom, in whose name, and with what."""

import asyncio
from typing import TYPE_CHECKING, Any, override
from unittest.mock import patch

from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.components import conversation
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, intent, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.virtual_sms import assist
from custom_components.virtual_sms.adapters.segments import count_segments
from custom_components.virtual_sms.assist_setup import async_setup_assist
from custom_components.virtual_sms.assist_user import GUEST
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.core.assist import MOST_WAITING
from custom_components.virtual_sms.store.database import DatabaseClosedError

from .alarms import hear, restart, texts
from .contacts import OTHER_NUMBER, add_contact, change, device_of, fill_in, remove
from .home import RECIPIENT, SENDER, listen, settle
from .people.test_trust import PIN, go_on
from .replies.test_ask import ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from homeassistant.auth.models import User
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


class Agent(conversation.AbstractConversationAgent):
    """A conversation agent that notes what it is asked."""

    def __init__(self) -> None:
        """Answer at once, and well."""
        self.asked: list[conversation.ConversationInput] = []
        self.answer: Any = "It is closed."
        self.think: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)

    @property
    @override
    def supported_languages(self) -> Any:
        return "*"

    @property
    def texts(self) -> list[str]:
        """List what it was asked."""
        return [each.text for each in self.asked]

    @override
    async def async_process(
        self, user_input: conversation.ConversationInput
    ) -> conversation.ConversationResult:
        self.asked.append(user_input)
        await self.think()
        if isinstance(self.answer, BaseException):
            raise self.answer
        response = intent.IntentResponse(language=user_input.language)
        if self.answer is not None:
            response.async_set_speech(self.answer)
        return conversation.ConversationResult(
            response, user_input.conversation_id or f"conversation {len(self.asked)}"
        )


@pytest.fixture
async def agent_entry(hass: HomeAssistant) -> MockConfigEntry:
    """Have Assist, and an agent besides its own."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})
    entry = MockConfigEntry(domain="oracle")
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def agent(hass: HomeAssistant, agent_entry: MockConfigEntry) -> Agent:
    """Return the agent."""
    agent = Agent()
    conversation.async_set_agent(hass, agent_entry, agent)
    return agent


@pytest.fixture
async def bob(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    agent: Agent,
    agent_entry: MockConfigEntry,
) -> ConfigSubentry:
    """Have Bob answered by the agent; he has two numbers."""
    return await add_contact(
        hass,
        twilio_entry,
        numbers=[RECIPIENT, SENDER],
        may_command=True,
        assist=agent_entry.entry_id,
    )


async def user_of(hass: HomeAssistant, user_input: Any) -> User:
    """Return in whose name an agent was asked."""
    user = await hass.auth.async_get_user(user_input.context.user_id)
    assert user is not None
    return user


async def give_person(
    hass: HomeAssistant, entry: ConfigEntry, bob: ConfigSubentry, user_id: str | None
) -> None:
    """Link Bob to a person with a user."""
    registry = er.async_get(hass)
    person = registry.async_get_or_create("person", "person", "1", object_id_base="bob")
    hass.states.async_set("person.bob", "home", {"user_id": user_id})
    data = {**bob.data, "person": person.id}
    hass.config_entries.async_update_subentry(entry, bob, data=data)
    await hass.async_block_till_done()


async def test_answer(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
) -> None:
    """A trusted message goes to the agent, and its answer to where it came from."""
    await hear(hass, simulator, SENDER, " Is the door open? ")
    [asked] = agent.asked
    assert asked.text == "Is the door open?"
    assert texts(simulator) == [(SENDER, "It is closed.")]
    device = device_of(hass, twilio_entry, bob)
    assert device is not None
    assert asked.device_id == device.id
    assert asked.language == hass.config.language
    assert asked.extra_system_prompt is not None
    assert "SMS" in asked.extra_system_prompt


@pytest.mark.usefixtures("bob", "twilio_entry")
async def test_by_the_line_it_came_to(
    hass: HomeAssistant, simulator: Simulator, agent: Agent, ovh_entry: ConfigEntry
) -> None:
    """Who writes to another number of the home is answered by that one."""
    simulator.ovh.receive(RECIPIENT, "Is the door open?")
    await settle(hass, simulator)
    assert agent.texts == ["Is the door open?"]
    assert not simulator.twilio.messages
    [answer] = simulator.ovh.messages
    assert (answer.to, answer.text) == (RECIPIENT, "It is closed.")
    assert ovh_entry.runtime_data is not None


async def test_in_the_contacts_language(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
) -> None:
    """The agent is asked, and our own sentences are said, in the contact's language."""
    data = {**bob.data, "language": "fr"}
    hass.config_entries.async_update_subentry(twilio_entry, bob, data=data)
    agent.answer = ""
    await hear(hass, simulator, RECIPIENT, "Ferme la porte")
    [asked] = agent.asked
    assert asked.language == "fr"
    assert asked.extra_system_prompt is not None
    assert "fr" in asked.extra_system_prompt
    assert texts(simulator) == [(RECIPIENT, "C'est fait.")]


@pytest.mark.parametrize(
    "fields",
    [{"may_command": True}, {"may_command": True, "assist": ""}, {"assist": "agent"}],
)
async def test_off(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    agent_entry: MockConfigEntry,
    twilio_entry: ConfigEntry,
    fields: dict[str, Any],
) -> None:
    """Nobody is asked where none is chosen, or where the contact may not command."""
    if fields.get("assist"):
        fields = {**fields, "assist": agent_entry.entry_id}
    await add_contact(hass, twilio_entry, **fields)
    heard = listen(hass)
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    await hear(hass, simulator, "+33600000001", "Is the door open?")
    assert len(heard.received) == 2
    assert not agent.asked
    assert not simulator.twilio.messages


async def test_code(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    agent_entry: MockConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """Only a right code gets a message there, and it is taken out before."""
    result = await fill_in(
        hass,
        twilio_entry,
        name="Bob",
        numbers=RECIPIENT,
        may_command=True,
        code="pin",
        assist=agent_entry.entry_id,
    )
    await go_on(hass, result, pin=PIN)
    await hass.async_block_till_done()
    await hear(hass, simulator, RECIPIENT, "open garage")
    await hear(hass, simulator, RECIPIENT, PIN)
    assert not agent.asked
    await hear(hass, simulator, RECIPIENT, f"open garage {PIN}")
    assert agent.texts == ["open garage"]
    assert len(simulator.twilio.messages) == 1


@pytest.mark.usefixtures("bob")
async def test_a_question_goes_first(
    hass: HomeAssistant, simulator: Simulator, agent: Agent
) -> None:
    """What answers a question is for who asked; what answers none is for the agent."""
    asking = ask(hass)
    await asyncio.sleep(0)
    await settle(hass, simulator)
    await hear(hass, simulator, RECIPIENT, "Yes")
    assert (await asking)["answer_id"] == "yes"
    assert not agent.asked
    await hear(hass, simulator, RECIPIENT, "Yes")
    assert agent.texts == ["Yes"]


@pytest.mark.usefixtures("bob")
async def test_stop_is_no_command(
    hass: HomeAssistant, simulator: Simulator, agent: Agent
) -> None:
    """A wish about messages is not for the agent, and who has stopped gets no answer."""
    await hear(hass, simulator, RECIPIENT, "STOP")
    assert not agent.asked
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    assert agent.texts == ["Is the door open?"]
    assert not simulator.twilio.messages


@pytest.mark.parametrize("privacy", ["full", "masked", "metadata"])
@pytest.mark.usefixtures("bob")
async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
    privacy: str,
) -> None:
    """The agent reads all, whatever others get to see; no text of ours is in a log."""
    hass.config_entries.async_update_entry(
        twilio_entry, options={**twilio_entry.options, "privacy": privacy}
    )
    await settle(hass, simulator)
    heard = listen(hass)
    agent.answer = ValueError("Is the door open?")
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    agent.answer = "It is closed."
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    assert agent.texts == ["Is the door open?"] * 2
    assert texts(simulator)[-1] == (RECIPIENT, "It is closed.")
    assert (heard.texts[0] == "Is the door open?") is (privacy == "full")
    lines = [each.getMessage() for each in caplog.records if DOMAIN in each.name]
    assert not any("door" in each or "closed" in each for each in lines)


@pytest.mark.usefixtures("bob")
async def test_a_long_answer(
    hass: HomeAssistant, simulator: Simulator, agent: Agent
) -> None:
    """5,000 characters of markup are three segments of plain text."""
    agent.answer = "**The door** is closed 🚪. " * 200
    await hear(hass, simulator, RECIPIENT, "Tell me all")
    [(_, answer)] = texts(simulator)
    assert answer.startswith("The door is closed . The door")
    assert answer.endswith("...")
    assert count_segments(answer).segments == 3


@pytest.mark.parametrize("is_stubborn", [True, False])
@pytest.mark.usefixtures("bob")
async def test_a_slow_agent(
    hass: HomeAssistant, simulator: Simulator, agent: Agent, *, is_stubborn: bool
) -> None:
    """Who thinks longer than a minute is not waited for, and the next one is answered."""
    assert assist.ANSWER_WITHIN == 60
    never = asyncio.Event()

    async def think() -> None:
        try:
            await never.wait()
        except asyncio.CancelledError:
            if not is_stubborn:
                raise
            await asyncio.sleep(0)
            raise ValueError from None

    agent.think = think
    with patch.object(assist, "ANSWER_WITHIN", 0.01):
        await hear(hass, simulator, RECIPIENT, "Is the door open?")
    [(_, answer)] = texts(simulator)
    assert "within a minute" in answer
    agent.think = lambda: asyncio.sleep(0)
    await hear(hass, simulator, RECIPIENT, "And now?")
    assert texts(simulator)[1:] == [(RECIPIENT, "It is closed.")]


@pytest.mark.parametrize(
    "trouble",
    [RuntimeError("secret"), HomeAssistantError("secret"), asyncio.CancelledError()],
)
@pytest.mark.usefixtures("bob")
async def test_an_agent_that_fails(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    caplog: pytest.LogCaptureFixture,
    trouble: BaseException,
) -> None:
    """A short sentence says so, without the agent's own words, and it goes on."""
    agent.answer = trouble
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    [(_, answer)] = texts(simulator)
    assert answer == "The assistant has failed. Please try again later."
    assert "secret" not in caplog.text
    agent.answer = "It is closed."
    await hear(hass, simulator, RECIPIENT, "And now?")
    assert len(simulator.twilio.messages) == 2


async def test_an_agent_that_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    agent_entry: MockConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """Who writes is told so, and a repair tells the home until it is put right."""
    conversation.async_unset_agent(hass, agent_entry)
    issue = (DOMAIN, f"assist_missing_{bob.subentry_id}")
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    assert texts(simulator) == [(RECIPIENT, "The assistant cannot be reached now.")]
    assert issue in ir.async_get(hass).issues
    conversation.async_set_agent(hass, agent_entry, agent)
    await hear(hass, simulator, RECIPIENT, "And now?")
    assert texts(simulator)[1:] == [(RECIPIENT, "It is closed.")]
    assert issue not in ir.async_get(hass).issues
    conversation.async_unset_agent(hass, agent_entry)
    await hear(hass, simulator, RECIPIENT, "And now?")
    assert issue in ir.async_get(hass).issues
    await change(hass, twilio_entry, bob, name="Bob", numbers=[RECIPIENT])
    assert issue not in ir.async_get(hass).issues


async def test_a_home_without_assist(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Where Assist is not set up, that is the same."""
    fields = {"may_command": True, "assist": "conversation.home_assistant"}
    await add_contact(hass, twilio_entry, **fields)
    await hear(hass, simulator, RECIPIENT, "Is the door open?")
    assert texts(simulator) == [(RECIPIENT, "The assistant cannot be reached now.")]


async def test_one_at_a_time(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    agent_entry: MockConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """A contact's messages wait for each other, a few of them; another's do not."""
    await add_contact(
        hass,
        twilio_entry,
        "Ann",
        OTHER_NUMBER,
        may_command=True,
        assist=agent_entry.entry_id,
    )
    may_answer = asyncio.Event()
    agent.think = may_answer.wait
    for count in range(MOST_WAITING + 2):
        simulator.twilio.receive(RECIPIENT, f"Do {count}")
        await simulator.settled()
    simulator.twilio.receive(OTHER_NUMBER, "Hello")
    while len(agent.asked) < 2 or not simulator.twilio.messages:
        await asyncio.sleep(0.01)
    assert agent.texts == ["Do 0", "Hello"]
    assert [text for _, text in texts(simulator)] == [
        "Please wait for the answers to your other messages, then send this one again."
    ]
    may_answer.set()
    await settle(hass, simulator)
    assert agent.texts == ["Do 0", "Hello", *(f"Do {each}" for each in range(1, 4))]


@pytest.mark.usefixtures("agent_entry")
async def test_rights_withdrawn_meanwhile(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
) -> None:
    """What waits is not done for who has lost the right to command."""
    may_answer = asyncio.Event()
    agent.think = may_answer.wait
    for text in ("first", "second"):
        simulator.twilio.receive(RECIPIENT, text)
        await simulator.settled()
    while not agent.asked:
        await asyncio.sleep(0.01)
    await remove(hass, twilio_entry, bob)
    may_answer.set()
    await settle(hass, simulator)
    assert agent.texts == ["first"]


@pytest.mark.usefixtures("bob")
async def test_a_conversation_goes_on(
    hass: HomeAssistant, simulator: Simulator, agent: Agent
) -> None:
    """What is written next belongs to what was said before."""
    await hear(hass, simulator, RECIPIENT, "Close the door")
    await hear(hass, simulator, RECIPIENT, "Which one is open?")
    assert [each.conversation_id for each in agent.asked] == [None, "conversation 1"]


@pytest.mark.usefixtures("bob")
async def test_no_more_than_a_few_answers(
    hass: HomeAssistant, simulator: Simulator, agent: Agent
) -> None:
    """Two machines do not answer each other for ever; what is asked is done all the same."""
    for _ in range(6):
        await hear(hass, simulator, RECIPIENT, "I am not here")
    assert len(agent.asked) == 6
    assert len(simulator.twilio.messages) == 5


@pytest.mark.usefixtures("bob")
async def test_a_restart_repeats_nothing(
    hass: HomeAssistant, simulator: Simulator, agent: Agent, twilio_entry: ConfigEntry
) -> None:
    """What a stop cuts short, and what comes late, is neither done nor answered again."""
    agent.think = asyncio.Event().wait
    store = twilio_entry.runtime_data.gateway.store
    with patch.object(store, "note_published", side_effect=DatabaseClosedError):
        simulator.twilio.receive(RECIPIENT, "Open the door")
        while not agent.asked:
            await asyncio.sleep(0.01)
    for task in hass._background_tasks:
        if task.get_name() == f"{DOMAIN} assist":
            task.cancel()
    agent.think = lambda: asyncio.sleep(0)
    heard = listen(hass)
    await restart(hass, simulator)
    assert [each["late"] for each in heard.received] == [True]
    assert agent.texts == ["Open the door"]
    assert not simulator.twilio.messages


async def test_an_assistant_is_ready_at_the_start(
    hass: HomeAssistant, bob: ConfigSubentry
) -> None:
    """Whose contact has one already need not be changed for it to answer."""
    with patch.object(assist, "AssistDesk") as desk:
        await async_setup_assist(hass)
    desk.assert_called_once_with(hass)


async def test_there_is_one_desk_for_all_assistants(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    agent: Agent,
    agent_entry: MockConfigEntry,
) -> None:
    """It begins with the first contact that has one, and with no other."""
    agent_id = agent_entry.entry_id
    with patch.object(assist, "AssistDesk") as desk:
        await add_contact(hass, twilio_entry, "Ann", [SENDER], may_command=True)
        desk.assert_not_called()
        for name, number in (("Bob", RECIPIENT), ("Eve", OTHER_NUMBER)):
            await add_contact(
                hass,
                twilio_entry,
                name,
                [number],
                may_command=True,
                assist=agent_id,
            )
    desk.assert_called_once_with(hass)


@pytest.mark.usefixtures("bob")
async def test_what_goes_wrong_keeps_no_other_message(
    hass: HomeAssistant, simulator: Simulator, agent: Agent
) -> None:
    """Whatever happens to one message, the next is answered."""
    with patch.object(assist, "async_send_to", side_effect=OSError):
        await hear(hass, simulator, RECIPIENT, "Is the door open?")
    assert not simulator.twilio.messages
    await hear(hass, simulator, RECIPIENT, "And now?")
    assert texts(simulator) == [(RECIPIENT, "It is closed.")]


async def test_rights_of_the_person(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
) -> None:
    """The agent acts as the user of the contact's person."""
    user = MockUser(name="Bob").add_to_hass(hass)
    await give_person(hass, twilio_entry, bob, user.id)
    await hear(hass, simulator, RECIPIENT, "Close the door")
    assert (await user_of(hass, agent.asked[0])).id == user.id
    assert not await guests(hass)


async def guests(hass: HomeAssistant) -> list[User]:
    """List the users that were made for contacts without one."""
    return [each for each in await hass.auth.async_get_users() if each.name == GUEST]


@pytest.mark.parametrize("user_id", [None, "gone"])
async def test_rights_of_who_has_no_user(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
    user_id: str | None,
) -> None:
    """For who has no user, the agent may read only; that user goes with the last number."""
    MockUser(name=GUEST).add_to_hass(hass)
    await give_person(hass, twilio_entry, bob, user_id)
    for _ in range(2):
        await hear(hass, simulator, RECIPIENT, "Close the door")
    first, second = [await user_of(hass, each) for each in agent.asked]
    assert first.id == second.id
    assert first.system_generated
    assert [each.id for each in first.groups] == [GROUP_ID_READ_ONLY]
    assert len(await guests(hass)) == 2
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert [each.system_generated for each in await guests(hass)] == [False]


@pytest.mark.parametrize("fields", [{"local_only": True}, {"is_active": False}])
async def test_rights_of_a_user_who_may_not_come_from_outside(
    hass: HomeAssistant,
    simulator: Simulator,
    agent: Agent,
    bob: ConfigSubentry,
    twilio_entry: ConfigEntry,
    fields: dict[str, bool],
) -> None:
    """A user who is inactive, or kept to the local network, commands nothing by SMS."""
    user = MockUser(name="Bob").add_to_hass(hass)
    for name, value in fields.items():
        setattr(user, name, value)
    await give_person(hass, twilio_entry, bob, user.id)
    await hear(hass, simulator, RECIPIENT, "Close the door")
    assert not agent.asked
    [(_, answer)] = texts(simulator)
    assert "from outside the home" in answer


@pytest.mark.parametrize("has_user", [True, False])
@pytest.mark.usefixtures("agent_entry")
async def test_what_home_assistants_own_agent_may_do(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    *,
    has_user: bool,
) -> None:
    """Who may only read gets answers, and switches nothing."""
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"pump": {"name": "Pump"}}}
    )
    assert await async_setup_component(hass, "intent", {})
    async_expose_entity(hass, "conversation", "input_boolean.pump", should_expose=True)
    fields = {"may_command": True, "assist": "conversation.home_assistant"}
    bob = await add_contact(hass, twilio_entry, **fields)
    if has_user:
        user = MockUser(name="Bob").add_to_hass(hass)
        user.mock_policy({"entities": True})
        await give_person(hass, twilio_entry, bob, user.id)
    await hear(hass, simulator, RECIPIENT, "turn on pump")
    pump = hass.states.get("input_boolean.pump")
    assert pump is not None
    assert pump.state == ("on" if has_user else "off")
    await hear(hass, simulator, RECIPIENT, "is the pump on?")
    assert len(simulator.twilio.messages) == 2
