"""What the contract itself does, for an adapter that adds nothing to it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.base import SmsAdapter
from custom_components.virtual_sms.adapters.call_models import OutboundCall, Speech
from custom_components.virtual_sms.adapters.errors import (
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    Account,
    CallbackUrls,
    Capability,
    DeliveryReceipt,
    DeliveryStatus,
    OutboundMessage,
    PhoneNumber,
)

if TYPE_CHECKING:
    import aiohttp

NUMBER = PhoneNumber(account="A", number="+33612345678")
NOW = datetime.now(UTC)
MESSAGE = OutboundMessage(
    message_id="1", recipient="+33612345679", text="Hello", created_at=NOW
)


@pytest.fixture
def bare(session: aiohttp.ClientSession) -> SmsAdapter:
    """Return an adapter with nothing of its own."""
    parts: dict[str, object] = dict.fromkeys(SmsAdapter.__abstractmethods__)
    parts |= {"concurrency": 1, "capabilities": Capability(0)}
    kind: type[SmsAdapter] = type("Bare", (SmsAdapter,), parts)
    return kind({}, session=session, run_blocking=asyncio.to_thread)


def watch_account(bare: SmsAdapter) -> list[str]:
    """Note how often the account is asked for."""
    asked: list[str] = []

    async def get_account() -> Account:
        asked.append("account")
        return Account(id="A")

    bare.get_account = get_account  # type: ignore[method-assign]
    return asked


async def test_optional_verbs(bare: SmsAdapter) -> None:
    """Whatever an adapter may leave out says that it was."""
    for call in (
        lambda: bare.get_callbacks(NUMBER),
        lambda: bare.set_callbacks(NUMBER, CallbackUrls()),
        lambda: bare.fetch_callback_failures(NUMBER, "https://home.example", NOW),
        lambda: bare.fetch_inbound_message(NUMBER, "1"),
        lambda: bare.fetch_receipt(NUMBER, "1"),
        lambda: bare.find_sent(NUMBER, MESSAGE, NOW),
        lambda: bare.get_balance(NUMBER),
        lambda: bare.request_authorization(None),
        bare.authorization_state,
    ):
        with pytest.raises(UnsupportedFeatureError):
            await call()


async def test_defaults(bare: SmsAdapter) -> None:
    """There is nothing to prepare or to replace, and a callback is its own truth."""
    event = DeliveryReceipt(provider_id="1", status=DeliveryStatus.SENT)
    await bare.prepare()
    assert bare.base_url is None
    assert not bare.is_asynchronous
    assert not bare.has_retired_secrets
    assert await bare.confirm(NUMBER, event) is event


async def test_an_answer_without_a_time(bare: SmsAdapter) -> None:
    """The account is asked for the time; where answers carry none, ours has to do."""
    asked = watch_account(bare)
    for _ in range(2):
        time_there = await bare.fetch_time()
        assert abs(time_there - datetime.now(UTC)) < timedelta(seconds=5)
    assert asked == ["account"]


async def test_a_provider_without_a_record(bare: SmsAdapter) -> None:
    """Nothing is found, and the account is asked: void credentials are noticed."""
    asked = watch_account(bare)

    async def known(ids: object) -> set[str]:
        return set()

    batches = [each async for each in bare.fetch_inbound(NUMBER, NOW, known)]
    assert not any(batches)
    assert asked == ["account"]


async def test_calls_are_optional(bare: SmsAdapter) -> None:
    """An adapter without calls says so at every verb about them."""
    call = OutboundCall(
        call_id="1",
        recipient="+33612345679",
        speech=Speech(text="Hello", language="en"),
        created_at=NOW,
    )
    for refuse in (
        lambda: bare.check_call(call, None),
        lambda: bare.answer_call(None, None),
    ):
        with pytest.raises(UnsupportedFeatureError):
            refuse()
    for ask in (
        lambda: bare.make_call(NUMBER, call, None),
        lambda: bare.fetch_call(NUMBER, "1"),
        lambda: bare.cancel_call(NUMBER, "1"),
        lambda: bare.find_calls(NUMBER, "+33612345679", NOW),
        lambda: bare.fetch_incoming_calls(NUMBER, NOW),
        lambda: bare.get_voice_callbacks(NUMBER),
        lambda: bare.set_voice_callbacks(NUMBER, CallbackUrls()),
    ):
        with pytest.raises(UnsupportedFeatureError):
            await ask()
