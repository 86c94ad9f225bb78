"""A line calls so often and no more: calls and messages share the limits."""

from datetime import UTC, datetime, timedelta
import sqlite3
from typing import Any

import pytest

from custom_components.virtual_sms.adapters.call_models import (
    CallState,
    IncomingCall,
    OutboundCall,
)
from custom_components.virtual_sms.adapters.errors import (
    MessageRejectedError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import RejectReason
from custom_components.virtual_sms.core.calls import CallOutcome
from custom_components.virtual_sms.core.limits import LimitReachedError
from custom_components.virtual_sms.store.consent import Source, note_consent
from custom_components.virtual_sms.store.usage import Allowance, Limit, Limits, Month
from tests.fakes import FullDisk

from .test_calls import CALLEE, WATER, Home, home

__all__ = ["home"]

NOVEMBER = Month("2026-11", datetime(2026, 12, 1, tzinfo=UTC))
NO_LIMITS: dict[str, int | None] = {
    "hour": None,
    "day": None,
    "month": None,
    "repeats": None,
}


def allow(*, critical: bool = False, **limits: int) -> Allowance:
    """Allow so much and no more."""
    return Allowance(
        limits=Limits(**NO_LIMITS | limits), month=NOVEMBER, is_critical=critical
    )


def someone(number: int) -> str:
    """Return one of many phone numbers."""
    return f"+3361234{5000 + number}"


async def call(home: Home, allowance: Allowance, *people: str) -> list[CallOutcome]:
    """Call some people at once."""
    calls = [home.gateway.calls.compose(each, WATER) for each in people]
    return await home.gateway.call(calls, allowance)


def errors(outcomes: list[CallOutcome]) -> list[SmsError]:
    """List what kept calls from being made."""
    return [each.error for each in outcomes if each.error]


def limits(outcomes: list[CallOutcome]) -> list[tuple[Limit, datetime | None]]:
    """List which limits kept calls from being made, and until when."""
    return [
        (each.limit, each.until)
        for each in errors(outcomes)
        if isinstance(each, LimitReachedError)
    ]


async def test_calls_of_one_request_share_what_is_left(home: Home) -> None:
    """Of a request larger than what is left, what fits is made; the rest is refused.

    A refused call is neither written down nor asked of the provider.
    """
    outcomes = await call(home, allow(hour=3), *map(someone, range(5)))
    until = home.clock() + timedelta(hours=1)
    assert limits(outcomes) == [(Limit.HOUR, until)] * 2
    assert [each.state for each in outcomes if each.error] == [CallState.FAILED] * 2
    assert len(home.phone.made) == 3
    assert home.states == ["queued"] * 3


async def test_the_window_slides_and_outlives_a_restart(home: Home) -> None:
    """There is room again when the first call is an hour old, and not before."""
    await call(home, allow(hour=1), CALLEE)
    until = home.clock() + timedelta(hours=1)
    home.clock.advance(3599)
    await home.restart()
    assert limits(await call(home, allow(hour=1), someone(1))) == [(Limit.HOUR, until)]
    home.clock.advance(1)
    assert errors(await call(home, allow(hour=1), someone(1))) == []


@pytest.mark.parametrize("limit", [Limit.HOUR, Limit.DAY, Limit.MONTH])
async def test_messages_and_calls_share_a_limit(home: Home, limit: Limit) -> None:
    """A call counts as one segment, whichever comes first."""
    window = timedelta(minutes=30)
    name = limit.value.removeprefix("limit_")

    async def send(most: int) -> SmsError | None:
        message = home.gateway.outbox.compose(someone(7), "Text")
        allowance = allow(**{name: most})
        [outcome] = await home.gateway.send([message], window, allowance)
        return outcome.error

    assert await send(2) is None
    assert not errors(await call(home, allow(**{name: 2}), CALLEE))
    [(found, until)] = limits(await call(home, allow(**{name: 2}), CALLEE))
    assert (found, until is not None) == (limit, True)
    assert isinstance(await send(2), LimitReachedError)
    assert await send(3) is None


async def test_one_person_is_not_called_for_ever(home: Home) -> None:
    """Whatever is said, somebody is called five times within ten minutes at most.

    Calls to others do not count, nor do texts, and ten minutes later there is room.
    """
    allowance = allow(repeats=5)
    until = home.clock() + timedelta(minutes=10)
    for _ in range(4):
        assert not errors(await call(home, allowance, CALLEE))
    await home.restart()
    outcomes = await call(home, allowance, CALLEE, CALLEE, someone(1))
    assert limits(outcomes) == [(Limit.REPEATS, until)]
    assert limits(await call(home, allowance, CALLEE)) == [(Limit.REPEATS, until)]
    message = home.gateway.outbox.compose(CALLEE, "call")
    [sent] = await home.gateway.send([message], timedelta(minutes=30), allowance)
    assert sent.error is None
    home.clock.advance(601)
    assert not errors(await call(home, allowance, CALLEE))


async def test_the_reserve_of_critical_calls(home: Home) -> None:
    """They use each limit a second time, and ordinary ones stay closed then."""
    for allowance, made in (
        (allow(hour=2), 2),
        (allow(hour=2, critical=True), 4),
        (allow(hour=2), 4),
        (allow(hour=2, critical=True), 4),
    ):
        for number in range(3):
            await call(home, allowance, someone(number))
        assert len(home.phone.made) == made


async def test_calls_of_others_use_nothing(home: Home) -> None:
    """Whoever calls the home leaves it all of its limits, over restarts."""
    incoming = IncomingCall(provider_id="CA", number=someone(9), caller=CALLEE)
    await home.gateway.store.calls.ring(incoming, rejected=False)
    await home.restart()
    assert not errors(await call(home, allow(hour=1, repeats=1), CALLEE))


async def test_calls_of_before_a_reset_use_nothing(home: Home) -> None:
    """All of the limits is free again, over restarts."""
    allowance = allow(hour=1, repeats=1)
    assert not errors(await call(home, allowance, CALLEE))
    await home.gateway.store.usage.open_anew()
    await home.restart()
    assert not errors(await call(home, allowance, CALLEE))


async def test_who_wants_no_messages_is_not_called(home: Home) -> None:
    """A stop counts for calls as well, critical or not, before anything is asked."""
    await home.gateway.store.consent._run(
        lambda connection: note_consent(connection, CALLEE, Source.STOP, home.clock())
    )
    outcomes = await call(home, allow(critical=True), CALLEE, someone(1))
    [error] = errors(outcomes)
    assert isinstance(error, MessageRejectedError)
    assert error.reason is RejectReason.OPTED_OUT
    assert [each.recipient for each in home.phone.made] == [someone(1)]


async def test_a_call_that_is_written_down_already_is_not_made_again(
    home: Home,
) -> None:
    """An id that was chosen before is called once, however often it is handed over."""

    def compose() -> OutboundCall:
        more: dict[str, Any] = {"call_id": "planned"}
        return home.gateway.calls.compose(CALLEE, WATER, **more)

    assert (await home.gateway.call([compose()]))[0].provider_id == "C1"
    [again] = await home.gateway.call([compose()], allow(hour=2, month=2))
    assert (again.state, again.error) == (CallState.QUEUED, None)
    assert len(home.phone.made) == 1
    # It has used up nothing, in memory or on disk.
    assert not errors(await call(home, allow(hour=2, month=1), someone(1)))
    await home.restart()
    assert not errors(await call(home, allow(hour=3, month=2), someone(2)))


async def test_a_call_that_cannot_be_written_down_uses_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is called, and there is room for the next."""
    disk = FullDisk(monkeypatch)
    await disk.fill()
    with pytest.raises(sqlite3.OperationalError):
        await call(home, allow(hour=1), CALLEE)
    disk.is_full = False
    assert not errors(await call(home, allow(hour=1), CALLEE))
