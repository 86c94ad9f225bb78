"""The crash run sees what it counts of alarms and questions, of codes and limits."""

from datetime import UTC, datetime, timedelta
import time
from types import SimpleNamespace
from typing import Any

import pytest

from lab.crash import commands, limits
from lab.crash.alarms import (
    ALERT,
    ANSWERED,
    CALLED,
    FIRST,
    PROMISES,
    SECOND,
    Alarms,
    count,
)
from lab.crash.commands import Command, Commands
from lab.crash.world import Traffic
from simulator.twilio.models import Call


def world(events: list[Any], *texts: tuple[str, str], calls: Any = ()) -> Any:
    """Make a world in which these events were fired, and these texts sent."""
    messages = [SimpleNamespace(id=text, to=to, text=text) for to, text in texts]
    phones = SimpleNamespace(calls=list(calls))
    provider = SimpleNamespace(messages=messages, phones=phones)
    return SimpleNamespace(
        events=lambda: iter(events),
        simulator=SimpleNamespace(providers={"acme": provider}, twilio=provider),
    )


def phoned(alarm: str, to: str = CALLED[0], *heard: str) -> Call:
    """Make a call about an alarm that has ended now."""
    call = Call(to=to, sender="+1", inbound=False, status="completed")
    call.twiml = f"<Response><Say>{alarm} Press 1.</Say></Response>"
    call.heard = [*heard]
    call.ended = datetime.now(UTC)
    return call


def fired(alert_id: str, *states: str) -> list[dict[str, Any]]:
    """Make the events of an alarm."""
    return [
        {
            "type": ALERT,
            "at": time.monotonic(),
            "data": {"alert_id": alert_id, "state": each},
        }
        for each in states
    ]


ALARMS = Alarms(
    alerts={"alarm 0": "a", "alarm 1": None}, questions={"question 0", "question 1"}
)


def test_all_is_well() -> None:
    """Each step's people once in each round, and an end that stays."""
    answered = {"type": ANSWERED, "data": {"question_id": "q"}}
    counted = count(
        world(
            [*fired("a", "started", "escalated", "acknowledged"), answered],
            (FIRST, "alarm 0"),
            (FIRST, "alarm 0\nAnswer: ok 2"),
            (SECOND, "alarm 0"),
            (FIRST, "question 0"),
            (SECOND, "question 0"),
        ),
        ALARMS,
    )
    assert counted == {
        "alerts": 1,
        "questions": 2,
        "answered": 1,
        "phoned": 0,
        "pressed": 0,
        **dict.fromkeys(PROMISES, 0),
    }


def test_what_must_not_be() -> None:
    """A text too many, an alarm without an end, and one that goes on after it."""
    lost = count(world(fired("a", "started"), *[(FIRST, "question 0")] * 3), ALARMS)
    assert (lost["alarms lost"], lost["texted twice"]) == (1, 2)
    events = fired("a", "started", "acknowledged", "acknowledged", "escalated")
    restless = count(world(events, *[(SECOND, "alarm 0")] * 3), ALARMS)
    assert (restless["taken, went on"], restless["texted twice"]) == (1, 1)
    assert restless["alarms lost"] == 0


def test_a_call_too_many_is_seen() -> None:
    """Each is called once in each round; another alarm is another call."""
    calls = [phoned("alarm 0")] * 2 + [phoned("alarm 1"), phoned("alarm 10")]
    events = fired("a", "exhausted")
    assert count(world(events, calls=calls), ALARMS)["phoned twice"] == 0
    more = [*calls, phoned("alarm 0"), phoned("alarm 0", CALLED[-1])]
    counted = count(world(events, calls=more), ALARMS)
    assert (counted["phoned twice"], counted["phoned"]) == (1, 6)


@pytest.mark.parametrize(
    ("heard", "later", "state", "unheard"),
    [
        ("Thank you. Goodbye.", 9, "exhausted", 1),
        ("Thank you. Goodbye.", 7, "exhausted", 0),
        ("Thank you. Goodbye.", 9, "acknowledged", 0),
        ("Press 1 to confirm.", 9, "exhausted", 0),
    ],
)
def test_a_key_without_effect_is_seen(
    heard: str, later: float, state: str, unheard: int
) -> None:
    """An alarm whose key was thanked for does not go on to its end long after."""
    events = fired("a", state)
    events[0]["at"] += later
    found = count(world(events, calls=[phoned("alarm 0", CALLED[0], heard)]), ALARMS)
    assert found["pressed, went on"] == unheard
    assert found["pressed"] == (heard != "Press 1 to confirm.")


def test_the_first_of_several_keys_counts() -> None:
    """A key that is pressed once more, in the next round, excuses nothing."""
    first, second = (phoned("alarm 0", CALLED[0], "Thank you.") for _ in range(2))
    first.ended = datetime.now(UTC) - timedelta(seconds=9)
    found = count(world(fired("a", "exhausted"), calls=[first, second]), ALARMS)
    assert found["pressed, went on"] == 1


def heard(message_id: str, trust: str, text: str) -> dict[str, Any]:
    """Make the event of a command."""
    data = {"message_id": message_id, "trust": trust, "text": text}
    return {"type": "virtual_sms_received", "data": data}


def test_whom_the_home_must_not_believe_is_seen() -> None:
    """A wrong code, a code used twice, and one that was not taken out."""
    right = Command(sender=commands._PIN_OWNER, word="4711", is_right=True)
    wrong = Command(sender=commands._PIN_OWNER, word="0000")
    app = Command(sender=commands._APP_OWNER, word="123456", is_right=True)
    sent = Commands(sent={"r": right, "w": wrong, "a": app, "b": app})
    fine = [
        *[heard("r", "trusted", "open 0")] * 2,
        heard("w", "unproven", "open 1 0000"),
        heard("a", "trusted", "open 2"),
        heard("b", "unproven", "open 3"),
        heard("of others", "trusted", "open 4711"),
    ]
    assert commands.count(world(fine), sent) == {
        "commands": 4,
        "obeyed": 2,
        **dict.fromkeys(commands.PROMISES, 0),
    }
    broken = [
        heard("r", "unproven", "open 0 4711"),
        heard("w", "trusted", "open 1 0000"),
        heard("a", "trusted", "open 2"),
        heard("b", "trusted", "open 3"),
    ]
    counted = commands.count(world(broken), sent)
    assert {counted[each] for each in commands.PROMISES} == {1}


def test_what_slips_past_a_limit_is_seen() -> None:
    """Each text of the number with a limit counts, and no other."""
    traffic = Traffic(provider="acme", number="+1", mode="polling", limit=2)
    traffic.asked = {"out 0": "a", "out 1": None, "out 2": None}
    traffic.refused = {"out 3": "The limit of segments per hour is reached."}
    free = Traffic(provider="acme", number="+2", mode="polling")
    free.asked = {"out 9": None}
    texts = [(FIRST, each) for each in ("out 0", "out 1", "out 2", "out 9")]
    # What a kill kept from the disk was told to nobody, and counts for nobody.
    for told, over in (("out 0", "out 1"), 0), (("out 1", "out 2"), 1):
        events = [{"type": "", "data": {"provider_id": each}} for each in told]
        made = world(events, *texts)
        made.traffic = [traffic, free]
        assert limits.count(made) == {"limited": 1, "over limit": over}
