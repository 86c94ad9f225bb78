"""How an alert goes on: step by step, round by round, until somebody takes it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.virtual_sms.core.alerts import Alerts
from custom_components.virtual_sms.core.escalation import (
    Alert,
    AlertState,
    Plan,
    Reach,
    Step,
    advance,
    start,
)
from custom_components.virtual_sms.core.person import Person
from tests.fakes import START

STEP = timedelta(minutes=5)
BOB = Person(number="+33600000001", line="l", contact_id="bob", name="Bob")
ANN = Person(number="+33600000002", line="l", contact_id="ann", name="Ann")
CAT = Person(number="+33600000003", line="m")
PEOPLE = (BOB, ANN, CAT)


def ids() -> Any:
    """Make ids that tell their order."""
    numbers = count()
    return lambda: f"m{next(numbers)}"


def plan(*steps: tuple[Person, ...], rounds: int = 2, **more: Any) -> Plan:
    """Make a plan."""
    values: dict[str, Any] = {
        "alert_id": "a",
        "tag": "leak",
        "text": "Leak!",
        "steps": tuple(Step(people=each) for each in steps),
        "step_after": STEP,
        "rounds": rounds,
        "words": ("ok", "1"),
    }
    return Plan(**(values | more))


def states(alert: Alert) -> list[tuple[str, int, int]]:
    """List what is to be published."""
    return [(each.state.value, each.step, each.round) for each in alert.unpublished]


def test_steps_and_rounds() -> None:
    """Each step has its time; after the last of the last round the alert is exhausted."""
    new_id, now = ids(), START
    alert = start(plan((BOB,), (ANN, CAT)), 1, now, new_id)
    for _ in range(4):
        assert advance(alert, now + STEP - timedelta(seconds=1), new_id) is alert
        now += STEP
        alert = advance(alert, now, new_id)
    assert states(alert) == [
        ("started", 1, 1),
        ("escalated", 2, 1),
        ("escalated", 1, 2),
        ("escalated", 2, 2),
        ("exhausted", 2, 2),
    ]
    assert not alert.is_open
    assert alert.ended_at == now
    texts = [(each.person.shown, each.step, each.round) for each in alert.messages]
    assert texts == [
        ("Bob", 0, 1),
        ("Ann", 1, 1),
        (CAT.number, 1, 1),
        ("Bob", 0, 2),
        ("Ann", 1, 2),
        (CAT.number, 1, 2),
    ]
    assert advance(alert, now + STEP, new_id) is alert


def test_an_undelivered_step_moves_on_at_once() -> None:
    """When all of a step's messages failed the next one begins; one that arrives holds it."""
    new_id = ids()
    alert = start(plan((BOB, ANN), (CAT,)), 1, START, new_id)
    alert = alert.fail("m0")
    assert advance(alert, START, new_id) is alert
    alert = advance(alert.fail("m1"), START, new_id)
    assert (alert.step, alert.began_at) == (1, START)


def test_a_step_that_reaches_nobody_is_skipped() -> None:
    """A step without people is left at once; it ends when there are only such."""
    new_id = ids()
    alert = advance(start(plan((), (BOB,)), 1, START, new_id), START, new_id)
    assert states(alert)[-1] == ("escalated", 2, 1)
    alert = start(plan((), rounds=1), 1, START, new_id)
    assert advance(alert, START, new_id).state is AlertState.EXHAUSTED


def test_an_hour_too_late() -> None:
    """However late it is, an alert goes on by one step, which has its whole time."""
    new_id, late = ids(), START + timedelta(hours=1)
    alert = start(plan((BOB,), (ANN,), (CAT,)), 1, START, new_id)
    alert = advance(alert, late, new_id)
    assert (alert.step, alert.due_at) == (1, late + STEP)
    assert alert.restart_step(late + STEP).due_at == late + 2 * STEP


def test_taken() -> None:
    """Who took it is known, and everybody whom a text reached is to be texted once."""
    new_id = ids()
    alert = start(plan((BOB, CAT), (ANN, BOB)), 1, START, new_id)
    alert = advance(alert.fail("m1"), START + STEP, new_id)
    taken = alert.acknowledge(BOB, "in", START + STEP, new_id)
    assert taken.taken_by == BOB
    assert [each.person for each in taken.notices] == [BOB, ANN]
    assert taken.pending == taken.notices
    assert [each.message_id for each in alert.pending] == ["m2", "m3"]
    assert [each.message_id for each in alert.fail("m2").pending] == ["m3"]
    assert states(taken)[-1] == ("acknowledged", 2, 1)
    assert advance(taken, START + timedelta(days=1), new_id) is taken
    published = taken.publish(taken.unpublished[:2])
    assert states(published) == [("acknowledged", 2, 1)]
    stripped = published.strip()
    assert (stripped.plan.text, stripped.notices) == ("", ())
    each = (alert, taken, published, stripped, stripped.publish(stripped.unpublished))
    assert [one.is_unfinished for one in each] == [False, True, True, True, False]


def test_who_was_not_reached() -> None:
    """Each change knows who was not reached in the step that it ends, and why."""
    new_id, now = ids(), START
    alert = start(plan((BOB, CAT), (ANN,)), 1, now, new_id)
    alert = alert.fail("m0", "busy", was_heard=False).fail("m1", "other")
    left: list[list[tuple[str | None, str | None]]] = []
    while alert.state.is_open:
        alert = advance(alert, now + STEP, new_id)
        change = alert.unpublished[-1]
        found = alert.list_unreached(change)
        left.append([(each.person.contact_id, each.reason) for each in found])
        alert = alert.fail(alert.messages[-1].message_id, "no_answer")
        now += STEP
    assert left == [
        [("bob", "busy"), (None, "other")],
        [("ann", "no_answer")],
        [(None, "no_answer")],
        [("ann", "no_answer")],
    ]
    assert alert.list_unreached(alert.unpublished[0]) == []
    taken = start(plan((BOB, CAT)), 1, START, ids()).fail("m1", "busy")
    taken = taken.acknowledge(BOB, "in", START, new_id)
    assert [each.person for each in taken.list_unreached(taken.unpublished[-1])] == [
        CAT
    ]


def test_a_call_that_was_heard() -> None:
    """Who answered without the key ends the step, and hears who took it all the same."""
    new_id = ids()
    alert = start(plan((BOB, CAT), (ANN,)), 1, START, new_id)
    alert = alert.fail("m0", "not_acknowledged", was_heard=True).fail("m1", "busy")
    alert = advance(alert, START, new_id)
    assert states(alert)[-1] == ("escalated", 2, 1)
    taken = alert.acknowledge(ANN, "call", START, new_id)
    assert [each.person for each in taken.notices] == [BOB, ANN]
    assert Alert.read(taken.write()) == taken
    assert taken.get_message("m0").person == BOB


@pytest.mark.parametrize(
    ("words", "digit"),
    [
        (("ok", "1"), "1"),
        (("done", "7", "8"), "7"),
        (("ok",), "1"),
        (("12", "²", "0"), "0"),
    ],
)
def test_which_key_acknowledges(words: tuple[str, ...], digit: str) -> None:
    """The first of the words that is a key of a phone, else 1."""
    assert plan((BOB,), words=words).digit == digit


def test_which_messages_are_calls() -> None:
    """Those of the steps that call."""
    steps = (Step(people=(BOB,)), Step(people=(BOB,), reach=Reach.CALL))
    new_id = ids()
    alert = start(plan((), steps=steps), 1, START, new_id)
    alert = advance(alert, START + STEP, new_id)
    assert [alert.is_call(each) for each in alert.messages] == [False, True]


def test_stored_and_read() -> None:
    """What is read is what was written, at each stage."""
    new_id = ids()
    steps = (Step(people=(BOB, CAT), reach=Reach.CALL), Step(people=(ANN,)))
    alert = start(plan(steps=steps, tag=None), 3, START, new_id)
    assert Alert.read(alert.write()) == alert
    alert = advance(alert.fail("m0").fail("m1"), START, new_id)
    alert = alert.acknowledge(CAT, "in", START, new_id)
    assert Alert.read(alert.write()) == alert
    assert alert.lines == {"l", "m"}
    with pytest.raises(TypeError):
        replace(alert, code=object()).write()  # type: ignore[arg-type]


def home(*plans: Plan) -> Alerts:
    """Have alerts open."""
    alerts = Alerts()
    for each in plans:
        alerts.put(start(each, alerts.next_code, START, ids()))
    return alerts


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ok", "a"),
        ("OK!", "a"),
        ("Ok, on my way", "a"),
        ("1", "a"),
        ("ok 1", "a"),
        ("ok 2", "b"),
        ("OK: 2.", "b"),
        ("1 2", "b"),
        ("Ok2", "b"),
        ("ok3", None),
        ("12", None),
        ("ok 3", None),
        ("ok 5 minutes", "a"),
        ("2", None),
        ("no", None),
        ("", None),
    ],
)
def test_which_alert_is_meant(text: str, meant: str | None) -> None:
    """A bare word takes the oldest; with a code that one is meant, and no other."""
    alerts = home(plan((BOB,)), plan((BOB,), alert_id="b"))
    found = alerts.find_meant(text, BOB.number, None)
    assert (found and found[0].alert_id) == meant


def test_who_may_take_it() -> None:
    """Who was alerted, by any of their numbers; nobody else, and nothing that has ended."""
    alerts = home(plan((BOB,), (ANN,)))
    assert alerts.find_meant("ok", "+33699999999", "bob")
    assert not alerts.find_meant("ok", ANN.number, "ann")
    assert not alerts.find_meant("ok", "+33699999999", None)
    alerts.put(alerts.get("a").acknowledge(BOB, "in", START, ids()))
    assert not alerts.find_meant("ok", BOB.number, "bob")
    taken = alerts.find_taken("in")
    assert taken is not None
    assert alerts.find_taken("other") is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("D'accord, j'y vais", "a"),
        ("d’accord 2", "b"),
        ("d'accord 3", None),
        ("👍🏽 merci", "a"),
        ("d", None),
    ],
)
def test_a_first_word_with_a_sign_in_it(text: str, meant: str | None) -> None:
    """It is a word as its writer sees it."""
    words = ("d'accord", "👍")
    alerts = home(plan((BOB,), words=words), plan((BOB,), alert_id="b", words=words))
    found = alerts.find_meant(text, BOB.number, None)
    assert (found and found[0].alert_id) == meant


def test_words_of_ones_own() -> None:
    """A word may be several, and the words of one alert mean no other."""
    alerts = home(
        plan((BOB,), words=("Je m'en occupe",)),
        plan((BOB,), alert_id="b", words=("2",)),
    )
    found = alerts.find_meant("je m'en occupe !", BOB.number, None)
    assert found is not None
    assert found[0].alert_id == "a"
    found = alerts.find_meant("2", BOB.number, None)
    assert found is not None
    assert found[0].alert_id == "b"
    assert not alerts.find_meant("ok", BOB.number, None)


def test_all_alerts() -> None:
    """Codes stay apart, and what ended long ago is forgotten."""
    alerts = home(plan((BOB,)), plan((ANN,), alert_id="b", step_after=STEP / 2))
    assert alerts.next_due == START + STEP / 2
    assert [each.alert_id for each in alerts.list_texted(BOB)] == ["a"]
    found = alerts.find_by_message("m0")
    assert found is not None
    assert found.alert_id == "a"
    assert alerts.find_by_message("other") is None
    alerts.put(alerts.get("a").move(AlertState.CANCELED, START))
    assert alerts.next_code == 3
    assert alerts.take_old(START) == []
    assert [each.alert_id for each in alerts.take_old(START + STEP)] == ["a"]
    assert [each.alert_id for each in alerts.everything] == ["b"]
    alerts.forget("b")
    assert alerts.next_due is None
    assert alerts.next_code == 1


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 700)),
        st.tuples(st.just("fail"), st.integers(0, 20)),
        st.tuples(st.just("take"), st.integers(0, 2)),
        st.tuples(st.just("crash"), st.integers(0, 4000)),
    ),
    max_size=40,
)
STEPS = st.lists(st.lists(st.sampled_from(PEOPLE), max_size=4), min_size=1, max_size=4)


@given(steps=STEPS, rounds=st.integers(1, 3), moves=MOVES)
def test_whatever_happens(
    steps: list[list[Person]], rounds: int, moves: list[tuple[str, int]]
) -> None:
    """Nobody gets two texts in one step; it ends, and is acknowledged at most once.

    A crash reads what was stored, which is all that was planned.
    """
    new_id, now = ids(), START
    alert = start(plan(*map(tuple, steps), rounds=rounds), 1, now, new_id)
    for move, value in moves:
        alert, now = _do(alert, move, value, now, new_id)
        _check(alert, rounds)
    for _ in range(len(steps) * rounds + 1):
        now += STEP
        alert = advance(alert, now, new_id)
    assert not alert.is_open
    _check(alert, rounds)
    ends = [each for each in alert.unpublished if not each.state.is_open]
    assert len(ends) == 1
    assert alert.unpublished[-1] == ends[0]


def _do(
    alert: Alert, move: str, value: int, now: datetime, new_id: Any
) -> tuple[Alert, datetime]:
    sent = alert.messages[value % len(alert.messages)] if alert.messages else None
    match move:
        case "fail" if sent and alert.is_open:
            alert = alert.fail(sent.message_id)
        case "take" if found := Alerts([alert]).find_meant(
            "ok", PEOPLE[value].number, None
        ):
            alert = found[0].acknowledge(found[1].person, "in", now, new_id)
        case "crash":
            alert = Alert.read(alert.write())
            now += timedelta(seconds=value)
        case _:
            now += timedelta(seconds=value)
    return advance(alert, now, new_id), now


def _check(alert: Alert, rounds: int) -> None:
    texts = Counter((each.person.key, each.step, each.round) for each in alert.messages)
    assert set(texts.values()) <= {1}
    assert len({each.message_id for each in alert.messages}) == len(alert.messages)
    assert 1 <= alert.round <= rounds
    notices = [each.person.key for each in alert.notices]
    assert len(set(notices)) == len(notices)
