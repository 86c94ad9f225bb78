"""A short run of `scripts/crash`, and the proof that it sees what it counts."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lab.crash import world as world_module
from lab.crash.__main__ import conclude
from lab.crash.columns import COLUMNS, NEEDED, broken, count
from lab.crash.evidence import MOMENT, MOST_IN_FLIGHT, RECEIVED, STATUS, Evidence
from lab.crash.experiment import (
    PROMISES,
    Report,
    find_missing,
    find_missing_own,
)
from lab.crash.forgeries import CODE, MARK
from lab.crash.log import complaints
from lab.crash.mutants import TRIALS
from lab.crash.shakes import put_right
from lab.crash.world import Kill, Span, Traffic, World
from lab.shaken.mutants import MUTANTS
from simulator import Message

PROJECT = Path(__file__).parents[2]
BOUND = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
CLEAN = {each.key: 0 if each.is_promise else 1 for each in COLUMNS}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command; a failure is shown with its table."""
    return subprocess.run(
        [PROJECT / "scripts" / "crash", *arguments],
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )


@pytest.mark.lab
def test_every_promise_survives_a_crash() -> None:
    """Nothing is lost, told or accepted twice, untrue, unpublished or believed."""
    finished = run("--seconds", "3", "--seed", "7", "--only", "kill")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    rows = [line for line in finished.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 5
    assert "crash: every promise kept" in finished.stdout


def test_every_promise_has_a_mutant() -> None:
    """A column that no fault of the product fills would prove nothing."""
    assert TRIALS.keys() == MUTANTS.keys()
    promises = {each.key for each in COLUMNS if each.is_promise}
    promises |= {*PROMISES, "complaints"}
    assert {each.breaks for each in TRIALS.values()} == promises


def test_every_mutant_finds_its_place() -> None:
    """What a fault takes away is still there, under its name."""
    program = (
        "from lab.shaken.mutants import MUTANTS\n"
        "for mutate in MUTANTS.values(): mutate()"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("key", [*NEEDED, "forged"])
def test_an_empty_run_fails(key: str) -> None:
    """Zeros prove nothing where nothing was sent, told, accepted or forged."""
    rows = [CLEAN | {key: 0}]
    report = Report(rows=rows, missing=find_missing((), {}, rows))
    assert report.missing == [key]
    assert not report.broken
    assert conclude(report) == 1


def test_a_run_without_a_shake_fails() -> None:
    """Zeros prove nothing where nobody was killed."""
    assert find_missing(("kill", "clock"), {"clock": 2}, [CLEAN]) == ["kill"]
    assert find_missing((), {}, []) == [*NEEDED, "forged"]


def test_a_long_run_has_everything() -> None:
    """Who presses no key, or reaches no limit, has proved nothing of it."""
    own = dict.fromkeys(PROMISES, 0) | {"alerts": 1, "pressed": 0, "limited": 0}
    assert find_missing_own(own, 75.0) == ["pressed", "limited"]
    assert find_missing_own(own, 10.0) == []
    assert find_missing_own(own | {"alerts": 0}, 10.0) == ["alerts"]


def test_a_clean_run_passes() -> None:
    """What must be zero is, and what must not is not."""
    report = Report(rows=[CLEAN], missing=find_missing(("kill",), {"kill": 1}, [CLEAN]))
    assert conclude(report) == 0


@pytest.mark.parametrize("key", [each.key for each in COLUMNS if each.is_promise])
def test_a_broken_promise_fails_the_run(key: str) -> None:
    """Each by itself, and an error in the log as well."""
    assert conclude(Report(rows=[CLEAN, CLEAN | {key: 1}])) == 1
    assert conclude(Report(rows=[CLEAN], complaints=["an error"])) == 1


def inbound(number: int, at: float = 0.0) -> Message:
    """Make a message that the provider keeps for the home."""
    created = START + timedelta(seconds=at)
    return Message(
        id=f"SM{number}",
        inbound=True,
        number="+1",
        sender="+2",
        to="+1",
        text="in",
        status="received",
        created=created,
        updated=created,
    )


def outbound(number: int, text: str, status: str = "delivered") -> Message:
    """Make a message that the provider took from the home."""
    return Message(
        id=f"OUT{number}",
        inbound=False,
        number="+1",
        sender="+1",
        to="+2",
        text=text,
        status=status,
        created=START,
        updated=START,
    )


def received(number: int, at: float = 10.0, **data: object) -> dict[str, Any]:
    """Make an event of a message, as the witness writes it down."""
    own = {"message_id": f"SM{number}", "text": "in", "late": True, **data}
    return _event(RECEIVED, at, own)


def status(our_id: str, value: str, at: float = 10.0, **data: object) -> dict[str, Any]:
    """Make an event of a status."""
    own = {
        "message_id": our_id,
        "provider_id": None,
        "status": value,
        "final": value in {"delivered", "undelivered", "failed"},
        "error_code": None,
        **data,
    }
    return _event(STATUS, at, own)


def _event(kind: str, at: float, data: dict[str, object]) -> dict[str, Any]:
    return {"type": kind, "pid": 1, "at": at, "data": data | {"entry_id": "entry"}}


def look(  # the world as far as it is looked at
    traffic: Traffic,
    provider: Sequence[Message] = (),
    events: Sequence[dict[str, Any]] = (),
    kills: Sequence[Kill] = (),
    full: Sequence[Span] = (),
    called_back: Sequence[str] = (),
    callbacks: Sequence[Any] = (),
) -> dict[str, int]:
    """Count, and return the promises that are broken and how often."""
    side = SimpleNamespace(
        inbound=[each for each in provider if each.inbound],
        messages=[each for each in provider if not each.inbound],
        finals=frozenset({"delivered", "undelivered", "failed"}),
    )
    world: World = SimpleNamespace(  # type: ignore[assignment]
        simulator=SimpleNamespace(
            providers={"twilio": side},
            callbacks=[
                SimpleNamespace(message_id=each, ok=True) for each in called_back
            ]
            + list(callbacks),
        ),
        events=lambda: iter(events),
        kills=kills,
        full=full,
    )
    row = count(Evidence(world, traffic))
    return {key: row[key] for key in broken(row)}


def number(**known: Any) -> Traffic:
    """Return a number on which something was sent."""
    return Traffic(
        provider="twilio", number="+1", mode="automatic", entry_id="entry", **known
    )


def test_what_arrives_once_and_in_order_breaks_nothing() -> None:
    """Neither what came in nor what went out."""
    traffic = number(written={"SM1": "in", "SM2": "in"}, asked={"out": "ours"})
    provider = [inbound(1), inbound(2, 5), outbound(1, "out")]
    events = [
        received(1),
        received(2),
        status("ours", "queued"),
        status("ours", "sent", provider_id="OUT1"),
        status("ours", "delivered", provider_id="OUT1"),
    ]
    assert look(traffic, provider, events) == {}


def test_a_message_that_is_not_told_is_lost() -> None:
    """Or a text that was promised, but neither taken nor given up."""
    traffic = number(written={"SM1": "in"}, asked={"out": "ours"})
    assert look(traffic, [inbound(1)]) == {"inbound_lost": 1, "outbound_lost": 1}


@pytest.mark.parametrize(
    ("told", "taken", "found"),
    [
        (None, 0, {}),
        (None, 1, {}),
        (None, 2, {"accepted_twice": 1}),
        ("ours", 0, {"outbound_lost": 1}),
        ("ours", 1, {"unpublished": 1}),
    ],
)
def test_what_a_kill_forgot_is_lost_to_whom_it_was_promised(
    told: str | None, taken: int, found: dict[str, int]
) -> None:
    """Whoever was not told that it went lost nothing; but it must not leave again."""
    provider = [outbound(each, "out") for each in range(taken)]
    kills = [Kill(pid=1, at=10.0)]
    assert look(number(asked={"out": told}), provider, kills=kills) == found


@pytest.mark.parametrize(
    ("kill_at", "is_twice"),
    [(10.1, False), (10 + MOMENT * 2, True), (9.9, True), (None, True)],
)
def test_a_repeat_is_excused_by_a_kill_right_after(
    kill_at: float | None, is_twice: bool
) -> None:
    """What was told long before it, or without any, is told twice."""
    traffic = number(written={"SM1": "in"})
    kills = [] if kill_at is None else [Kill(pid=1, at=kill_at)]
    found = look(traffic, [inbound(1)], [received(1), received(1, 20.0)], kills)
    assert found == ({"twice": 1} if is_twice else {})


def test_a_repeat_is_excused_by_a_disk_that_was_full() -> None:
    """For then nothing can be noted."""
    events, full = [received(1), received(1, 20.0)], [Span(start=9.0, end=12.0)]
    assert look(number(written={"SM1": "in"}), [inbound(1)], events, full=full) == {}


def test_a_kill_excuses_no_more_than_can_be_in_flight() -> None:
    """Whatever is repeated beyond that had been noted."""
    ids = range(MOST_IN_FLIGHT + 3)
    events = [received(each) for each in ids] + [received(each, 20.0) for each in ids]
    provider = [inbound(each) for each in ids]
    assert look(number(), provider, events, [Kill(pid=1, at=10.1)]) == {"twice": 3}


def test_what_was_missed_is_told_oldest_first() -> None:
    """What lies within a second bears the same time at a provider."""
    traffic = number(written={"SM1": "in", "SM2": "in"})
    events = [received(2), received(1)]
    assert look(traffic, [inbound(1), inbound(2, 5.0)], events) == {"disorder": 1}
    assert look(traffic, [inbound(1), inbound(2, 0.5)], events) == {}
    in_time = [received(2, late=False), received(1)]
    assert look(traffic, [inbound(1), inbound(2, 5.0)], in_time) == {}
    provider = [inbound(1), inbound(2, 5.0)]
    assert look(traffic, provider, events, called_back=["SM2"]) == {}


@pytest.mark.parametrize(
    ("status", "reached", "is_seen"),
    [(None, True, False), (None, False, True), (503, True, True)],
)
def test_a_callback_that_got_no_answer_may_have_been_taken_in(
    status: int | None, reached: bool, is_seen: bool
) -> None:
    """The home was killed before it could answer, and not before it took it."""
    traffic = number(written={"SM1": "in", "SM2": "in"})
    callback = SimpleNamespace(
        message_id="SM2", ok=False, status=status, reached=reached
    )
    found = look(
        traffic,
        [inbound(1), inbound(2, 5.0)],
        [received(2), received(1)],
        callbacks=[callback],
    )
    assert found == ({"disorder": 1} if is_seen else {})


@pytest.mark.parametrize(
    "states", [("delivered", "sent"), ("sent", "queued"), ("delivered", "undelivered")]
)
def test_a_status_moves_forward_only(states: Sequence[str]) -> None:
    """Nothing follows an end."""
    traffic = number(asked={"out": "ours"})
    events = [status("ours", each, provider_id="OUT1") for each in states]
    found = look(traffic, [outbound(1, "out", states[0])], events)
    assert found["disorder"] == 1


def test_an_end_that_is_not_told_is_seen() -> None:
    """Also when nobody heard our id of it, for the caller was gone."""
    events = [status("ours", "sent", provider_id="OUT1")]
    found = look(number(asked={"out": None}), [outbound(1, "out")], events)
    assert found == {"unpublished": 1}


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ([outbound(1, "out", "undelivered")], "delivered"),
        ([outbound(1, "out")], "failed"),
        ([], "failed"),
    ],
)
def test_an_end_that_is_not_the_providers_is_untrue(
    provider: Sequence[Message], told: str
) -> None:
    """Nor may a message have failed that no provider ever refused."""
    traffic = number(asked={"out": "ours"})
    assert look(traffic, provider, [status("ours", told)]) == {"lies": 1}


def test_a_token_that_is_replaced_may_be_refused() -> None:
    """Then the provider did refuse the message."""
    traffic = number(asked={"out": "ours"})
    assert look(traffic, [], [status("ours", "failed", error_code="20003")]) == {}


def test_what_a_full_disk_cannot_remember_may_fail() -> None:
    """It is tried once, as whoever asked for it was told."""
    traffic = number(asked={"out": None})
    events = [status("ours", "failed")]
    assert look(traffic, [], events, full=[Span(start=0.0, end=1.0)]) == {}
    assert look(traffic, [], events) == {"lies": 1}


def test_a_text_that_was_refused_and_sent_is_seen() -> None:
    """Whoever heard of the refusal sends it again."""
    traffic = number(asked={"out": None}, refused={"out": "no"})
    events = [status("ours", "delivered", provider_id="OUT1")]
    assert look(traffic, [outbound(1, "out")], events) == {"falsely_refused": 1}
    assert look(number(asked={"out": None}, refused={"out": "no"})) == {}


def test_a_text_that_is_taken_twice_is_seen() -> None:
    """By the provider's own record."""
    events = [status("ours", "delivered", provider_id="OUT1")]
    provider = [outbound(1, "out"), outbound(2, "out")]
    found = look(number(asked={"out": "ours"}), provider, events)
    assert found["accepted_twice"] == 1


@pytest.mark.parametrize(
    "event",
    [
        received(9, text=MARK),
        received(1, text=MARK),
        received(9),
        status("ours", "failed", error_code=CODE),
    ],
)
def test_a_forgery_that_is_believed_is_seen(event: dict[str, Any]) -> None:
    """A message that never was, other words, or a receipt that is no provider's."""
    assert look(number(), [inbound(1)], [event])["believed"] == 1


LINE = "2026-01-01 00:00:00.000+00:00 {level} (MainThread) [{name}] {text}\n"
TRACE = "Traceback (most recent call last):\n  File virtual_sms/inbox.py\n{error}\n"


@pytest.mark.parametrize(
    ("record", "is_fault"),
    [
        (LINE.format(level="ERROR", name="virtual_sms.inbox", text="Odd"), True),
        (LINE.format(level="WARNING", name="virtual_sms.inbox", text="Odd"), False),
        (LINE.format(level="ERROR", name="homeassistant", text="Odd"), False),
        (
            LINE.format(level="ERROR", name="homeassistant", text="Error doing job")
            + TRACE.format(error="ValueError"),
            True,
        ),
        (
            LINE.format(level="ERROR", name="virtual_sms.inbox", text="Not noted")
            + TRACE.format(error="sqlite3.OperationalError: database or disk is full"),
            False,
        ),
        (
            LINE.format(
                level="ERROR", name="x", text="Error fetching virtual_sms data: gone"
            ),
            False,
        ),
        (
            LINE.format(
                level="ERROR",
                name="x",
                text="Authentication failed while fetching virtual_sms data: no",
            ),
            False,
        ),
        (
            LINE.format(
                level="ERROR", name="x", text="Error fetching virtual_sms data: gone"
            )
            + TRACE.format(error="KeyError"),
            True,
        ),
    ],
)
def test_an_error_that_names_us_is_seen(record: str, is_fault: bool) -> None:
    """Unless it tells what was done to the home, or what a provider did."""
    start = LINE.format(level="INFO", name="homeassistant", text="Starting")
    found = complaints(f"no record\n{start}\x1b[31m{record}\x1b[0m{start}")
    assert bool(found) is is_fault


class Asked:
    """A home and what it was asked for; it knows the token of one number only."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    async def ask(self, method: str, path: str, data: Any = None) -> Any:
        """Take a request, and answer as a home would."""
        del method
        self.asked.append((path, data))
        if path == "/api/witness/credentials":
            return {"right": {"token": "new", "more": ""}, "wrong": {"token": "old"}}
        return {"flow_id": "flow", "reason": "reconfigure_successful"}

    async def command(self, kind: str, **data: Any) -> None:
        """Take a command."""
        self.asked.append((kind, data))


async def test_what_a_shake_could_not_undo_is_put_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clock, disk, disabled numbers and tokens; a number that is right is not reloaded."""
    monkeypatch.setattr(world_module, "_SEEN", 0.0)
    home = Asked()
    world: Any = World.__new__(World)
    world.home, world.traffic = home, [number(), number()]
    world.home.plan = SimpleNamespace(environment={})
    world._is_at_rest = asyncio.Lock()
    for traffic, entry_id in zip(world.traffic, ("right", "wrong"), strict=True):
        traffic.entry_id = entry_id
    side = SimpleNamespace(credentials={"token": "new"})
    world.simulator = SimpleNamespace(providers={"twilio": side}, url="http://sim")
    await put_right(world)
    flow = "/api/config/config_entries/flow"
    assert [each for each in home.asked if "credentials" not in each[0]] == [
        ("/api/witness/clock", {"offset": 0.0}),
        ("/api/witness/disk", {"full": False}),
        ("config_entries/disable", {"entry_id": "right", "disabled_by": None}),
        ("config_entries/disable", {"entry_id": "wrong", "disabled_by": None}),
        (flow, {"handler": "virtual_sms", "entry_id": "wrong"}),
        (f"{flow}/flow", {"token": "new", "advanced": {"api_url": "http://sim"}}),
    ]
