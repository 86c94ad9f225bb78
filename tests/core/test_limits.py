"""A line sends so much and no more, whoever asks, however often, and whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from custom_components.virtual_sms.adapters.errors import (
    MessageRejectedError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    OutboundMessage,
    RejectReason,
)
from custom_components.virtual_sms.core.inbox import Inbox
from custom_components.virtual_sms.core.limits import LimitReachedError, month_of
from custom_components.virtual_sms.core.outbox import Outbox
from custom_components.virtual_sms.core.outcome import Outcome
from custom_components.virtual_sms.store.changes import Change
from custom_components.virtual_sms.store.consent import Source, note_consent
from custom_components.virtual_sms.store.database import DatabaseClosedError
from custom_components.virtual_sms.store.usage import (
    Allowance,
    Limit,
    LimitReached,
    Limits,
    Month,
    hash_text,
)
from tests.fakes import (
    START,
    Clock,
    FakeAdapter,
    inbound,
    make_dependencies,
    open_store,
)

HALF_AN_HOUR = timedelta(minutes=30)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOVEMBER = Month("2026-11", datetime(2026, 12, 1, tzinfo=UTC))
DECEMBER = Month("2026-12", datetime(2027, 1, 1, tzinfo=UTC))
NO_LIMITS = Limits(hour=None, day=None, month=None, repeats=None)


class Desk:
    """An outbox with limits, and a number that asks for another text each time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.adapter = FakeAdapter(self.clock)
        self.limits = replace(NO_LIMITS, hour=5)
        self.month = NOVEMBER
        self.count = 0
        self.published: list[Change] = []

    async def open(self) -> None:
        """Open the line as a start of Home Assistant does."""
        self.store = await open_store(self.path, self.clock)
        self.outbox = Outbox(
            self.adapter.line(),
            self.store.outbound,
            self.published.extend,
            make_dependencies(self.clock),
        )

    def compose(
        self, text: str = "", *, to: str = "+33612345678", segments: int = 1
    ) -> OutboundMessage:
        """Make a message of some segments."""
        self.count += 1
        message = self.outbox.compose(to, text or f"Text {self.count}")
        return replace(message, segments=segments)

    async def send(
        self, *messages: OutboundMessage, critical: bool = False
    ) -> list[SmsError | None]:
        """Send, and return what went wrong with each message, in order."""
        allowance = Allowance(
            limits=self.limits, month=self.month, is_critical=critical
        )
        outcomes = await self.outbox.send(messages, HALF_AN_HOUR, allowance=allowance)
        found = {each.message.message_id: each.error for each in outcomes}
        return [found[each.message_id] for each in messages]

    async def send_some(self, count: int, *, critical: bool = False) -> int:
        """Send so many messages one by one, and return how many went out."""
        errors = [
            error
            for _ in range(count)
            for error in await self.send(self.compose(), critical=critical)
        ]
        return errors.count(None)

    async def refusal(
        self, message: OutboundMessage | None = None, *, critical: bool = False
    ) -> tuple[Limit, datetime | None]:
        """Send a message that is refused, and return which limit it is, until when."""
        (error,) = await self.send(message or self.compose(), critical=critical)
        assert isinstance(error, LimitReachedError)
        return error.limit, error.until


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Open a line that may send five segments an hour."""
    desk = Desk(tmp_path / "store.db")
    await desk.open()
    yield desk
    await desk.store.close()


# Sliding windows


@pytest.mark.parametrize(
    ("limit", "limits", "window"),
    [
        (Limit.HOUR, replace(NO_LIMITS, hour=5), HOUR),
        (Limit.DAY, replace(NO_LIMITS, day=5), DAY),
    ],
)
async def test_hour_and_day_are_sliding_windows(
    desk: Desk, limit: Limit, limits: Limits, window: timedelta
) -> None:
    """The sixth waits until the first has left the window, and the error says so."""
    desk.limits = limits
    assert await desk.send_some(1) == 1
    desk.clock.advance(60)
    assert await desk.send_some(4) == 4
    assert await desk.refusal() == (limit, START + window)
    assert await desk.refusal(desk.compose(segments=2)) == (
        limit,
        START + timedelta(seconds=60) + window,
    )
    desk.clock.advance(window.total_seconds() - 61)
    assert await desk.send_some(1) == 0
    desk.clock.advance(1)
    assert await desk.send_some(2) == 1


async def test_segments_are_counted(desk: Desk) -> None:
    """A long text uses up more; what is left is for shorter ones."""
    assert await desk.send(desk.compose(segments=4)) == [None]
    assert (await desk.refusal(desk.compose(segments=2)))[0] is Limit.HOUR
    assert await desk.send(desk.compose(segments=1)) == [None]
    assert await desk.send_some(1) == 0


async def test_what_is_larger_than_the_limit_never_fits(desk: Desk) -> None:
    """There is no time to wait for; critical, it may."""
    assert await desk.refusal(desk.compose(segments=6)) == (Limit.HOUR, None)
    assert await desk.send(desk.compose(segments=6), critical=True) == [None]


async def test_of_a_call_what_fits_is_sent(desk: Desk) -> None:
    """The rest is refused, and neither written down, nor published, nor sent."""
    messages = [desk.compose() for _ in range(8)]
    errors = await desk.send(*messages)
    assert errors[:5] == [None] * 5
    assert all(isinstance(each, LimitReachedError) for each in errors[5:])
    assert desk.adapter.attempts == messages[:5]
    queued = [each for each in desk.published if each.previous is None]  # type: ignore[union-attr]
    assert len(queued) == 5
    # That they were accepted is written after the answer.
    await desk.store.wait()
    assert desk.store.tally.sent == 5
    assert (await desk.refusal())[1] == START + HOUR


async def test_fifty_at_once_cannot_slip_past(desk: Desk) -> None:
    """Each is counted before it leaves, whatever is on disk by then."""
    results = await asyncio.gather(*(desk.send_some(1) for _ in range(50)))
    assert sum(results) == 5
    assert len(desk.adapter.attempts) == 5


async def test_what_has_no_limits_counts_for_what_is_queued_beside_it(
    desk: Desk,
) -> None:
    """All that is decided together is counted together, whatever each may use."""
    first, *free = (desk.compose() for _ in range(5))
    _, _, errors = await asyncio.gather(
        desk.send(first),
        desk.outbox.send(free, HALF_AN_HOUR),
        desk.send(desk.compose()),
    )
    (error,) = errors
    assert isinstance(error, LimitReachedError)
    assert error.limit is Limit.HOUR
    assert len(desk.adapter.attempts) == 5


async def test_where_all_of_a_window_is_of_just_now(desk: Desk) -> None:
    """It ends after its whole length."""
    message = desk.compose()
    errors = await desk.send(*(desk.compose() for _ in range(5)), message)
    error = errors[-1]
    assert isinstance(error, LimitReachedError)
    assert error.until == START + HOUR


async def test_who_sends_hears_of_each(desk: Desk) -> None:
    """Also where the line closes while the messages are written."""
    heard: list[Outcome] = []
    messages = [desk.compose() for _ in range(6)]
    allowance = Allowance(limits=desk.limits, month=NOVEMBER)
    await desk.outbox.send(messages, HALF_AN_HOUR, heard.append, allowance)
    first = {each.message.message_id: each for each in reversed(heard)}
    assert [first[each.message_id].status for each in messages] == [
        *[DeliveryStatus.QUEUED] * 5,
        DeliveryStatus.FAILED,
    ]


async def test_what_is_not_limited_is_not_refused(desk: Desk) -> None:
    """Without limits, and without an allowance, anything goes, and is counted."""
    desk.limits = NO_LIMITS
    assert await desk.send_some(4) == 4
    for outcome in await desk.outbox.send([desk.compose("a")], HALF_AN_HOUR):
        assert outcome.error is None
    desk.limits = Limits(hour=5, day=None, repeats=None)
    assert await desk.send_some(1) == 0


async def test_a_limit_that_is_lowered_below_what_is_used(desk: Desk) -> None:
    """Closes until enough has left the window."""
    assert await desk.send_some(2) == 2
    desk.clock.advance(60)
    assert await desk.send_some(3) == 3
    desk.limits = Limits(hour=1, day=None, repeats=None)
    later = START + timedelta(seconds=60) + HOUR
    assert await desk.refusal() == (Limit.HOUR, later)


async def test_a_limit_of_none_at_all(desk: Desk) -> None:
    """Nothing goes out, critical or not."""
    desk.limits = Limits(hour=0)
    assert await desk.refusal() == (Limit.HOUR, None)
    assert await desk.refusal(critical=True) == (Limit.HOUR, None)


# Over restarts and clocks


async def test_a_restart_opens_nothing(desk: Desk) -> None:
    """What was sent is on disk."""
    assert await desk.send_some(5) == 5
    await desk.store.close()
    await desk.open()
    assert await desk.refusal() == (Limit.HOUR, START + HOUR)


@pytest.mark.parametrize(
    ("limits", "seconds", "room"),
    [
        (Limits(hour=3), 3599, 0),
        (Limits(hour=4), 3599, 1),
        (Limits(hour=3), 3600, 1),
        (Limits(hour=None, day=3), 86_399, 0),
        (Limits(hour=None, day=4), 86_399, 1),
        (Limits(hour=None, day=3), 86_400, 1),
        (Limits(repeats=2), 599, 0),
        (Limits(repeats=2), 600, 1),
        (Limits(month=3), 0, 0),
    ],
)
async def test_a_restart_counts_what_still_matters(
    desk: Desk, limits: Limits, seconds: float, room: int
) -> None:
    """Each window goes on where it was, as does a month."""
    desk.limits = limits
    assert await desk.send(desk.compose("Leak")) == [None]
    assert await desk.send(desk.compose("Leak", segments=2)) == [None]
    await desk.store.close()
    desk.clock.advance(seconds)
    await desk.open()
    assert (await desk.send(desk.compose("Leak"))).count(None) == room


async def test_a_line_that_is_closed_counts_nothing(desk: Desk) -> None:
    """What could not be begun has used up nothing."""
    await desk.store.close()
    with pytest.raises(DatabaseClosedError):
        await desk.send(desk.compose(), desk.compose())
    assert desk.adapter.attempts == []
    assert desk.store.outbound.unwritten == {}
    messages = [desk.compose() for _ in range(6)]
    allowance = Allowance(limits=desk.limits, month=NOVEMBER)
    assert list(desk.store.outbound.foresee(messages, allowance)) == [
        messages[5].message_id
    ]


@pytest.mark.parametrize("step", [-5 * 3600, 5 * 3600])
async def test_a_clock_that_jumps_opens_nothing(desk: Desk, step: float) -> None:
    """Nor does it close; the error tells the time as the home has it then."""
    assert await desk.send_some(5) == 5
    desk.clock.step(step)
    until = START + HOUR + timedelta(seconds=step)
    assert await desk.refusal() == (Limit.HOUR, until)
    await desk.store.outbound.note_clock()
    await desk.store.close()
    await desk.open()
    assert await desk.refusal() == (Limit.HOUR, until)
    desk.clock.advance(3600)
    assert await desk.send_some(6) == 5


# Months


async def test_a_month_begins_anew_where_the_home_is(desk: Desk) -> None:
    """It counts segments, over restarts, and also when a clock was a month ahead."""
    desk.limits = replace(NO_LIMITS, month=3)
    assert await desk.send(desk.compose(segments=2), desk.compose()) == [None, None]
    assert await desk.refusal() == (Limit.MONTH, NOVEMBER.ends_at)
    await desk.store.close()
    await desk.open()
    assert await desk.refusal() == (Limit.MONTH, NOVEMBER.ends_at)
    desk.month = DECEMBER
    assert await desk.send_some(4) == 3
    desk.month = NOVEMBER
    assert await desk.refusal() == (Limit.MONTH, NOVEMBER.ends_at)


async def test_months_are_forgotten_in_the_end(desk: Desk) -> None:
    """Two years are more than a clock can be wrong by, and nobody asks for them."""
    desk.limits = replace(NO_LIMITS, month=1)
    for year in range(2026, 2030):
        for month in range(1, 13):
            desk.month = replace(NOVEMBER, name=f"{year}-{month:02}")
            assert await desk.send_some(2) == 1
    desk.month = replace(NOVEMBER, name="2028-01")
    assert await desk.send_some(2) == 0
    desk.month = replace(NOVEMBER, name="2027-12")
    assert await desk.send_some(2) == 1


async def test_a_month_is_filled_by_a_single_call(desk: Desk) -> None:
    """What fits is sent, as with every limit."""
    desk.limits = replace(NO_LIMITS, month=3)
    errors = await desk.send(*(desk.compose() for _ in range(5)))
    assert errors.count(None) == 3


async def test_a_month_counts_what_is_forgotten_by_its_end(desk: Desk) -> None:
    """The rows of its first day are gone after thirty days."""
    desk.limits = replace(NO_LIMITS, month=1)
    assert await desk.send_some(1) == 1
    desk.clock.advance(31 * 86400)
    await desk.store.prune()
    await desk.store.prune()
    assert await desk.store.outbound.is_claimed("P0") is False
    assert (await desk.refusal())[0] is Limit.MONTH


@pytest.mark.parametrize(
    ("local", "name", "end"),
    [
        ("2026-11-27T23:59", "2026-11", "2026-12-01T00:00+01:00"),
        ("2026-12-31T23:59", "2026-12", "2027-01-01T00:00+01:00"),
        ("2026-03-01T00:00", "2026-03", "2026-04-01T00:00+02:00"),
    ],
)
def test_months_of_the_home(local: str, name: str, end: str) -> None:
    """They begin at midnight there, summer time or not."""
    zone = ZoneInfo("Europe/Paris")
    month = month_of(datetime.fromisoformat(local).replace(tzinfo=zone))
    assert month == Month(name, datetime.fromisoformat(end).astimezone(zone))
    assert month.ends_at.isoformat(timespec="minutes") == end


# Repeats


async def test_the_same_text_to_the_same_recipient(desk: Desk) -> None:
    """A flapping sensor sends no more than a few; other texts and people are free."""
    desk.limits = replace(NO_LIMITS, repeats=2)
    assert await desk.send(desk.compose("Hello")) == [None]
    desk.clock.advance(60)
    for _ in range(2):
        assert await desk.send(desk.compose("Leak")) == [None]
        desk.clock.advance(60)
    until = START + timedelta(minutes=11)
    assert await desk.refusal(desk.compose("Leak")) == (Limit.REPEATS, until)
    assert await desk.send(desk.compose("Leak", to="+33600000001")) == [None]
    assert await desk.send(desk.compose("Leak!", segments=9)) == [None]
    desk.clock.advance(8 * 60 + 1)
    assert await desk.send(desk.compose("Leak")) == [None]
    assert await desk.refusal(desk.compose("Leak")) == (
        Limit.REPEATS,
        until + timedelta(minutes=1),
    )


async def test_a_long_text_counts_as_one_repeat(desk: Desk) -> None:
    """However many segments it takes."""
    desk.limits = replace(NO_LIMITS, repeats=2)
    texts = [desk.compose("Leak", segments=3) for _ in range(3)]
    assert (await desk.send(*texts)).count(None) == 2


async def test_thirty_at_once_are_repeats_as_well(desk: Desk) -> None:
    """They are counted as they leave."""
    desk.limits = Limits(hour=None, day=None)
    errors = await desk.send(*(desk.compose("Leak") for _ in range(30)))
    assert errors.count(None) == 5
    results = await asyncio.gather(*(desk.send(desk.compose("Fire")) for _ in range(9)))
    assert results.count([None]) == 5


async def test_pictures_make_a_text_another(desk: Desk) -> None:
    """Two cameras are no repeat."""
    message = desk.compose("Look")
    assert hash_text(message) == hash_text(desk.compose("Look"))
    assert hash_text(message) != hash_text(replace(message, media=("https://a",)))


async def test_nothing_of_a_text_is_kept(desk: Desk) -> None:
    """What tells a repeat is forgotten when it can tell none any more."""

    async def count() -> int:
        (found,) = await desk.store._database.run(
            lambda connection: connection.execute(
                "SELECT count(*) FROM outbound WHERE text_hash IS NOT NULL"
            ).fetchone()
        )
        return int(found)

    await desk.send(desk.compose("Leak"))
    await desk.store.prune()
    assert await count() == 1
    desk.clock.advance(601)
    await desk.store.prune()
    assert await count() == 0


# Critical


async def test_critical_messages_use_each_limit_a_second_time(desk: Desk) -> None:
    """Ordinary ones stay closed after that."""
    assert await desk.send_some(9) == 5
    assert await desk.send_some(9, critical=True) == 5
    assert (await desk.refusal(critical=True))[0] is Limit.HOUR
    assert (await desk.refusal())[0] is Limit.HOUR


async def test_critical_messages_may_come_first(desk: Desk) -> None:
    """The reserve that they used is none for others."""
    assert await desk.send_some(7, critical=True) == 7
    assert await desk.send_some(1) == 0
    desk.clock.advance(3600)
    assert await desk.send_some(6) == 5


async def test_critical_repeats(desk: Desk) -> None:
    """They may be as many again."""
    desk.limits = Limits(hour=None, day=None, repeats=2)
    texts = [desk.compose("Fire") for _ in range(6)]
    assert (await desk.send(*texts, critical=True)).count(None) == 4
    assert (await desk.refusal(desk.compose("Fire")))[0] is Limit.REPEATS


# The repair


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_window_is_opened_anew(desk: Desk, *, restarts: bool) -> None:
    """Whoever agrees gets all of it again, once, at once and over restarts."""
    desk.limits = Limits(hour=5, day=6, month=7, repeats=1)
    assert await desk.send(*(desk.compose("a") for _ in range(2))) != [None, None]
    assert await desk.send_some(5) == 4
    await desk.store.usage.open_anew()
    if restarts:
        await desk.store.close()
        await desk.open()
    desk.clock.advance(1)
    assert await desk.send(desk.compose("a")) == [None]
    assert await desk.send_some(5) == 4
    assert (await desk.refusal())[0] is Limit.HOUR


async def test_a_window_opened_in_the_future_opens_nothing(desk: Desk) -> None:
    """It lies there after a clock was put back while the home was off."""
    desk.clock.step(3600)
    await desk.store.close()
    await desk.open()
    await desk.store.usage.open_anew()
    desk.clock.step(-3600)
    await desk.store.close()
    await desk.open()
    assert await desk.send_some(6) == 5


# Consent


async def test_who_wants_no_messages_gets_none(desk: Desk) -> None:
    """It is refused before it costs, critical or not, and uses up nothing."""
    message = desk.compose()
    await desk.store._database.run(
        lambda connection: note_consent(
            connection, message.recipient, Source.STOP, START
        )
    )
    other = desk.compose(to="+33600000001")
    for critical in (False, True):
        error, none = await desk.send(
            message, replace(other, message_id=f"{critical}"), critical=critical
        )
        assert isinstance(error, MessageRejectedError)
        assert error.reason is RejectReason.OPTED_OUT
        assert none is None
    (outcome,) = await desk.outbox.send([message], HALF_AN_HOUR)
    assert outcome.error is not None
    assert {each.recipient for each in desk.adapter.attempts} == {"+33600000001"}
    desk.limits = Limits(hour=2, day=None, repeats=None)
    assert await desk.send(replace(other, message_id="x", text="x")) != [None]


async def test_a_stop_counts_at_once_and_so_does_a_start(desk: Desk) -> None:
    """Whoever is heard to say so gets no message more, whoever sends; then again."""
    dependencies = make_dependencies(desk.clock)
    publish = desk.published.extend
    line = desk.adapter.line()
    inbox = Inbox(line, desk.store, publish, dependencies, lambda: None)
    await inbox.begin()
    message = desk.compose()
    for number, (word, count) in enumerate([("STOP", 0), ("START", 1), ("STOP", 1)]):
        said = replace(inbound(f"M{number}", at=number, text=word))
        await inbox.take(replace(said, sender=message.recipient))
        await desk.send(replace(message, message_id=f"{number}"))
        assert len(desk.adapter.attempts) == count
    await desk.store.close()
    await desk.open()
    [error] = await desk.send(message)
    assert isinstance(error, MessageRejectedError)


@pytest.mark.parametrize("restarts", [False, True])
async def test_who_is_listed_by_the_provider_gets_none(
    desk: Desk, *, restarts: bool
) -> None:
    """It is enough that nobody else has said anything, ever: the first is not missed."""
    message = desk.compose()
    assert await desk.store.consent.note_listed([message.recipient], START)
    if restarts:
        await desk.store.close()
        await desk.open()
    [error] = await desk.send(message)
    assert isinstance(error, MessageRejectedError)
    assert desk.adapter.attempts == []


async def test_a_refusal_of_the_provider_counts_at_once(desk: Desk) -> None:
    """Who has told the provider is asked no second time."""
    message = desk.compose()
    refused = MessageRejectedError(reason=RejectReason.OPTED_OUT)
    desk.adapter.outcomes.append(refused)
    assert await desk.send(message) == [refused]
    await desk.send(replace(message, message_id="again"))
    assert len(desk.adapter.attempts) == 1


async def test_what_would_be_refused_is_foreseen(desk: Desk) -> None:
    """As it would be now, and nothing is counted by that; times are the home's."""
    assert await desk.send_some(3) == 3
    desk.clock.step(3600)
    messages = [desk.compose() for _ in range(3)]
    allowance = Allowance(limits=desk.limits, month=NOVEMBER)
    for _ in range(2):
        foreseen = desk.store.outbound.foresee(messages, allowance)
        until = START + 2 * HOUR
        assert foreseen == {messages[2].message_id: LimitReached(Limit.HOUR, until)}
    assert await desk.send(*messages[:2]) == [None, None]
