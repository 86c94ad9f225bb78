"""Each message is sent at most once, and its end is always told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest

from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    InvalidResponseError,
    MessageRejectedError,
    ProviderUnavailableError,
    RateLimitedError,
    SendOutcomeUnknownError,
    SmsError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    Capability,
    DeliveryStatus,
    RejectReason,
    SentMessage,
)
from custom_components.virtual_sms.core.outbox import LONGEST_PAUSE, Outbox
from custom_components.virtual_sms.core.outcome import Outcome
from custom_components.virtual_sms.store.changes import StatusChanged
from custom_components.virtual_sms.store.outbound_orders import RECONCILE_AFTER
from custom_components.virtual_sms.store.store import Store
from tests.fakes import (
    START,
    TRUTH,
    Clock,
    FakeAdapter,
    FullDisk,
    make_dependencies,
    open_store,
    outbound,
    receipt,
)

from .conftest import settle

RETRY_WINDOW = timedelta(minutes=30)
DOWN = ProviderUnavailableError("refused", maybe_processed=False)
TIMEOUT = SendOutcomeUnknownError("no answer in time")
ANSWERED = SendOutcomeUnknownError("HTTP 500", answered=True)
REFUSED = MessageRejectedError(reason=RejectReason.OPTED_OUT, provider_code="21610")


@dataclass
class Home:
    """An outbox, all it needs, and what is heard of it."""

    path: Path
    clock: Clock
    adapter: FakeAdapter
    store: Store
    outbox: Outbox
    heard: list[StatusChanged] = field(default_factory=list)
    attempts_at: list[datetime] = field(default_factory=list)

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, adapter: FakeAdapter, **dependencies: Any
    ) -> Self:
        """Start Home Assistant."""
        store = await open_store(path, clock)
        heard: list[StatusChanged] = []
        world = make_dependencies(clock)
        for name, value in dependencies.items():
            object.__setattr__(world, name, value)
        outbox = Outbox(adapter.line(), store.outbound, heard.extend, world)
        return cls(path, clock, adapter, store, outbox, heard)

    async def restart(self) -> Home:
        """Start again on what a crash left."""
        again = await Home.open(self.path, self.clock, self.adapter)
        await self.store.close()
        return again

    async def send(
        self, *ids: str, patience: timedelta = RETRY_WINDOW, **content: str
    ) -> list[Outcome]:
        """Send messages that are alike."""
        now = self.store.outbound.clock.now()
        messages = [outbound(each, created_at=now, **content) for each in ids]
        return await self.outbox.send(messages, patience)

    async def live(self, seconds: float) -> None:
        """Let time go by, and work whenever something is due."""
        until = self.clock.true + timedelta(seconds=seconds)
        for _ in range(5000):
            before = len(self.adapter.attempts)
            pause = await self.outbox.work()
            made = len(self.adapter.attempts) - before
            self.attempts_at.extend([self.clock.true] * made)
            left = (until - self.clock.true).total_seconds()
            if pause is None or pause.total_seconds() > left:
                self.clock.advance(left)
                return
            self.clock.advance(pause.total_seconds())
        pytest.fail("the outbox never rests")

    def states(self, message_id: str = "m") -> list[tuple[str | None, str]]:
        """List a message's changes."""
        return [
            (each.previous, each.status)
            for each in self.heard
            if each.message_id == message_id
        ]

    @property
    def accepted(self) -> list[str]:
        """List the messages the provider took, once for each time it did."""
        return [message.message_id for _, _, message in self.adapter.accepted]

    @property
    def lookups(self) -> int:
        """Count how often the provider was asked for a doubtful message."""
        return self.adapter.questions.count("find_sent")


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    """Start Home Assistant for the first time."""
    clock = Clock()
    return await Home.open(tmp_path / "store.db", clock, FakeAdapter(clock))


@pytest.fixture(autouse=True)
async def _end(home: Home) -> Any:
    yield
    await home.store.close()


def offsets(moments: Sequence[datetime]) -> list[float]:
    """Count moments in seconds from the start."""
    return [(moment - START).total_seconds() for moment in moments]


# The easy days


async def test_composing(home: Home) -> None:
    """A message knows its price, and is refused if the provider cannot express it."""
    message = home.outbox.compose("+33612345678", "Fuite d’eau", ["https://e.org/a"])
    other = home.outbox.compose("+33612345678", "Fuite d’eau")
    assert (message.segments, message.encoding) == (1, "UCS-2")
    assert (message.media, other.media) == (("https://e.org/a",), ())
    assert message.created_at == START
    # New rows stand together in the file, where a random id would part a page.
    assert message.message_id < other.message_id
    with pytest.raises(MessageRejectedError):
        home.outbox.compose("+33612345678", "")


async def test_success(home: Home) -> None:
    """An accepted message is written down when its sender hears of it, and sent once."""
    (outcome,) = await home.send("m")

    assert await home.store.outbound.find("m") is not None
    assert (outcome.status, outcome.provider_id) == (DeliveryStatus.QUEUED, "P0")
    assert not outcome.waits
    assert home.states() == [(None, "queued")]
    assert await home.outbox.work() is None
    await home.live(100_000)
    assert home.accepted == ["m"]
    assert home.lookups == 0
    assert home.store.tally.sent == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (REFUSED, RejectReason.OPTED_OUT),
        (AuthenticationError(), RejectReason.OTHER),
        (UnsupportedFeatureError(), RejectReason.OTHER),
    ],
)
async def test_refusal(home: Home, error: SmsError, reason: RejectReason) -> None:
    """What is refused fails at once, with its reason, and is never tried again."""
    home.adapter.outcomes.append(error)
    (outcome,) = await home.send("m")

    assert (outcome.status, outcome.error) == (DeliveryStatus.FAILED, error)
    assert not outcome.waits
    assert home.states() == [(None, "queued"), ("queued", "failed")]
    assert home.heard[-1].reason is reason
    assert home.heard[-1].error_code == error.provider_code
    await home.live(100_000)
    assert len(home.adapter.attempts) == 1
    assert home.store.tally.failed == 1


async def test_one_of_two_recipients_fails(home: Home) -> None:
    """The other one gets the message all the same."""
    home.adapter.outcomes.extend([REFUSED, None])
    one, other = await home.send("m", "n")

    assert one.error is REFUSED
    assert (other.error, other.provider_id) == (None, "P0")
    assert home.accepted == ["n"]


# The provider is away


async def test_an_outage_is_waited_out(home: Home) -> None:
    """A message that surely did not leave is tried again, without being asked about."""
    home.adapter.outcomes.extend([DOWN] * 5)
    (outcome,) = await home.send("m")
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)
    assert outcome.waits

    await home.live(600)
    assert home.accepted == ["m"]
    assert home.lookups == 0
    assert home.states() == [(None, "queued")]


async def test_pauses_grow_up_to_a_bound(home: Home) -> None:
    """A provider in trouble is not bothered, yet heard soon when it is back."""
    home.adapter.outcomes.extend([DOWN] * 1000)
    await home.send("m")
    await home.live(1700)

    moments = [0.0, *offsets(home.attempts_at)]
    pauses = [round(after - before, 3) for before, after in pairwise(moments)]
    assert pauses[0] == 2
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60
    assert 20 < len(pauses) < 60


async def test_pauses_are_jittered(tmp_path: Path) -> None:
    """Homes that lost a provider together do not return to it together."""
    clock = Clock()
    asked: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    adapter = FakeAdapter(clock)
    home = await Home.open(tmp_path / "other.db", clock, adapter, jitter=jitter)
    adapter.outcomes.append(DOWN)
    await home.send("m")
    await home.live(60)

    assert offsets(home.attempts_at) == [2.5]
    assert asked == [(0.75, 1.25)]
    await home.store.close()


@pytest.mark.parametrize(
    "error", [RateLimitedError(retry_after=90), SendOutcomeUnknownError(retry_after=90)]
)
async def test_the_provider_may_ask_for_a_pause(home: Home, error: SmsError) -> None:
    """Neither an attempt nor a question is made before it is over."""
    home.adapter.outcomes.append(error)
    await home.send("m")
    await home.live(89)
    assert len(home.adapter.attempts) == 1
    assert home.lookups == 0

    await home.live(60)
    assert home.accepted == ["m"]


async def test_a_message_expires(home: Home) -> None:
    """At the deadline it fails, and says why."""
    home.adapter.outcomes.extend([DOWN] * 1000)
    await home.send("m")
    await home.live(1799)
    assert home.states() == [(None, "queued")]
    await home.live(1)

    assert home.states() == [(None, "queued"), ("queued", "failed")]
    assert home.heard[-1].reason is RejectReason.EXPIRED
    assert home.store.tally.pending == 0


async def test_a_long_pause_does_not_delay_the_end(home: Home) -> None:
    """Who is asked to come back after the deadline learns of the failure in time."""
    home.adapter.outcomes.append(RateLimitedError(retry_after=36_000))
    await home.send("m")
    await home.live(1800)
    assert home.states()[-1] == ("queued", "failed")
    assert len(home.adapter.attempts) == 1


async def test_no_patience(home: Home) -> None:
    """Then the first failure is the last."""
    home.adapter.outcomes.append(RateLimitedError(provider_code="20429"))
    (outcome,) = await home.send("m", patience=timedelta())

    assert isinstance(outcome.error, RateLimitedError)
    assert home.heard[-1].reason is RejectReason.EXPIRED
    assert home.heard[-1].error_code == "20429"
    assert await home.outbox.work() is None


async def test_no_patience_still_settles_a_doubt(home: Home) -> None:
    """A message that may have been sent is neither sent again nor forgotten."""
    home.adapter.outcomes.extend([(TIMEOUT, 10), TIMEOUT])
    await home.send("m", patience=timedelta())
    await home.send("n", patience=timedelta(), text="other")
    await home.live(60)

    assert home.accepted == ["m"]
    assert home.states("m")[-1] == ("unknown", "sent")
    assert home.states("n")[-1] == ("unknown", "failed")
    assert len(home.adapter.attempts) == 2


async def test_no_patience_and_surely_not_sent(home: Home) -> None:
    """The provider says that it does not have it: that is a failure at once."""
    home.adapter.outcomes.append(ANSWERED)
    (outcome,) = await home.send("m", patience=timedelta())
    assert isinstance(outcome.error, ProviderUnavailableError)
    assert (outcome.status, outcome.waits) == (DeliveryStatus.FAILED, False)
    assert home.states()[-1] == ("unknown", "failed")
    assert await home.outbox.work() is None


@pytest.mark.parametrize("error", [ANSWERED, TIMEOUT])
async def test_no_patience_and_sent_all_the_same(home: Home, error: SmsError) -> None:
    """The provider says that it has it: nothing failed."""
    home.adapter.outcomes.append((error, 0))
    (outcome,) = await home.send("m", patience=timedelta())
    assert (outcome.error, outcome.waits) == (None, False)
    assert outcome.provider_id is not None
    assert home.accepted == ["m"]


async def test_no_patience_and_nobody_to_ask(home: Home) -> None:
    """Who sends hears of the doubt at once; it is settled when that can be done."""
    home.adapter.outcomes.append((ANSWERED, 0))
    home.adapter.trouble["find_sent"] = ProviderUnavailableError()
    (outcome,) = await home.send("m", patience=timedelta())
    assert outcome.error is None
    assert (outcome.status, outcome.waits) == (DeliveryStatus.UNKNOWN, True)

    home.adapter.trouble.clear()
    await home.live(60)
    assert home.accepted == ["m"]
    assert home.states()[-1] == ("unknown", "sent")


async def test_no_patience_and_a_duplicate(home: Home) -> None:
    """What is found may be the duplicate's, so neither is taken for sent at once."""
    home.adapter.outcomes.extend([(TIMEOUT, 0), TIMEOUT])
    outcomes = await home.send("m", "n", patience=timedelta())
    assert {outcome.status for outcome in outcomes} == {DeliveryStatus.UNKNOWN}
    await home.live(60)
    assert len(home.accepted) == len(set(home.accepted)) == 1


# Nobody knows whether it was sent


async def test_a_doubtful_message_that_was_sent(home: Home) -> None:
    """The provider is asked, and what it has is not sent again."""
    home.adapter.outcomes.append((TIMEOUT, 0))
    (outcome,) = await home.send("m")
    assert (outcome.status, outcome.waits) == (DeliveryStatus.UNKNOWN, True)
    await home.live(1000)

    assert home.accepted == ["m"]
    assert home.lookups == 1
    assert home.states() == [
        (None, "queued"),
        ("queued", "unknown"),
        ("unknown", "sent"),
    ]
    assert home.heard[-1].provider_id == "P0"
    assert home.store.tally.sent == 1


@pytest.mark.parametrize("delay", [1, 10, 19.9])
async def test_a_provider_may_accept_after_a_while(home: Home, delay: float) -> None:
    """So a message that is not found is not sent again before that while is over."""
    home.adapter.outcomes.append((TIMEOUT, delay))
    await home.send("m")
    await home.live(1000)
    assert home.accepted == ["m"]


async def test_a_doubtful_message_that_was_not_sent(home: Home) -> None:
    """Once the provider has surely done with it, it is sent again, once."""
    home.adapter.outcomes.append(TIMEOUT)
    await home.send("m")
    await home.live(RECONCILE_AFTER.total_seconds() - 0.1)
    assert len(home.adapter.attempts) == 1
    assert home.lookups >= 1
    await home.live(1000)

    assert home.accepted == ["m"]
    assert len(home.adapter.attempts) == 2
    assert home.states() == [(None, "queued"), ("queued", "unknown")]


@pytest.mark.parametrize("error", [ANSWERED, InvalidResponseError()])
@pytest.mark.parametrize("was_sent", [True, False])
async def test_an_answered_doubt_is_settled_at_once(
    home: Home, error: SmsError, was_sent: bool
) -> None:
    """A provider that gave an answer, if a strange one, has done with the request."""
    home.adapter.outcomes.append((error, 0) if was_sent else error)
    await home.send("m")
    await home.live(3)

    assert home.lookups == 1
    assert home.accepted == ["m"]


async def test_a_connection_lost_after_the_request_left_is_a_doubt(home: Home) -> None:
    """An unavailable provider that may have processed a message is asked first."""
    home.adapter.outcomes.append((ProviderUnavailableError("reset"), 5))
    (outcome,) = await home.send("m")
    assert outcome.status is DeliveryStatus.UNKNOWN
    await home.live(100)
    assert home.accepted == ["m"]


async def test_who_cannot_ask_keeps_waiting(home: Home) -> None:
    """As long as the provider cannot be asked, nothing is sent a second time."""
    home.adapter.outcomes.append((TIMEOUT, 0))
    home.adapter.trouble["find_sent"] = DOWN
    await home.send("m")
    await home.live(3 * 3600)
    assert home.states() == [(None, "queued"), ("queued", "unknown")]

    del home.adapter.trouble["find_sent"]
    await home.live(120)
    assert home.accepted == ["m"]
    assert home.states()[-1] == ("unknown", "sent")


async def test_a_doubt_that_nobody_settles_ends(home: Home) -> None:
    """A day after its deadline such a message counts as failed."""
    home.adapter.outcomes.append(TIMEOUT)
    home.adapter.trouble["find_sent"] = UnsupportedFeatureError()
    await home.send("m")
    await home.live(86_000)
    assert home.states()[-1] == ("queued", "unknown")
    await home.live(3000)

    assert home.states()[-1] == ("unknown", "failed")
    assert len(home.adapter.attempts) == 1
    assert await home.outbox.work() is None


async def test_a_doubt_may_outlast_the_deadline(home: Home) -> None:
    """What is found then was sent; what is not is not sent any more."""
    home.adapter.outcomes.extend([(TIMEOUT, 0), TIMEOUT])
    home.adapter.trouble["find_sent"] = DOWN
    await home.send("m")
    await home.send("n", text="other")
    await home.live(2000)
    del home.adapter.trouble["find_sent"]
    await home.live(200)

    assert home.states("m")[-1] == ("unknown", "sent")
    assert home.states("n")[-1] == ("unknown", "failed")
    assert home.accepted == ["m"]
    assert len(home.adapter.attempts) == 2


# Twins: the same text to the same recipient


@pytest.mark.parametrize(
    "outcomes",
    [
        [(TIMEOUT, 0), (TIMEOUT, 5)],
        [(TIMEOUT, 5), TIMEOUT],
        [TIMEOUT, (TIMEOUT, 5)],
        [TIMEOUT, TIMEOUT],
        [TIMEOUT, ANSWERED],
        [(ANSWERED, 0), DOWN],
        [TIMEOUT, None],
        [None, TIMEOUT],
        [(TIMEOUT, 19), None],
        [(TIMEOUT, 19), (ANSWERED, 0)],
        [(ANSWERED, 0), (TIMEOUT, 19)],
    ],
)
async def test_duplicates_in_doubt(home: Home, outcomes: list[Any]) -> None:
    """Two equal messages are accepted twice, never once or three times."""
    home.adapter.outcomes.extend(outcomes)
    await home.send("m", "n")
    await home.live(1000)

    assert len(home.accepted) == 2
    assert home.store.tally.sent == 2
    assert await home.store.outbound.due() == []


@pytest.mark.parametrize("was_sent", [True, False])
async def test_a_duplicate_on_its_way_is_not_taken_for_a_doubtful_one(
    home: Home, was_sent: bool
) -> None:
    """The record may show it before its own answer arrives."""
    home.adapter.outcomes.append((TIMEOUT, 0) if was_sent else TIMEOUT)
    await home.send("m")
    home.clock.advance(60)
    answered = asyncio.Event()
    home.adapter.during["send"] = answered.wait
    duplicate = asyncio.create_task(home.send("n"))
    while len(home.adapter.attempts) < 2:
        await asyncio.sleep(0)
    await home.outbox.work()
    answered.set()
    await duplicate
    del home.adapter.during["send"]
    await home.live(1000)

    assert sorted(home.accepted) == ["m", "n"]
    assert home.store.tally.sent == 2


async def test_a_duplicate_may_leave_while_the_provider_is_asked(home: Home) -> None:
    """Then too it is itself, not the doubtful one."""
    home.adapter.outcomes.append(TIMEOUT)
    await home.send("m")
    home.clock.advance(60)
    answered, tasks = asyncio.Event(), []

    async def send_duplicate() -> None:
        del home.adapter.during["find_sent"]
        home.adapter.during["send"] = answered.wait
        tasks.append(asyncio.create_task(home.send("n")))
        while len(home.adapter.accepted) < 1:
            await asyncio.sleep(0)

    home.adapter.during["find_sent"] = send_duplicate
    original = home.adapter.find_sent

    async def find_sent(*args: Any) -> list[SentMessage]:
        await original(*args)
        home.adapter.find_sent = original  # type: ignore[method-assign]
        return await original(*args)

    home.adapter.find_sent = find_sent  # type: ignore[method-assign]
    await home.outbox.work()
    answered.set()
    await asyncio.gather(*tasks)
    del home.adapter.during["send"]
    await home.live(1000)

    assert sorted(home.accepted) == ["m", "n"]
    assert home.store.tally.sent == 2


# Callbacks that know more


@pytest.mark.parametrize(
    "status", [DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED]
)
@pytest.mark.parametrize("question", ["send", "find_sent"])
async def test_a_callback_claims_a_doubtful_message(
    home: Home, status: DeliveryStatus, question: str
) -> None:
    """It may do so while the attempt, or the question about it, is under way."""
    home.adapter.outcomes.append(TIMEOUT)

    async def call_back() -> None:
        home.adapter.during.clear()
        claim = receipt("P9", status, message_id="m")
        change = await home.store.outbound.receive(claim)
        home.heard.extend([change] if change else [])

    home.adapter.during[question] = call_back
    await home.send("m")
    home.clock.advance(60)
    await home.live(10_000)

    assert len(home.adapter.attempts) == 1
    assert home.states()[-1][1] in {status, "unknown"}
    assert await home.store.outbound.is_claimed("P9")
    assert home.store.tally.sent == 1
    assert home.store.tally.failed == 0


@pytest.mark.parametrize("trouble", [None, DOWN])
async def test_a_claimed_message_does_not_expire(
    home: Home, trouble: SmsError | None
) -> None:
    """Whoever gives up on a message must not do so after it was accepted."""
    home.adapter.outcomes.append(TIMEOUT)
    await home.send("m")
    home.clock.advance(3 * 86_400)
    if trouble:
        home.adapter.trouble["find_sent"] = trouble

    async def call_back() -> None:
        claim = receipt("P9", DeliveryStatus.SENT, message_id="m")
        await home.store.outbound.receive(claim)

    home.adapter.during["find_sent"] = call_back
    await home.outbox.work()

    assert "failed" not in [status for _, status in home.states()]
    change = await home.store.outbound.receive(receipt("P9"))
    assert change
    assert change.status is DeliveryStatus.DELIVERED


async def test_a_receipt_that_overtook_the_answer_is_asked_for(home: Home) -> None:
    """One without our id could not be told whose it was: the next poll asks."""

    async def call_back() -> None:
        await home.store.outbound.receive(receipt("P0"))

    home.adapter.during["send"] = call_back
    await home.send("m")
    assert home.states() == [(None, "queued")]
    assert await home.store.outbound.open_deliveries(1) == ["P0"]


# Crashes


@pytest.mark.parametrize("outcome", [None, DOWN, TIMEOUT, (TIMEOUT, 0), (TIMEOUT, 15)])
@pytest.mark.parametrize("later", [0, 1, 3600])
async def test_a_crash_in_the_middle_of_an_attempt(
    home: Home, outcome: Any, later: float
) -> None:
    """The next start settles it: accepted once, or told to have failed."""
    home.adapter.outcomes.append(outcome)
    home.adapter.during["send"] = asyncio.Event().wait
    lost = asyncio.create_task(home.send("m"))
    while not home.adapter.questions:
        await asyncio.sleep(0)
    home.clock.advance(later)
    again = await home.restart()
    del home.adapter.during["send"]
    await again.live(4000)

    was_sent = outcome is None or isinstance(outcome, tuple)
    if was_sent or later < 1800:
        assert again.accepted == ["m"]
        assert again.store.tally.sent == 1
    else:
        assert again.states() == [("queued", "failed")]
    assert len(home.adapter.attempts) <= 2 - was_sent
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    await again.store.close()


async def test_what_waits_survives_a_restart(home: Home) -> None:
    """An outage may be longer than the life of a Home Assistant."""
    home.adapter.outcomes.append(DOWN)
    await home.send("m")
    again = await home.restart()
    await again.live(10)
    assert again.accepted == ["m"]
    await again.store.close()


async def test_two_workers_do_not_meet(home: Home) -> None:
    """Whatever wakes the outbox twice, a message is attempted once."""
    home.adapter.outcomes.append(DOWN)
    await home.send("m")
    home.clock.advance(10)
    await asyncio.gather(home.outbox.work(), home.outbox.work())
    assert home.accepted == ["m"]
    assert len(home.adapter.attempts) == 2


# Clocks that are wrong, or jump


@pytest.mark.parametrize("ahead", [-86_400, -600, 600, 7200])
@pytest.mark.parametrize("has_answered", [True, False])
async def test_a_home_with_a_wrong_clock_sends_once(
    tmp_path: Path, ahead: float, has_answered: bool
) -> None:
    """The provider's record is searched by the provider's time."""
    clock = Clock()
    clock.step(ahead)
    adapter = FakeAdapter(clock)
    adapter.date_error = TRUTH if has_answered else None
    home = await Home.open(tmp_path / "wrong.db", clock, adapter)
    adapter.outcomes.append((TIMEOUT, 1))
    await home.send("m")
    await home.live(1000)
    assert home.accepted == ["m"]
    assert home.states()[-1] == ("unknown", "sent")
    await home.store.close()


@pytest.mark.parametrize("step", [-86_400, -7200, 7200, 86_400])
async def test_a_step_of_the_clock_moves_no_message(home: Home, step: float) -> None:
    """What waits neither expires by it nor waits longer, here or after a restart."""
    home.adapter.outcomes.extend([DOWN] * 4)
    await home.send("m")
    await home.live(1)
    home.clock.step(step)
    await home.live(5)
    assert home.states() == [(None, "queued")]
    again = await home.restart()
    await again.live(60)
    assert again.accepted == ["m"]
    await again.store.close()


async def test_a_step_does_not_prolong_a_life(home: Home) -> None:
    """The deadline is where it was, by the time that has really gone by."""
    home.adapter.outcomes.extend([DOWN] * 1000)
    await home.send("m")
    await home.live(600)
    home.clock.step(-86_400)
    await home.live(1100)
    again = await home.restart()
    assert home.states() == [(None, "queued")]
    await again.live(120)
    assert again.states()[-1] == ("queued", "failed")
    await again.store.close()


async def test_a_clock_put_back_while_we_were_down(home: Home) -> None:
    """A doubtful message of the run before is found, however wrong the clock is."""
    home.adapter.date_error = None
    home.adapter.outcomes.append((TIMEOUT, 0))
    await home.send("m")
    home.clock.advance(3600)
    home.clock.step(-86_400)
    again = await home.restart()
    await again.live(60)
    assert again.accepted == ["m"]
    assert again.states()[-1] == ("unknown", "sent")
    await again.store.close()


async def test_a_step_before_the_first_message_is_known_after_a_crash(
    home: Home,
) -> None:
    """With nothing waiting nobody looks at the clock, until something is sent."""
    home.clock.step(7200)
    home.adapter.outcomes.append(TIMEOUT)
    home.adapter.during["send"] = asyncio.Event().wait
    lost = asyncio.create_task(
        home.outbox.send(
            [outbound("m", created_at=home.store.outbound.clock.now())], RETRY_WINDOW
        )
    )
    while not home.adapter.questions:
        await asyncio.sleep(0)
    again = await home.restart()
    del home.adapter.during["send"]
    await again.live(120)
    assert again.accepted == ["m"]
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    await again.store.close()


async def test_a_step_does_not_give_up_a_receipt(home: Home) -> None:
    """What is open is as old as it is, whatever the clock says by then."""
    home.clock.step(7 * 86_400)
    await home.send("m")
    again = await home.restart()
    await again.store.prune()
    assert await again.store.outbound.open_deliveries(20) == ["P0"]
    await again.store.close()


async def test_a_clock_put_back_asks_for_receipts_all_the_same(home: Home) -> None:
    """When one was last asked for does not lie in the future of the next run."""
    await home.send("m")
    home.clock.advance(3600)
    assert await home.store.outbound.open_deliveries(20) == ["P0"]
    await home.store.outbound.note_asked("P0")
    home.clock.step(-86_400)
    again = await home.restart()
    home.clock.advance(3700)
    assert await again.store.outbound.open_deliveries(20) == ["P0"]
    await again.store.close()


async def test_times_that_are_told_are_the_homes(home: Home) -> None:
    """However far its clock has stepped since the start."""
    home.clock.step(7200)
    await home.send("m")
    assert home.heard[-1].at == home.clock()


# Whatever happens, a message has a next time


@pytest.mark.parametrize("asked", [86_400, 999_999_999_999.0])
@pytest.mark.parametrize("kind", [RateLimitedError, SendOutcomeUnknownError])
async def test_no_pause_is_longer_than_the_life(
    home: Home, asked: float, kind: Any
) -> None:
    """A provider that asks for a day, or for ages, decides nothing."""
    home.adapter.outcomes.append(kind(retry_after=asked))
    (outcome,) = await home.send("m")
    assert outcome.error is None
    await home.live(1800 + 3700)
    assert home.states()[-1][1] == "failed"
    assert len(home.adapter.attempts) == 1


async def test_an_unforeseen_error_is_a_doubt(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """It is nobody's to hear of but the log's, and the message is not lost."""

    async def fail() -> None:
        home.adapter.during.clear()
        raise ZeroDivisionError

    home.adapter.during["send"] = fail
    (outcome,) = await home.send("m")
    assert (outcome.status, outcome.error) == (DeliveryStatus.UNKNOWN, None)
    assert "unforeseen" in caplog.text
    await home.live(100)
    assert home.accepted == ["m"]
    assert home.states()[-1] == ("unknown", "sent")


async def fill_later(home: Home, disk: FullDisk) -> None:
    """Have a disk take what is being written, and then nothing more."""
    await home.store.wait()
    await disk.fill()


@pytest.mark.parametrize("outcome", [None, REFUSED, DOWN, TIMEOUT, (TIMEOUT, 0)])
async def test_a_disk_that_fills_between_request_and_answer(
    home: Home, outcome: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the message is told, and written once there is room again."""
    disk = FullDisk(monkeypatch)
    home.adapter.outcomes.append(outcome)
    home.adapter.during["send"] = partial(fill_later, home, disk)
    (answer,) = await home.send("m")
    await settle()
    assert answer.error is None
    assert home.outbox.has_work
    assert await home.outbox.work() == LONGEST_PAUSE
    home.adapter.during.clear()
    disk.is_full = False
    await home.live(200)

    assert not home.outbox.has_work
    assert home.accepted == ([] if outcome is REFUSED else ["m"])
    assert home.store.tally.pending == (outcome is not REFUSED)
    assert await home.store.outbound.due() == []


async def test_an_end_that_nobody_wrote_down(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a crash: the next run looks at the attempt as at any that was cut short."""
    disk = FullDisk(monkeypatch)
    home.adapter.during["send"] = partial(fill_later, home, disk)
    await home.send("m")
    home.adapter.during.clear()
    disk.is_full = False
    again = await home.restart()
    await again.live(60)
    assert again.accepted == ["m"]
    await again.store.close()


async def test_a_refusal_that_nobody_wrote_down(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a crash: the next run sends it, so nobody was told that it is not sent."""
    disk = FullDisk(monkeypatch)
    home.adapter.outcomes.append(REFUSED)
    home.adapter.during["send"] = partial(fill_later, home, disk)
    (answer,) = await home.send("m")
    assert (answer.status, answer.error) == (DeliveryStatus.QUEUED, None)
    home.adapter.during.clear()
    disk.is_full = False
    again = await home.restart()
    await again.live(60)
    assert again.accepted == ["m"]
    await again.store.close()


async def test_an_attempt_is_not_disturbed(home: Home) -> None:
    """However long it takes, nobody makes another one beside it."""
    answered = asyncio.Event()
    home.adapter.during["send"] = answered.wait
    sending = asyncio.create_task(home.send("m"))
    while not home.adapter.questions:
        await asyncio.sleep(0)
    home.clock.advance(100)
    pause = await home.outbox.work()
    assert pause is not None
    assert pause > timedelta()
    answered.set()
    await sending
    await home.live(1000)
    assert (home.accepted, home.lookups) == (["m"], 0)


async def test_one_that_cannot_be_resumed_keeps_no_other_waiting(home: Home) -> None:
    """Each is taken up, then whatever was wrong is told."""
    home.adapter.outcomes.extend([TIMEOUT, DOWN])
    await home.send("m", recipient="+33611111111")
    await home.send("n", recipient="+33622222222")

    async def fail() -> None:
        raise ZeroDivisionError

    home.adapter.during["find_sent"] = fail
    home.clock.advance(60)
    with pytest.raises(ZeroDivisionError):
        await home.outbox.work()
    assert home.accepted == ["n"]
    home.adapter.during.clear()
    await home.live(60)
    assert sorted(home.accepted) == ["m", "n"]


# The evidence of the provider's record


async def test_a_redacted_record_keeps_a_repeat_from_going_out(home: Home) -> None:
    """A record to the same recipient that nobody claims may be the message."""
    home.adapter.redacts = True
    home.adapter.outcomes.append((TIMEOUT, 0))
    await home.send("m")
    await home.live(1000)
    assert home.accepted == ["m"]
    assert home.states()[-1] == ("unknown", "sent")


async def test_a_record_that_is_anothers_keeps_nothing_back(home: Home) -> None:
    """What another message of ours claims is no evidence."""
    home.adapter.redacts = True
    await home.send("n")
    home.adapter.outcomes.append(TIMEOUT)
    await home.send("m")
    await home.live(1000)
    assert sorted(home.accepted) == ["m", "n"]


async def test_one_redacted_record_for_two_doubtful_messages(home: Home) -> None:
    """Nobody can tell whose it is: neither is sent again, and both end before long."""
    home.adapter.redacts = True
    home.adapter.outcomes.extend([(TIMEOUT, 0), TIMEOUT])
    await home.send("m")
    await home.send("n", text="other")
    await home.live(RETRY_WINDOW.total_seconds() + 660)
    assert home.accepted == ["m"]
    assert home.states("m")[-1][1] == "failed"
    assert {status for _, status in home.states("n")} & {"failed", "sent"}
    assert len(home.adapter.attempts) == 2
    assert home.store.tally.pending == (home.states("m")[-1][1] == "sent")


async def test_a_message_that_is_noted_while_another_is_looked_for(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record counts for no other: one is left for two, and neither is sent again."""
    home.adapter.redacts = True
    home.adapter.outcomes.extend([TIMEOUT, (TIMEOUT, 0), (TIMEOUT, 0)])
    began = home.clock.true
    for message_id in ("lost", "first", "second"):
        await home.send(message_id, text=message_id)
    records = home.store.outbound
    count_unknown = records.count_unknown

    async def count_after_a_change(recipient: str) -> int:
        if home.clock.true - began >= timedelta(seconds=20):
            await records.accept("second", SentMessage(provider_id="P1"))
        return await count_unknown(recipient)

    monkeypatch.setattr(records, "count_unknown", count_after_a_change)
    await home.live(2 * RETRY_WINDOW.total_seconds())
    assert sorted(home.accepted) == ["first", "second"]


async def test_what_was_reconciled_is_asked_where_it_stands(home: Home) -> None:
    """What was called back meanwhile was about a message that nobody knew."""
    home.adapter.outcomes.append((TIMEOUT, 0))
    home.adapter.receipts["P0"] = receipt("P0")
    await home.send("m")
    await home.live(60)
    assert home.states()[-1] == ("sent", "delivered")


async def test_what_was_reconciled_and_cannot_be_asked_about(home: Home) -> None:
    """Then the next poll asks."""
    home.adapter.outcomes.append((TIMEOUT, 0))
    home.adapter.trouble["fetch_receipt"] = DOWN
    await home.send("m")
    await home.live(60)
    assert home.states()[-1] == ("unknown", "sent")
    assert await home.store.outbound.open_deliveries(20) == ["P0"]


async def test_a_provider_without_a_time_or_receipts(home: Home) -> None:
    """The home's own clock is all there is, and nothing is asked."""
    home.adapter.date_error = None

    async def no_time() -> datetime:
        raise UnsupportedFeatureError

    home.adapter.fetch_time = no_time  # type: ignore[method-assign]
    home.adapter.capabilities = Capability.LOOKUP
    home.adapter.outcomes.append((TIMEOUT, 0))
    await home.send("m")
    await home.live(60)
    assert home.accepted == ["m"]
    assert "fetch_receipt" not in home.adapter.questions


async def test_a_disk_that_fills_again_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it takes no more waits for the next time there is room."""
    disk = FullDisk(monkeypatch)
    home.adapter.during["send"] = partial(fill_later, home, disk)
    await home.send("m")
    await settle()
    home.adapter.during.clear()
    disk.is_full = False
    note_clock = home.store.outbound.note_clock

    async def note_and_fill(*, always: bool = False) -> None:
        await note_clock(always=always)
        disk.is_full = True

    monkeypatch.setattr(home.store.outbound, "note_clock", note_and_fill)
    assert await home.outbox.work() == LONGEST_PAUSE
    assert home.outbox.has_work
    monkeypatch.setattr(home.store.outbound, "note_clock", note_clock)
    disk.is_full = False
    await home.live(200)
    assert not home.outbox.has_work
    assert home.accepted == ["m"]


async def test_a_disk_that_is_full_when_a_doubt_is_settled(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is written down once there is room, and not sent again."""
    disk = FullDisk(monkeypatch)
    home.adapter.outcomes.append((TIMEOUT, 0))
    await home.send("m")
    home.adapter.during["find_sent"] = disk.fill
    home.clock.advance(30)
    is_claimed = home.store.outbound.is_claimed

    async def unclaimed(_: str) -> bool:
        return False

    monkeypatch.setattr(home.store.outbound, "is_claimed", unclaimed)
    assert await home.outbox.work() == LONGEST_PAUSE
    assert home.outbox.has_work
    monkeypatch.setattr(home.store.outbound, "is_claimed", is_claimed)
    home.adapter.during.clear()
    disk.is_full = False
    await home.live(200)
    assert home.accepted == ["m"]


async def test_withdrawn_before_it_left(home: Home) -> None:
    """A message that waits, and is withdrawn, is canceled and never sent."""
    home.adapter.outcomes.append(ProviderUnavailableError(maybe_processed=False))
    await home.send("m")
    await home.outbox.withdraw("m")
    assert home.states()[-1] == ("queued", "canceled")
    await home.live(3600)
    assert not home.accepted
    await home.outbox.withdraw("m")
    assert home.states()[-1] == ("queued", "canceled")


async def test_withdrawn_all_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what has come to no end yet is touched, however much there is."""
    home.adapter.outcomes += [DOWN, DOWN]
    await home.send("waits")
    await home.send("over")
    await home.outbox.withdraw("over")
    touched: list[str] = []
    withdraw = home.store.outbound.withdraw

    async def note_and_withdraw(message_id: str) -> list[StatusChanged]:
        touched.append(message_id)
        return await withdraw(message_id)

    monkeypatch.setattr(home.store.outbound, "withdraw", note_and_withdraw)
    await home.outbox.withdraw_all(["over", "waits"])
    assert touched == ["waits"]
    assert home.states("waits")[-1] == ("queued", "canceled")
    await home.outbox.withdraw_all(["waits"])
    assert touched == ["waits"]


async def test_withdrawn_when_it_may_have_left(home: Home) -> None:
    """A message that may be out is looked for, and not sent a second time."""
    home.adapter.outcomes.append(SendOutcomeUnknownError())
    await home.send("m")
    await home.outbox.withdraw("m")
    await home.live(3600)
    assert home.lookups
    assert len(home.adapter.attempts) == 1
    assert home.states()[-1] == ("unknown", "failed")


async def test_withdrawn_but_out(home: Home) -> None:
    """A message that turns out to have left keeps its end."""
    home.adapter.outcomes.append((SendOutcomeUnknownError(), 1))
    await home.send("m")
    await home.outbox.withdraw("m")
    await home.live(3600)
    assert home.accepted == ["m"]
    assert home.states()[-1] == ("unknown", "sent")
    await home.outbox.withdraw("m")
    assert home.states()[-1] == ("unknown", "sent")


async def test_withdrawn_while_it_is_looked_for(home: Home) -> None:
    """Whoever is about to send again finds that there is no time left."""
    home.adapter.outcomes.append(SendOutcomeUnknownError(answered=True))
    await home.send("m")

    async def withdraw() -> None:
        await home.outbox.withdraw("m")

    home.adapter.during["find_sent"] = withdraw
    await home.live(3600)
    assert len(home.adapter.attempts) == 1
    assert home.states()[-1] == ("unknown", "failed")


async def test_where_a_message_stands(home: Home) -> None:
    """The table tells it by our own id; of others it knows nothing."""
    await home.send("m")
    state = await home.store.outbound.find("m")
    assert state is not None
    assert (state.provider_id, state.status) == ("P0", "queued")
    assert await home.store.outbound.find("n") is None
