"""What is told of a change: bus events, and what our entities hear."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback
import pytest

from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    InboundMessage,
    Media,
    RejectReason,
)
from custom_components.virtual_sms.bus import (
    EVENT_RECEIVED,
    EVENT_STATUS,
    News,
    async_publish,
    async_subscribe,
    describe,
)
from custom_components.virtual_sms.core.privacy import Privacy
from custom_components.virtual_sms.store.changes import Received, StatusChanged

from .home import listen

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
COMMON = {
    "entry_id": "one",
    "device_id": "d",
    "provider": "twilio",
    "number": "+15005550006",
}


def message(text: str = "Hello", **changes: Any) -> Received:
    """Make a change of a message."""
    inbound = InboundMessage(
        message_id="SM1",
        number="+15005550006",
        sender="+33612345678",
        text=text,
        received_at=AT,
        **changes,
    )
    return Received(message=inbound, late=True)


CHANGE = StatusChanged(
    message_id="ours",
    provider_id="SM2",
    recipient="+33612345678",
    status=DeliveryStatus.UNDELIVERED,
    previous=DeliveryStatus.SENT,
    reason=RejectReason.UNREACHABLE,
    error_code="30003",
    at=AT,
)


@pytest.mark.parametrize(
    ("received", "changes"),
    [
        (message(), {"segments": 1}),
        (message("x" * 200), {"text": "x" * 200, "segments": 2}),
        (message(segments=7), {"segments": 7}),
        (
            message(media=(Media(url="https://a/b", content_type="image/png"),)),
            {"media": [{"content_type": "image/png", "url": "https://a/b"}]},
        ),
    ],
)
def test_received(received: Received, changes: dict[str, Any]) -> None:
    """A message is told with what its provider did not count counted by us."""
    event_type, data = describe(received)
    assert event_type == "virtual_sms_received"
    assert (
        data
        == {
            "message_id": "SM1",
            "provider_id": "SM1",
            "sender": "+33612345678",
            "text": "Hello",
            "received_at": "2026-11-21T12:30:00+00:00",
            "late": True,
            "segments": 1,
            "media": [],
        }
        | changes
    )


def test_status() -> None:
    """A change is told in plain words."""
    event_type, data = describe(CHANGE)
    assert event_type == "virtual_sms_status"
    assert data == {
        "message_id": "ours",
        "provider_id": "SM2",
        "recipient": "+33612345678",
        "status": "undelivered",
        "previous": "sent",
        "final": True,
        "reason": "unreachable",
        "error_code": "30003",
        "at": "2026-11-21T12:30:00+00:00",
    }
    assert {type(each) for each in data.values()} == {str, bool}


async def test_publish(hass: HomeAssistant) -> None:
    """The bus hears first, then the entities of that number, and only they."""
    heard = listen(hass)
    one: list[News] = []
    other: list[News] = []

    @callback
    def hear_one(change: News) -> None:
        one.append(change)

    @callback
    def hear_other(change: News) -> None:
        other.append(change)

    unsubscribe = async_subscribe(hass, "one", hear_one)
    async_subscribe(hass, "other", hear_other)
    async_publish(hass, COMMON, Privacy.FULL, CHANGE)
    async_publish(hass, COMMON, Privacy.FULL, message())
    await hass.async_block_till_done()
    assert heard.statuses == [COMMON | describe(CHANGE)[1]]
    assert heard.received == [COMMON | describe(message())[1]]
    assert [each.event_type for each in one] == [EVENT_STATUS, EVENT_RECEIVED]
    assert not other

    unsubscribe()
    async_publish(hass, COMMON, Privacy.FULL, CHANGE)
    assert len(one) == 2


async def test_listeners_hear_the_whole(hass: HomeAssistant) -> None:
    """Who concludes from a change needs all of it, whatever may be told."""
    heard: list[News] = []
    async_subscribe(hass, "one", heard.append)
    async_publish(hass, COMMON, Privacy.METADATA, CHANGE)
    await hass.async_block_till_done()
    assert [each.change for each in heard] == [CHANGE]
    assert heard[0].data["recipient"] is None
    assert "+33612345678" not in repr(heard)
