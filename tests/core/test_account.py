"""What is authentic reaches its line, and the rest touches nothing."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

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
)
from custom_components.virtual_sms.core import confirmation_queue
from custom_components.virtual_sms.core.account import (
    LineAwayError,
    NoSuchLineError,
)
from custom_components.virtual_sms.core.gateway import Gateway
from custom_components.virtual_sms.store.changes import Received
from tests.fakes import (
    NUMBER,
    FakeAdapter,
    inbound,
    outbound,
    receipt,
)

from .conftest import OTHER, RETRY_WINDOW, World, settle

if TYPE_CHECKING:
    from custom_components.virtual_sms.adapters.base import SmsAdapter


def unsign(world: World) -> None:
    """Make callbacks prove nothing."""
    world.adapter.capabilities = Capability.HISTORY | Capability.RECEIPTS  # type: ignore[misc]


async def test_a_signed_callback_is_taken_as_it_is(
    world: World, gateway: Gateway
) -> None:
    """When the provider hears yes, the message is safe, and told once."""
    for _ in range(2):
        answer = await world.receive(inbound("a"))
        assert answer.body == "InboundMessage"
        assert await gateway.store.inbound.known(["a"]) == {"a"}
    assert world.names() == ["a"]
    assert "confirm" not in world.adapter.questions


async def test_a_message_without_a_number_is_for_whoever_was_called(
    world: World, gateway: Gateway
) -> None:
    """The URL says enough."""
    other = await world.add(OTHER)
    await world.receive(inbound("a", number=None), other)
    await world.rest()
    assert world.names(OTHER) == ["a"]
    assert world.names() == []


async def test_a_message_reaches_the_line_of_its_number(
    world: World, gateway: Gateway
) -> None:
    """Whichever line of the account was called."""
    await world.add(OTHER)
    await world.receive(inbound("a", number=OTHER.number))
    await world.rest()
    assert world.names(OTHER) == ["a"]
    assert world.names() == []


@pytest.mark.parametrize("number", [OTHER.number, f"channel:{OTHER.number}"])
async def test_a_message_for_a_line_that_is_away_is_to_come_again(
    world: World, gateway: Gateway, number: str
) -> None:
    """It is not answered as taken, and the provider is asked soon."""
    world.away = [OTHER.number]
    with pytest.raises(LineAwayError):
        await world.receive(inbound("a", number=number))
    assert world.later == 1
    world.away = []
    await world.add(OTHER)
    await world.receive(inbound("a", number=number))
    await world.rest()
    assert world.names(OTHER) == ["a"]


async def test_a_message_for_no_line_of_this_home(
    world: World, gateway: Gateway
) -> None:
    """It is refused by name, but the name is in no text that may be logged."""
    world.away = [OTHER.number]
    with pytest.raises(NoSuchLineError) as caught:
        await world.receive(inbound("a", number="+33900000009"))
    assert isinstance(caught.value, CallbackUnreadableError)
    assert caught.value.number == "+33900000009"
    assert "+33900000009" not in f"{caught.value} {caught.value!r}"
    assert world.later == 0


async def test_a_receipt_for_a_line_that_is_away_is_to_come_again(
    world: World, gateway: Gateway
) -> None:
    """Unless a line that is here knows its message, even if that has ended."""
    await gateway.send([outbound("m")], RETRY_WINDOW)
    world.away = [OTHER.number]
    for _ in range(2):
        await world.receive(receipt("P0"))
    await world.rest()
    assert world.names() == ["queued", "delivered"]
    with pytest.raises(LineAwayError):
        await world.receive(receipt("P1", message_id="theirs"))
    assert world.later == 1


@pytest.mark.parametrize("event", [inbound("a"), receipt("P0")])
async def test_a_line_that_closes_while_it_is_called(
    world: World, gateway: Gateway, event: Event
) -> None:
    """What comes at that moment is to come again, which is no fault to complain of."""
    await gateway.store.close()
    with pytest.raises(LineAwayError):
        await world.receive(event)
    assert world.later == 1


async def test_a_channel_before_a_number_changes_no_line(
    world: World, gateway: Gateway
) -> None:
    """Whether a callback or a bell names it."""
    message = inbound("a", number=f"channel:{NUMBER.number}")
    await world.receive(message)
    unsign(world)
    world.adapter.record = [inbound("b")]
    rung = inbound("b", number=f"channel:{NUMBER.number}")
    await world.receive(rung)
    await settle()
    assert world.names() == ["a", "b"]


async def test_a_receipt_reaches_the_line_of_its_message(
    world: World, gateway: Gateway
) -> None:
    """Whichever line of the account was called."""
    other = await world.add(OTHER)
    await other.send([outbound("m")], RETRY_WINDOW)
    await world.receive(receipt("P0"))
    await world.rest()
    assert world.names(OTHER) == ["queued", "delivered"]
    assert world.names() == []


@pytest.mark.parametrize("siblings", [0, 1])
async def test_an_early_receipt_is_asked_for_again(
    world: World, gateway: Gateway, siblings: int
) -> None:
    """One without our id that overtakes the answer is not lost: the next poll asks."""
    if siblings:
        await world.add(OTHER)
    early = world.adapter.receipts["P0"] = receipt("P0")
    await world.receive(early)
    await gateway.send([outbound("m")], RETRY_WINDOW)
    await world.rest()
    assert world.names() == ["queued"]
    await world.account.catch_up()
    await world.rest()
    assert world.names() == ["queued", "delivered"]


async def test_a_receipt_claims_its_message(world: World, gateway: Gateway) -> None:
    """It may come before the answer, with our id in it."""
    other = await world.add(OTHER)

    async def call_back() -> None:
        early = receipt("P0", DeliveryStatus.SENT, message_id="m")
        await world.receive(early)

    world.adapter.during["send"] = call_back
    await other.send([outbound("m")], RETRY_WINDOW)
    await other.wait_until_published()
    assert world.names(OTHER) == ["queued", "sent"]
    assert other.store.tally.sent == 1


@pytest.mark.parametrize("signed", [True, False])
async def test_a_forgery_touches_nothing(
    world: World, gateway: Gateway, signed: bool
) -> None:
    """It is refused before it is read, even if it is too long."""
    if not signed:
        unsign(world)
    before, headers = world.runs, {"x-signature": "forged"}
    request = world.callback(inbound("a"), headers=headers, truncated=True)
    world.adapter.parse = None  # type: ignore[assignment,method-assign]
    with pytest.raises(CallbackRejectedError):
        await world.account.receive(gateway, request)
    await settle()
    assert world.runs == before
    assert world.names() == []


async def test_a_flood_of_forgeries_lets_others_have_a_turn(
    world: World, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of them the rest of the home goes on."""
    checked = 0
    verify = world.adapter.verify

    def count(request: CallbackRequest) -> None:
        nonlocal checked
        checked += 1
        verify(request)

    monkeypatch.setattr(world.adapter, "verify", count)
    forgery = world.callback(inbound("a"), headers={"x-signature": "forged"})
    flood = asyncio.gather(
        *(world.account.receive(gateway, forgery) for _ in range(20)),
        return_exceptions=True,
    )
    between_turns = []
    while not flood.done():
        before = checked
        await asyncio.sleep(0)
        between_turns.append(checked - before)
    assert checked == 20
    assert max(between_turns) == 1
    assert {type(each) for each in await flood} == {CallbackRejectedError}


@pytest.mark.parametrize("truncated", [True, False])
async def test_what_makes_no_sense_touches_nothing(
    world: World, gateway: Gateway, truncated: bool
) -> None:
    """Neither half a callback nor garbage is taken in."""
    before = world.runs
    request = world.callback(inbound("a"), truncated=truncated)
    if not truncated:
        world.adapter.callbacks.clear()
    with pytest.raises(CallbackUnreadableError):
        await world.account.receive(gateway, request)
    assert world.runs == before


async def test_what_is_not_safe_is_not_acknowledged(
    world: World, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails makes the provider try again."""

    async def fail(*args: object, **more: object) -> None:
        raise OSError

    monkeypatch.setattr(gateway.store.inbound, "admit", fail)
    with pytest.raises(OSError):  # noqa: PT011  # it has no text
        await world.receive(inbound("a"))
    assert world.names() == []


async def test_an_unsigned_callback_only_rings(world: World, gateway: Gateway) -> None:
    """What is told is what the provider says, on the line it concerns."""
    unsign(world)
    await world.add(OTHER)
    world.adapter.questions.clear()
    world.adapter.record = [inbound("a", text="the truth", number=OTHER.number)]
    lie = inbound("a", text="a lie", number=OTHER.number)
    answer = await world.receive(lie)
    assert answer.status == 200
    await settle()

    assert world.adapter.questions == ["confirm"]
    (news,) = world.heard[OTHER.number]
    assert isinstance(news, Received)
    assert news.message.text == "the truth"
    assert world.names() == []


async def test_an_unsigned_receipt(world: World, gateway: Gateway) -> None:
    """One for a message of ours is looked up, any other costs no question."""
    await gateway.send([outbound("m")], RETRY_WINDOW)
    unsign(world)
    world.adapter.receipts["P0"] = receipt("P0", DeliveryStatus.UNDELIVERED)
    for provider_id in ("P0", "P1"):
        await world.receive(receipt(provider_id))
    await settle()
    assert world.adapter.questions.count("confirm") == 1
    assert world.names() == ["queued", "undelivered"]


async def test_an_unsigned_callback_while_the_provider_is_down(
    world: World, gateway: Gateway
) -> None:
    """It is answered all the same, and asked about later."""
    unsign(world)
    world.adapter.trouble["confirm"] = ProviderUnavailableError()
    assert (await world.receive(inbound("a"))).status == 200
    await settle()
    assert world.later == 1


async def test_an_unsigned_callback_for_what_cannot_be_read(
    world: World, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is set aside by a reading, and the next bell is answered all the same."""
    monkeypatch.setattr(confirmation_queue, "REFILL", 0.01)
    unsign(world)
    world.adapter.record = [inbound("a"), inbound("b", at=1)]
    world.adapter.unreadable = {"a"}
    for each in world.adapter.record:
        await world.receive(each)
    await asyncio.sleep(0.1)
    await world.rest()
    assert world.names() == ["b"]
    (row,) = await gateway.store.inbound.list_set_aside()
    assert row.record_id == "a"


# After the memory was lost


async def forget(world: World, gateway: Gateway) -> None:
    """Begin the store anew, as after damage."""
    await gateway.store._database.run(
        lambda connection: (
            connection.execute("INSERT INTO fact VALUES ('begun_anew', 1)").rowcount
        )
    )
    world.adapter.questions.clear()


@pytest.mark.parametrize("fate", ["old", "gone", "old and unreadable", "read"])
async def test_a_callback_from_before_our_memory_is_played_again(
    world: World, gateway: Gateway, fate: str
) -> None:
    """It is answered as taken, for it was; and not published again."""
    await forget(world, gateway)
    old = inbound("a", at=0 if fate == "read" else -1000)
    if fate == "read":
        world.clock.advance(3600)
        await world.account.catch_up()
    world.adapter.record = [] if fate == "gone" else [old]
    world.adapter.incomplete = {"a"} if fate == "old and unreadable" else set()
    replayed = inbound("a")
    answer = await world.receive(replayed)
    assert answer.status == 200
    await world.rest()
    assert world.names() == []


@pytest.mark.parametrize("trouble", [None, InvalidResponseError(), "aside", "unknown"])
async def test_a_callback_of_today_is_taken_after_the_memory_was_lost(
    world: World, gateway: Gateway, trouble: Any
) -> None:
    """Even if the provider's own record of it cannot be read, and it costs no more."""
    await forget(world, gateway)
    world.adapter.record = [inbound("a")]
    world.adapter.unreadable = {"a"} if trouble == "aside" else set()
    if trouble == "unknown":
        world.adapter.trouble["fetch_inbound_message"] = UnsupportedFeatureError()
    elif isinstance(trouble, SmsError):
        world.adapter.trouble["fetch_inbound_message"] = trouble
    for _ in range(2):
        await world.receive(inbound("a"))
    await world.rest()
    assert world.names() == ["a"]
    assert world.adapter.questions == ["fetch_inbound_message"]


async def test_a_callback_that_nobody_can_judge_is_to_come_again(
    world: World, gateway: Gateway
) -> None:
    """While the provider is down, nobody knows whether it is old."""
    await forget(world, gateway)
    world.adapter.record = [inbound("a")]
    world.adapter.trouble["fetch_inbound_message"] = ProviderUnavailableError()
    with pytest.raises(ProviderUnavailableError):
        await world.receive(inbound("a"))
    world.adapter.trouble.clear()
    await world.receive(inbound("a"))
    await world.rest()
    assert world.names() == ["a"]


async def test_a_callback_is_played_again_after_201_days(
    world: World, gateway: Gateway
) -> None:
    """What was forgotten is known again, and no provider need be asked."""
    message = inbound("a")
    await world.receive(message)
    await world.rest()
    world.clock.advance(201 * 86_400)
    await world.account.catch_up()
    await gateway.store.prune()
    bounds = await gateway.store.inbound.bounds()
    assert bounds is not None
    assert bounds.horizon > message.received_at
    world.adapter.questions.clear()
    # It carries no time, so it seems to have come just now.
    again = replace(message, received_at=world.clock())
    await world.receive(again)
    await world.rest()
    assert world.names() == ["a"]
    assert world.adapter.questions == []


async def test_catching_up_reads_every_line(world: World, gateway: Gateway) -> None:
    """They share the account's only URL, so a gap on one is a gap on all."""
    await world.add(OTHER)
    world.adapter.questions.clear()
    world.adapter.record = [inbound("a")]
    await world.account.catch_up()
    assert world.adapter.questions == ["fetch_inbound", "fetch_inbound"]
    (news,) = world.heard[NUMBER.number]
    assert isinstance(news, Received)
    assert not news.late


async def test_trouble_with_one_line_hides_no_other(
    world: World, gateway: Gateway
) -> None:
    """It is raised once all of them have been read."""
    await world.add(OTHER)
    world.adapter.questions.clear()
    world.adapter.trouble["fetch_inbound"] = ProviderUnavailableError()
    with pytest.raises(ProviderUnavailableError):
        await world.account.catch_up()
    assert world.adapter.questions == ["fetch_inbound", "fetch_inbound"]


# What the lines share


async def create(world: World, credentials: dict[str, str]) -> SmsAdapter:
    """Get the adapter for credentials, as the set-up of a line does."""

    async def make() -> SmsAdapter:
        await asyncio.sleep(0)
        return FakeAdapter(world.clock)

    return await world.account.get_adapter(credentials, make)


async def test_lines_share_an_adapter(tmp_path: Path) -> None:
    """Also those that are set up at the same time; other credentials are others'."""
    world = World(tmp_path)
    same, again = await asyncio.gather(
        create(world, {"key": "a"}), create(world, {"key": "a"})
    )
    assert same is again
    assert await create(world, {"key": "b"}) is not same


async def test_an_adapter_goes_with_its_last_line(world: World) -> None:
    """One that is set up later with the same credentials begins anew."""
    first = await create(world, {"key": "a"})
    world.adapter = cast("FakeAdapter", first)
    (gateway,), other = world.gateways, await world.add(OTHER)
    world.leave.pop(NUMBER.number)()
    await gateway.close()
    assert await create(world, {"key": "a"}) is first
    world.leave.pop(OTHER.number)()
    assert await create(world, {"key": "a"}) is not first
    await other.close()


async def test_what_is_to_be_confirmed_ends_with_the_last_line(
    world: World, gateway: Gateway
) -> None:
    """It is in the provider's record, which is read when a line comes back."""
    unsign(world)
    world.adapter.during["confirm"] = asyncio.Event().wait
    await world.receive(inbound("a"))
    await settle()
    world.leave.pop(NUMBER.number)()
    await settle()
    assert "confirmation queue" not in {each.get_name() for each in asyncio.all_tasks()}
    await gateway.close()


async def test_no_question_without_a_token(
    world: World, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a reading of the history answers for all."""
    monkeypatch.setattr(confirmation_queue, "REFILL", 0.01)
    unsign(world)
    world.adapter.questions.clear()
    world.adapter.record = [inbound(f"m{number}") for number in range(25)]
    for each in world.adapter.record:
        await world.receive(each)
        await settle()
    await asyncio.sleep(0.1)
    await world.rest()
    assert len(world.names()) == 25
    assert world.adapter.questions.count("confirm") <= confirmation_queue.BURST + 2
    assert "fetch_inbound" in world.adapter.questions
