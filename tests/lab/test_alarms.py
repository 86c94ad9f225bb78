"""The crash run sees what it counts of alarms and questions."""

from types import SimpleNamespace
from typing import Any

from lab.crash.alarms import ALERT, ANSWERED, FIRST, PROMISES, SECOND, Alarms, count


def world(events: list[Any], *texts: tuple[str, str]) -> Any:
    """Make a world in which these events were fired, and these texts sent."""
    messages = [SimpleNamespace(to=to, text=text) for to, text in texts]
    provider = SimpleNamespace(messages=messages)
    return SimpleNamespace(
        events=lambda: iter(events),
        simulator=SimpleNamespace(providers={"acme": provider}),
    )


def fired(alert_id: str, *states: str) -> list[dict[str, Any]]:
    """Make the events of an alarm."""
    return [
        {"type": ALERT, "data": {"alert_id": alert_id, "state": each}}
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
