"""What goes to an assistant, in which order, and in which conversation."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from custom_components.virtual_sms.adapters.models import InboundMessage
from custom_components.virtual_sms.adapters.wishes import Wish
from custom_components.virtual_sms.core.assist import (
    KEEP_CONVERSATION,
    MOST_WAITING,
    Conversations,
    Place,
    Turns,
    is_for_assistant,
)
from custom_components.virtual_sms.store.changes import Received, Trust

NUMBER = "+15005550006"
WRITER = "+33612345678"


def received(text: str = "Is the door open?", **changes: object) -> Received:
    """Return a message of somebody who may command."""
    message = InboundMessage(
        message_id="1",
        number=NUMBER,
        sender=WRITER,
        text=text,
        received_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    whole = Received(message=message, late=False, trust=Trust.TRUSTED, contact_id="bob")
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_what_a_trusted_contact_writes_is_for_their_assistant() -> None:
    """A message that is trusted, in time, and no answer goes to it."""
    assert is_for_assistant(received(), None, {NUMBER})


@pytest.mark.parametrize("trust", [each for each in Trust if each != Trust.TRUSTED])
def test_only_who_is_trusted(trust: Trust) -> None:
    """Nobody else gets there, whatever their number."""
    assert not is_for_assistant(received(trust=trust), None, ())


def test_what_it_is_not_for() -> None:
    """Neither answers, nor what is late, empty, a wish, or of another own line."""
    assert not is_for_assistant(received(), "question", ())
    assert not is_for_assistant(received(late=True), None, ())
    assert not is_for_assistant(received(" \n"), None, ())
    assert not is_for_assistant(received(), None, {WRITER})
    assert not is_for_assistant(received("Stop "), None, ())
    assert not is_for_assistant(received("START"), None, ())
    wish = received()
    wish = replace(wish, message=replace(wish.message, wish=Wish.STOP))
    assert not is_for_assistant(wish, None, ())


def test_yes_is_said_to_assistants_too() -> None:
    """It means something else only after a stop, when nothing can be sent anyway."""
    assert is_for_assistant(received("Yes"), None, ())


def test_turns() -> None:
    """Messages of a contact wait for each other, those of two contacts do not."""
    turns: Turns[str] = Turns()
    assert turns.take_place("bob", "1") is Place.FIRST
    assert turns.take_place("ann", "a") is Place.FIRST
    assert turns.take_next("bob") == "1"
    assert turns.take_place("bob", "2") is Place.WAITS
    assert turns.take_next("bob") == "2"
    assert turns.take_next("bob") is None
    assert turns.take_place("bob", "3") is Place.FIRST
    assert turns.take_next("ann") == "a"


def test_only_a_few_wait() -> None:
    """What is written faster than it can be answered is not kept without end."""
    turns: Turns[int] = Turns()
    turns.take_place("bob", 0)
    turns.take_next("bob")
    places = [turns.take_place("bob", each) for each in range(MOST_WAITING + 1)]
    assert places == [Place.WAITS] * MOST_WAITING + [Place.REFUSED]


def test_a_conversation_goes_on_for_a_while() -> None:
    """It is remembered per contact and agent, and forgotten after some minutes."""
    now = 0.0
    conversations = Conversations(lambda: now)
    conversations.note("bob", "agent", "1")
    conversations.note("ann", "agent", None)
    assert conversations.get("bob", "agent") == "1"
    assert conversations.get("bob", "other") is None
    assert conversations.get("ann", "agent") is None
    now = KEEP_CONVERSATION.total_seconds()
    assert conversations.get("bob", "agent") == "1"
    now += 1
    assert conversations.get("bob", "agent") is None
