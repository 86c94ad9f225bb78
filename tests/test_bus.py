"""What is published of a change: whole inside, private on the bus."""

from dataclasses import replace
from datetime import UTC, datetime
import logging
from types import NoneType
from typing import TYPE_CHECKING, Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.virtual_sms.adapters.costs import Cost
from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    InboundMessage,
    Media,
    RejectReason,
)
from custom_components.virtual_sms.bus import (
    EventData,
    async_listen,
    async_publish,
    describe,
    describe_cost,
    name_media,
)
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.store.changes import (
    Change,
    Received,
    StatusChanged,
)

from .home import listen

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from custom_components.virtual_sms.runtime import VirtualSmsConfigEntry

AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
COMMON = {
    "entry_id": "one",
    "device_id": "device",
    "provider": "twilio",
    "number": "+15005550006",
}


def message(text: str = "Hello", **changes: Any) -> Received:
    """Return the change that a message makes."""
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
            {
                "media": [
                    {
                        "content_type": "image/png",
                        "url": "https://a/b",
                        "media_content_id": None,
                    }
                ]
            },
        ),
    ],
)
def test_received(received: Received, changes: dict[str, Any]) -> None:
    """What its provider did not count, we count."""
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
    """A status is described in plain words."""
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
        "cost": None,
    }
    assert {type(each) for each in data.values()} == {str, bool, NoneType}


def test_status_with_its_cost() -> None:
    """What a message has cost is in its status, once it is known."""
    _, data = describe(replace(CHANGE, cost=Cost(7900, "USD")))
    assert data["cost"] == {"amount": 0.0079, "currency": "USD"}


def test_name_of_a_file() -> None:
    """An id of the provider's stays one part of the address, whatever is in it."""
    name = name_media("one", "SM/1 ?", 0)
    assert name == f"media-source://{DOMAIN}/one/SM%2F1%20%3F/0"


def test_cost() -> None:
    """Money has a currency, credits have a name of their own, and neither is a text."""
    assert describe_cost(Cost(7900, "USD")) == {"amount": 0.0079, "currency": "USD"}
    assert describe_cost(Cost(2_000_000)) == {"credits": 2.0}
    assert describe_cost(None) is None


def line(entry_id: str = "one", privacy: str = "full") -> VirtualSmsConfigEntry:
    """Return the entry of a number."""
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id,
        data={
            "provider": "twilio",
            "account": "AC1",
            "number": "+15005550006",
            "credentials": {},
            "webhook_id": "abc",
            "mode": "automatic",
        },
        options={"privacy": privacy},
    )


class Listener:
    """Note the changes that get to a handler."""

    def __init__(self, hass: HomeAssistant, entry_id: str | None) -> None:
        """Listen to a number, or to all."""
        self.calls: list[tuple[VirtualSmsConfigEntry, Change, EventData]] = []
        self.changes: list[Change] = []
        self.stop = async_listen(hass, entry_id, self._note)

    def _note(
        self, entry: VirtualSmsConfigEntry, change: Change, data: EventData
    ) -> None:
        self.calls.append((entry, change, data))
        self.changes.append(change)


def expected(change: Change) -> dict[str, object]:
    """Return the whole data of the event for a change of a line with no contacts."""
    nobody = dict.fromkeys(("contact", "contact_id", "person"))
    stranger = {"answer_to": None, "trust": "unknown"}
    more = stranger if isinstance(change, Received) else {}
    return {**COMMON, **describe(change)[1], **nobody, **more}


async def test_publish(hass: HomeAssistant) -> None:
    """A change gets to who listens to its number or to all, and to the bus."""
    heard = listen(hass)
    one, two = line(), line("two")
    of_one, of_two, of_any = (Listener(hass, each) for each in ("one", "two", None))
    async_publish(hass, one, "device", CHANGE)
    async_publish(hass, two, "device", message())
    assert of_one.calls == [(one, CHANGE, expected(CHANGE))]
    assert of_two.changes == [message()]
    assert of_any.changes == [CHANGE, message()]
    await hass.async_block_till_done()
    assert heard.statuses == [expected(CHANGE)]
    assert heard.received == [expected(message()) | {"entry_id": "two"}]

    of_one.stop()
    async_publish(hass, one, "device", CHANGE)
    assert len(of_one.changes) == 1
    assert len(of_any.changes) == 3


@pytest.mark.parametrize("privacy", ["masked", "metadata"])
@pytest.mark.parametrize("change", [CHANGE, message()])
async def test_listeners_get_the_whole(
    hass: HomeAssistant, change: Change, privacy: str
) -> None:
    """Inside, nothing is left out, whatever the privacy option; outside it is."""
    heard = listen(hass)
    listener = Listener(hass, "one")
    async_publish(hass, line(privacy=privacy), "device", change)
    await hass.async_block_till_done()
    [(_, whole, data)] = listener.calls
    assert whole == change
    assert data == expected(change)
    [event] = heard.statuses + heard.received
    assert event.keys() == data.keys()
    assert "+33612345678" not in event.values()
    assert "Hello" not in event.values()


async def test_a_listener_that_fails(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """It keeps nobody from a change, and the log does not quote the message."""
    caplog.set_level(logging.DEBUG, "custom_components.virtual_sms")
    # In its debug log, which another test may leave on, it quotes every event itself.
    caplog.set_level(logging.INFO, "homeassistant.core")

    def fail(*_: object) -> None:
        raise RuntimeError

    async_listen(hass, "one", fail)
    heard = listen(hass)
    async_publish(hass, line(), "device", message())
    await hass.async_block_till_done()
    assert heard.texts == ["Hello"]
    assert "RuntimeError" in caplog.text
    for secret in ("Hello", "+33612345678", "+15005550006"):
        assert secret not in caplog.text


async def test_the_option_of_today_counts(hass: HomeAssistant) -> None:
    """Privacy is read when a change is published, not when the number was loaded."""
    heard = listen(hass)
    entry = line()
    entry.add_to_hass(hass)
    async_publish(hass, entry, "device", message())
    hass.config_entries.async_update_entry(entry, options={"privacy": "metadata"})
    async_publish(hass, entry, "device", message())
    await hass.async_block_till_done()
    assert heard.texts == ["Hello", None]
