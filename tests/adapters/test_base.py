"""What the contract itself does, for an adapter that adds nothing to it."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.base import SmsAdapter
from custom_components.virtual_sms.adapters.errors import (
    InvalidResponseError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
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


async def test_optional_verbs(bare: SmsAdapter) -> None:
    """Whatever an adapter may leave out says that it was."""

    async def known(ids: object) -> set[str]:
        return set()

    for call in (
        lambda: bare.get_callbacks(NUMBER),
        lambda: bare.set_callbacks(NUMBER, CallbackUrls()),
        lambda: bare.fetch_callback_failures(NUMBER, "https://home.example", NOW),
        lambda: bare.fetch_inbound(NUMBER, NOW, known),
        lambda: bare.fetch_receipt(NUMBER, "1"),
        lambda: bare.find_sent(NUMBER, MESSAGE, NOW),
        lambda: bare.get_balance(NUMBER),
        lambda: bare.request_authorization(None),
        bare.authorization_state,
    ):
        with pytest.raises(UnsupportedFeatureError):
            await call()


async def test_defaults(bare: SmsAdapter) -> None:
    """There is nothing to prepare, and a callback is its own truth."""
    event = DeliveryReceipt(provider_id="1", status=DeliveryStatus.SENT)
    await bare.prepare()
    assert bare.base_url is None
    assert await bare.confirm(NUMBER, event) is event


async def test_an_answer_without_a_time(bare: SmsAdapter) -> None:
    """Nobody knows what time it is there, which is said as such."""
    with pytest.raises(UnsupportedFeatureError):
        await bare.fetch_time()

    async def ask() -> None:
        """Be answered without a date."""

    bare._ask_time = ask  # type: ignore[method-assign]
    with pytest.raises(InvalidResponseError):
        await bare.fetch_time()


async def test_reading_a_message_again(bare: SmsAdapter) -> None:
    """May be left out as well."""
    with pytest.raises(UnsupportedFeatureError):
        await bare.fetch_inbound_message(NUMBER, "1")
