"""Whose turn it is to be asked, and who has answered."""

from datetime import timedelta
from itertools import count
from typing import Any

from custom_components.virtual_sms.core.answer_matching import Choice
from custom_components.virtual_sms.core.person import Person
from custom_components.virtual_sms.core.questions import (
    Answer,
    Asked,
    Question,
    Questions,
    QuestionState,
    Turn,
)
from tests.fakes import START

BOB = Person(number="+33600000001", line="l", contact_id="bob", name="Bob")
ANN = Person(number="+33600000002", line="l", contact_id="ann", name="Ann")
CAT = Person(number="+33600000003", line="l")
ANSWER = Answer(
    answer_id="yes",
    text="Yes",
    number=BOB.number,
    contact="Bob",
    contact_id="bob",
    line="l",
    received_at=START.isoformat(),
    message_id="in",
)


def question(question_id: str, *people: Person, at: float = 0) -> Question:
    """Make a question that is asked `at` seconds after START."""
    asked_at = START + timedelta(seconds=at)
    return Question(
        question_id=question_id,
        tag=None,
        text="Close it?",
        choices=(Choice(choice_id="yes", sentences=("Yes",)),),
        asked_at=asked_at,
        deadline=asked_at + timedelta(minutes=10),
        recipients=tuple(Asked(person=each) for each in people),
    )


def ids() -> Any:
    """Make ids that tell their order."""
    numbers = count()
    return lambda: f"m{next(numbers)}"


def turns(questions: Questions, question_id: str) -> list[str]:
    """List where everybody stands with a question."""
    return [each.turn.value for each in questions.get(question_id).recipients]


def test_one_question_at_a_time() -> None:
    """Everybody is asked the oldest first, and the next when that is closed."""
    questions, new_id = Questions([question("b", BOB, ANN, at=1)]), ids()
    questions.put(question("a", BOB, CAT))
    changed = questions.take_turns(new_id, START)
    assert [(each.question_id, len(people)) for each, people in changed] == [
        ("a", 2),
        ("b", 1),
    ]
    assert turns(questions, "a") == ["asked", "asked"]
    assert turns(questions, "b") == ["waiting", "asked"]
    assert questions.take_turns(new_id, START) == []
    questions.put(questions.get("a").end(QuestionState.EXPIRED))
    [(changed_one, people)] = questions.take_turns(new_id, START)
    assert [each.person for each in people] == [BOB]
    assert turns(questions, "b") == ["asked", "asked"]
    ids_ = [each.message_id for each in changed_one.recipients]
    assert ids_ == ["m3", "m2"]


def test_who_cannot_be_asked_blocks_nobody() -> None:
    """Who was not reached by one question is asked the next."""
    questions, new_id = Questions([question("a", BOB, CAT)]), ids()
    questions.put(question("b", BOB, at=1))
    questions.take_turns(new_id, START)
    questions.put(questions.get("a").fail("bob"))
    questions.take_turns(new_id, START)
    assert turns(questions, "a") == ["failed", "asked"]
    assert turns(questions, "b") == ["asked"]
    failed = questions.put(questions.get("a").fail(CAT.key))
    assert failed.state is QuestionState.FAILED
    assert failed.fail(CAT.key).state is QuestionState.FAILED


def test_who_answers() -> None:
    """Only who has been asked, by any of their numbers, as long as it is open."""
    questions = Questions([question("a", BOB, CAT)])
    assert questions.find_writer(BOB.number, "bob") is None
    questions.take_turns(ids(), START)
    for sender, contact_id in ((BOB.number, None), ("+33699999999", "bob")):
        found = questions.find_writer(sender, contact_id)
        assert found is not None
        assert found[1].person == BOB
    assert questions.find_writer("+33699999999", None) is None
    assert questions.find_writer(ANN.number, "ann") is None
    asked = questions.find_asked("m1")
    assert asked is not None
    assert asked[1].person == CAT
    assert questions.find_asked("m2") is None
    questions.put(questions.get("a").take(ANSWER))
    assert questions.find_writer(BOB.number, "bob") is None
    assert questions.find_asked("m1") is None
    answered = questions.find_answered("in")
    assert answered is not None
    assert answered.is_due_for_publishing
    assert not answered.publish().is_due_for_publishing
    assert questions.find_answered("m1") is None


def test_deadlines() -> None:
    """A question closes at its deadline, and is forgotten some time later."""
    questions = Questions([question("a", BOB), question("b", ANN, at=60)])
    assert questions.next_deadline == START + timedelta(minutes=10)
    late = START + timedelta(minutes=10)
    [expired] = questions.expire(late)
    assert (expired.question_id, expired.text, expired.choices) == ("a", "", ())
    assert questions.next_deadline == START + timedelta(minutes=11)
    assert questions.take_old(late) == []
    assert [each.question_id for each in questions.take_old(late + _DAY)] == ["a"]
    assert [each.question_id for each in questions.everything] == ["b"]


_DAY = timedelta(days=1)


def test_stored_and_read() -> None:
    """What is read is what was written, at each stage."""
    asked = question("a", BOB, CAT)
    assert Question.read(asked.write()) == asked
    asked = (
        asked.ask("bob", "m", START)
        .remind(Asked(person=BOB, reminder_id="r"))
        .fail(CAT.key)
    )
    assert Question.read(asked.write()) == asked
    assert asked.recipients[0] == Asked(
        person=BOB, turn=Turn.ASKED, message_id="m", at=START, reminder_id="r"
    )
    answered = asked.take(ANSWER)
    assert Question.read(answered.write()) == answered
    assert BOB.shown == "Bob"
    assert CAT.shown == CAT.number
