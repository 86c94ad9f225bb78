"""A number at work: what is authentic reaches its line, the rest touches nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.virtual_sms.adapters.errors import (
    CallbackRejectedError,
    CallbackUnreadableError,
    InvalidResponseError,
    ProviderUnavailableError,
    SmsError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
    Capability,
    DeliveryStatus,
    Event,
    PhoneNumber,
)
from custom_components.virtual_sms.core import confirmation_queue
from custom_components.virtual_sms.core.code_memory import CodeMemory
from custom_components.virtual_sms.core.gateway import (
    FORGERIES_IN_A_ROW,
    Gateway,
    GatewayHooks,
    LineAwayError,
    NoSuchLineError,
)
from custom_components.virtual_sms.core.guard import ContactGuard
from custom_components.virtual_sms.core.line import Line
from custom_components.virtual_sms.core.outbox import Outcome
from custom_components.virtual_sms.store.changes import Change, Received, Trust
from custom_components.virtual_sms.store.database import Database, DatabaseClosedError
from custom_components.virtual_sms.store.store import MIGRATIONS, Store
from tests.fakes import (
    NUMBER,
    Clock,
    FakeAdapter,
    inbound,
    make_dependencies,
    outbound,
    receipt,
    run_inline,
)

FLUSH_DELAY = timedelta(minutes=30)
OTHER = PhoneNumber(account=NUMBER.account, number="+33900000002")


class Account:
    """Two lines of one account, and what is heard on each."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.adapter = FakeAdapter(self.clock)
        self.heard: dict[str, list[Change]] = {}
        self.gateways: list[Gateway] = []
        self.folder = folder
        self.woken = 0
        self.later = 0
        self.runs = 0
        self.away: list[str] = []

    async def add(self, number: PhoneNumber) -> Gateway:
        """Open a line."""
        heard: list[Change] = []
        self.heard[number.number] = heard
        database = Database(self.folder / number.number, MIGRATIONS, self._run)
        gateway = Gateway(
            Line(number=number, adapter=self.adapter),
            Store(database, self.clock),
            GatewayHooks(
                publish=heard.append,
                wake=self._wake,
                ask_later=self._ask_later,
                siblings=lambda: self.gateways,
                lines_away=lambda: self.away,
            ),
            make_dependencies(self.clock),
        )
        await gateway.open()
        await gateway.inbox.begin()
        gateway.start()
        self.gateways.append(gateway)
        return gateway

    async def _run(self, target: Any, /, *args: Any) -> Any:
        self.runs += 1
        return await run_inline(target, *args)

    def _wake(self) -> None:
        self.woken += 1

    def _ask_later(self) -> None:
        self.later += 1

    async def rest(self) -> None:
        """Wait until all that nobody waits for is written down and told."""
        for gateway in self.gateways:
            await gateway.store.examine()

    def names(self, number: PhoneNumber = NUMBER) -> list[str]:
        """Name what was heard on a line."""
        return [
            each.message.message_id if isinstance(each, Received) else str(each.status)
            for each in self.heard[number.number]
        ]

    def callback(self, event: Event, **more: Any) -> CallbackRequest:
        """Make the callback that brings an event."""
        body = repr(event).encode()
        self.adapter.callbacks[body] = event
        return CallbackRequest(method="POST", url="https://home", body=body, **more)


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    """Make an account with its first line."""
    account = Account(tmp_path)
    await account.add(NUMBER)
    yield account
    for gateway in account.gateways:
        await gateway.close()


@pytest.fixture
def gateway(account: Account) -> Gateway:
    """Return the first line."""
    return account.gateways[0]


async def settle() -> None:
    """Let background tasks come to their end."""
    for _ in range(50):
        await asyncio.sleep(0)


def unsign(account: Account) -> None:
    """Make callbacks prove nothing."""
    account.adapter.capabilities = Capability.HISTORY | Capability.RECEIPTS  # type: ignore[misc]


async def test_a_signed_callback_is_taken_as_it_is(
    account: Account, gateway: Gateway
) -> None:
    """When the provider hears yes, the message is safe, and told once."""
    for _ in range(2):
        answer = await gateway.receive(account.callback(inbound("a")))
        assert answer.body == "InboundMessage"
        assert await gateway.store.inbound.known(["a"]) == {"a"}
    assert account.names() == ["a"]
    assert "confirm" not in account.adapter.questions


async def test_a_message_without_a_number_is_for_whoever_was_called(
    account: Account, gateway: Gateway
) -> None:
    """The URL says enough."""
    other = await account.add(OTHER)
    await other.receive(account.callback(inbound("a", number=None)))
    await account.rest()
    assert account.names(OTHER) == ["a"]
    assert account.names() == []


async def test_a_message_reaches_the_line_of_its_number(
    account: Account, gateway: Gateway
) -> None:
    """Whichever line of the account was called."""
    await account.add(OTHER)
    await gateway.receive(account.callback(inbound("a", number=OTHER.number)))
    await account.rest()
    assert account.names(OTHER) == ["a"]
    assert account.names() == []


@pytest.mark.parametrize("number", [OTHER.number, f"channel:{OTHER.number}"])
async def test_a_message_for_a_line_that_is_away_is_to_come_again(
    account: Account, gateway: Gateway, number: str
) -> None:
    """It is not answered as taken, and the provider is asked soon."""
    account.away = [OTHER.number]
    with pytest.raises(LineAwayError):
        await gateway.receive(account.callback(inbound("a", number=number)))
    assert account.later == 1
    account.away = []
    await account.add(OTHER)
    await gateway.receive(account.callback(inbound("a", number=number)))
    await account.rest()
    assert account.names(OTHER) == ["a"]


async def test_a_message_for_no_line_of_this_home(
    account: Account, gateway: Gateway
) -> None:
    """It is refused by name, but the name is in no text that may be logged."""
    account.away = [OTHER.number]
    with pytest.raises(NoSuchLineError) as caught:
        await gateway.receive(account.callback(inbound("a", number="+33900000009")))
    assert isinstance(caught.value, CallbackUnreadableError)
    assert caught.value.number == "+33900000009"
    assert "+33900000009" not in f"{caught.value} {caught.value!r}"
    assert account.later == 0


async def test_a_receipt_for_a_line_that_is_away_is_to_come_again(
    account: Account, gateway: Gateway
) -> None:
    """Unless a line that is here knows its message, even if that has ended."""
    await gateway.send([outbound("m")], FLUSH_DELAY)
    account.away = [OTHER.number]
    for _ in range(2):
        await gateway.receive(account.callback(receipt("P0")))
    await account.rest()
    assert account.names() == ["queued", "delivered"]
    with pytest.raises(LineAwayError):
        await gateway.receive(account.callback(receipt("P1", message_id="theirs")))
    assert account.later == 1


@pytest.mark.parametrize("event", [inbound("a"), receipt("P0")])
async def test_a_line_that_closes_while_it_is_called(
    account: Account, gateway: Gateway, event: Event
) -> None:
    """What comes at that moment is to come again, which is no fault to complain of."""
    await gateway.store.close()
    with pytest.raises(LineAwayError):
        await gateway.receive(account.callback(event))
    assert account.later == 1


async def test_a_channel_before_a_number_changes_no_line(
    account: Account, gateway: Gateway
) -> None:
    """Whether a callback or a bell names it."""
    message = inbound("a", number=f"channel:{NUMBER.number}")
    await gateway.receive(account.callback(message))
    unsign(account)
    account.adapter.record = [inbound("b")]
    rung = inbound("b", number=f"channel:{NUMBER.number}")
    await gateway.receive(account.callback(rung))
    await settle()
    assert account.names() == ["a", "b"]


async def test_a_receipt_reaches_the_line_of_its_message(
    account: Account, gateway: Gateway
) -> None:
    """Whichever line of the account was called."""
    other = await account.add(OTHER)
    await other.send([outbound("m")], FLUSH_DELAY)
    await gateway.receive(account.callback(receipt("P0")))
    await account.rest()
    assert account.names(OTHER) == ["queued", "delivered"]
    assert account.names() == []


@pytest.mark.parametrize("siblings", [0, 1])
async def test_an_early_receipt_waits_for_its_message(
    account: Account, gateway: Gateway, siblings: int
) -> None:
    """It stays with the line that was called."""
    if siblings:
        await account.add(OTHER)
    await gateway.receive(account.callback(receipt("P0")))
    await gateway.send([outbound("m")], FLUSH_DELAY)
    await account.rest()
    assert account.names() == ["queued", "delivered"]


async def test_a_receipt_claims_its_message(account: Account, gateway: Gateway) -> None:
    """It may come before the answer, with our id in it."""
    other = await account.add(OTHER)

    async def call_back() -> None:
        early = receipt("P0", DeliveryStatus.SENT, message_id="m")
        await gateway.receive(account.callback(early))

    account.adapter.during["send"] = call_back
    await other.send([outbound("m")], FLUSH_DELAY)
    assert account.names(OTHER) == ["queued", "sent"]
    assert other.store.tally.sent == 1


@pytest.mark.parametrize("signed", [True, False])
async def test_a_forgery_touches_nothing(
    account: Account, gateway: Gateway, signed: bool
) -> None:
    """It is refused before it is read, even if it is too long."""
    if not signed:
        unsign(account)
    before, headers = account.runs, {"x-signature": "forged"}
    request = account.callback(inbound("a"), headers=headers, truncated=True)
    account.adapter.parse = None  # type: ignore[assignment,method-assign]
    with pytest.raises(CallbackRejectedError):
        await gateway.receive(request)
    await settle()
    assert account.runs == before
    assert account.names() == []


async def test_a_flood_of_forgeries_lets_others_have_a_turn(
    account: Account, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every few of them the rest of the home goes on."""
    checked = 0
    verify = account.adapter.verify

    def count(request: CallbackRequest) -> None:
        nonlocal checked
        checked += 1
        verify(request)

    monkeypatch.setattr(account.adapter, "verify", count)
    forgery = account.callback(inbound("a"), headers={"x-signature": "forged"})
    flood = asyncio.gather(
        *(gateway.receive(forgery) for _ in range(20)), return_exceptions=True
    )
    between_turns = []
    while not flood.done():
        before = checked
        await asyncio.sleep(0)
        between_turns.append(checked - before)
    assert checked == 20
    assert max(between_turns) <= FORGERIES_IN_A_ROW
    assert {type(each) for each in await flood} == {CallbackRejectedError}


@pytest.mark.parametrize("truncated", [True, False])
async def test_what_makes_no_sense_touches_nothing(
    account: Account, gateway: Gateway, truncated: bool
) -> None:
    """Neither half a callback nor garbage is taken in."""
    before = account.runs
    request = account.callback(inbound("a"), truncated=truncated)
    if not truncated:
        account.adapter.callbacks.clear()
    with pytest.raises(CallbackUnreadableError):
        await gateway.receive(request)
    assert account.runs == before


async def test_what_is_not_safe_is_not_acknowledged(
    account: Account, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails makes the provider try again."""

    async def fail(*args: object, **more: object) -> None:
        raise OSError

    monkeypatch.setattr(gateway.store.inbound, "admit", fail)
    with pytest.raises(OSError):  # noqa: PT011  # it has no text
        await gateway.receive(account.callback(inbound("a")))
    assert account.names() == []


async def test_an_unsigned_callback_only_rings(
    account: Account, gateway: Gateway
) -> None:
    """What is told is what the provider says, on the line it concerns."""
    unsign(account)
    await account.add(OTHER)
    account.adapter.questions.clear()
    account.adapter.record = [inbound("a", text="the truth", number=OTHER.number)]
    lie = inbound("a", text="a lie", number=OTHER.number)
    answer = await gateway.receive(account.callback(lie))
    assert answer.status == 200
    await settle()

    assert account.adapter.questions == ["confirm"]
    (news,) = account.heard[OTHER.number]
    assert isinstance(news, Received)
    assert news.message.text == "the truth"
    assert account.names() == []


async def test_an_unsigned_receipt(account: Account, gateway: Gateway) -> None:
    """One for a message of ours is looked up, any other costs no question."""
    await gateway.send([outbound("m")], FLUSH_DELAY)
    unsign(account)
    account.adapter.receipts["P0"] = receipt("P0", DeliveryStatus.UNDELIVERED)
    for provider_id in ("P0", "P1"):
        await gateway.receive(account.callback(receipt(provider_id)))
    await settle()
    assert account.adapter.questions.count("confirm") == 1
    assert account.names() == ["queued", "undelivered"]


async def test_an_unsigned_callback_while_the_provider_is_down(
    account: Account, gateway: Gateway
) -> None:
    """It is answered all the same, and asked about later."""
    unsign(account)
    account.adapter.trouble["confirm"] = ProviderUnavailableError()
    assert (await gateway.receive(account.callback(inbound("a")))).status == 200
    await settle()
    assert account.later == 1


async def test_an_unsigned_callback_for_what_cannot_be_read(
    account: Account, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is set aside by a reading, and the next bell is answered all the same."""
    monkeypatch.setattr(confirmation_queue, "REFILL", 0.01)
    unsign(account)
    account.adapter.record = [inbound("a"), inbound("b", at=1)]
    account.adapter.unreadable = {"a"}
    for each in account.adapter.record:
        await gateway.receive(account.callback(each))
    await asyncio.sleep(0.1)
    await account.rest()
    assert account.names() == ["b"]
    (row,) = await gateway.store.inbound.list_set_aside()
    assert row.record_id == "a"


# After the memory was lost


async def forget(account: Account, gateway: Gateway) -> None:
    """Begin the store anew, as after damage."""
    await gateway.store._database.run(
        lambda connection: (
            connection.execute("INSERT INTO fact VALUES ('begun_anew', 1)").rowcount
        )
    )
    account.adapter.questions.clear()


@pytest.mark.parametrize("fate", ["old", "gone", "old and unreadable", "read"])
async def test_a_callback_from_before_our_memory_is_played_again(
    account: Account, gateway: Gateway, fate: str
) -> None:
    """It is answered as taken, for it was; and not published again."""
    await forget(account, gateway)
    old = inbound("a", at=0 if fate == "read" else -1000)
    if fate == "read":
        account.clock.advance(3600)
        await gateway.catch_up()
    account.adapter.record = [] if fate == "gone" else [old]
    account.adapter.incomplete = {"a"} if fate == "old and unreadable" else set()
    replayed = inbound("a")
    answer = await gateway.receive(account.callback(replayed))
    assert answer.status == 200
    await account.rest()
    assert account.names() == []


@pytest.mark.parametrize("trouble", [None, InvalidResponseError(), "aside", "unknown"])
async def test_a_callback_of_today_is_taken_after_the_memory_was_lost(
    account: Account, gateway: Gateway, trouble: Any
) -> None:
    """Even if the provider's own record of it cannot be read, and it costs no more."""
    await forget(account, gateway)
    account.adapter.record = [inbound("a")]
    account.adapter.unreadable = {"a"} if trouble == "aside" else set()
    if trouble == "unknown":
        account.adapter.trouble["fetch_inbound_message"] = UnsupportedFeatureError()
    elif isinstance(trouble, SmsError):
        account.adapter.trouble["fetch_inbound_message"] = trouble
    for _ in range(2):
        await gateway.receive(account.callback(inbound("a")))
    await account.rest()
    assert account.names() == ["a"]
    assert account.adapter.questions == ["fetch_inbound_message"]


async def test_a_callback_that_nobody_can_judge_is_to_come_again(
    account: Account, gateway: Gateway
) -> None:
    """While the provider is down, nobody knows whether it is old."""
    await forget(account, gateway)
    account.adapter.record = [inbound("a")]
    account.adapter.trouble["fetch_inbound_message"] = ProviderUnavailableError()
    with pytest.raises(ProviderUnavailableError):
        await gateway.receive(account.callback(inbound("a")))
    account.adapter.trouble.clear()
    await gateway.receive(account.callback(inbound("a")))
    await account.rest()
    assert account.names() == ["a"]


async def test_a_callback_is_played_again_after_201_days(
    account: Account, gateway: Gateway
) -> None:
    """What was forgotten is known again, and no provider need be asked."""
    message = inbound("a")
    await gateway.receive(account.callback(message))
    await account.rest()
    account.clock.advance(201 * 86_400)
    await gateway.catch_up()
    await gateway.store.prune()
    bounds = await gateway.store.inbound.bounds()
    assert bounds is not None
    assert bounds.horizon > message.received_at
    account.adapter.questions.clear()
    # It carries no time, so it seems to have come just now.
    again = replace(message, received_at=account.clock())
    await gateway.receive(account.callback(again))
    await account.rest()
    assert account.names() == ["a"]
    assert account.adapter.questions == []


async def test_catching_up_reads_every_line(account: Account, gateway: Gateway) -> None:
    """They share the account's only URL, so a gap on one is a gap on all."""
    await account.add(OTHER)
    account.adapter.questions.clear()
    account.adapter.record = [inbound("a")]
    await gateway.catch_up()
    assert account.adapter.questions == ["fetch_inbound", "fetch_inbound"]
    (news,) = account.heard[NUMBER.number]
    assert isinstance(news, Received)
    assert not news.late


async def test_trouble_with_one_line_hides_no_other(
    account: Account, gateway: Gateway
) -> None:
    """It is raised once all of them have been read."""
    await account.add(OTHER)
    account.adapter.questions.clear()
    account.adapter.trouble["fetch_inbound"] = ProviderUnavailableError()
    with pytest.raises(ProviderUnavailableError):
        await gateway.catch_up()
    assert account.adapter.questions == ["fetch_inbound", "fetch_inbound"]


async def test_what_waits_wakes_the_outbox(account: Account, gateway: Gateway) -> None:
    """Only then is there something to work on."""
    await gateway.send([outbound("m")], FLUSH_DELAY)
    assert account.woken == 0
    account.adapter.outcomes.append(ProviderUnavailableError(maybe_processed=False))
    (outcome,) = await gateway.send([outbound("n")], FLUSH_DELAY)
    assert outcome.waits
    assert account.woken == 1


async def test_who_gives_up_waiting_does_not_take_the_message_along(
    account: Account, gateway: Gateway
) -> None:
    """An automation that is restarted cancels its actions, not our attempts."""
    answered = asyncio.Event()
    account.adapter.during["send"] = answered.wait
    task = asyncio.create_task(gateway.send([outbound("m")], FLUSH_DELAY))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    answered.set()
    await settle()
    await account.rest()
    assert gateway.store.tally.sent == 1


async def test_a_line_that_closes_ends_its_attempts(
    account: Account, gateway: Gateway
) -> None:
    """Who waits hears that it is queued; it goes on when the line opens again."""
    account.adapter.during["send"] = asyncio.Event().wait
    sending = asyncio.create_task(gateway.send([outbound("m")], FLUSH_DELAY))
    await settle()
    (attempt,) = (task for task in asyncio.all_tasks() if task.get_name() == "send")
    attempt.cancel()
    (outcome,) = await sending
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)
    await gateway.store.outbound.recover()
    assert len(await gateway.store.outbound.due()) == 1


async def test_what_an_earlier_run_left(account: Account, tmp_path: Path) -> None:
    """A new start tells what the last one did not, after Home Assistant started."""
    store = account.gateways.pop().store
    await store.inbound.admit([inbound("a")], late=False)
    await store.close()
    again = await account.add(NUMBER)
    assert account.names() == ["a"]
    await again.close()
    account.gateways.clear()


async def test_a_line_that_closes_before_anything_is_written(gateway: Gateway) -> None:
    """Then nothing is sent, and who sends hears it."""
    with (
        patch.object(gateway.outbox, "send", side_effect=asyncio.CancelledError),
        pytest.raises(DatabaseClosedError),
    ):
        await gateway.send([outbound("m")], FLUSH_DELAY)


async def test_trouble_after_all_was_written(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Is for the log: the messages go out, and must not seem to have failed."""

    async def send(messages: Any, _: Any, report: Any) -> None:
        report(Outcome(message=messages[0], status=DeliveryStatus.QUEUED))
        raise ZeroDivisionError

    with patch.object(gateway.outbox, "send", send):
        (outcome,) = await gateway.send([outbound("m")], FLUSH_DELAY)
    assert outcome.status is DeliveryStatus.QUEUED
    assert "unforeseen" in caplog.text


async def test_a_command_that_waited_for_the_home_is_not_believed(
    tmp_path: Path,
) -> None:
    """Whom we believe is decided again when it is published, by the provider's time."""
    account = Account(tmp_path)
    gateway = await account.add(NUMBER)
    message = Received(message=inbound("M"), late=False, trust=Trust.TRUSTED)
    guard = ContactGuard(lambda _: None, CodeMemory(), lambda: timedelta(minutes=5))
    gateway._guard = guard
    gateway._publish(message)
    account.clock.advance(301)
    gateway._publish(message)
    trusts = [each.trust for each in account.heard[NUMBER.number]]  # type: ignore[union-attr]
    assert trusts == [Trust.TRUSTED, Trust.UNPROVEN]
    await gateway.close()
