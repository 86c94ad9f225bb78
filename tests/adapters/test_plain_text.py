"""What comes from outside is cleaned in one place, before anything is made of it."""

from datetime import UTC, datetime
from decimal import Decimal
import json
from typing import TYPE_CHECKING, Any

from homeassistant.helpers.json import json_bytes
import pytest

from custom_components.virtual_sms.adapters.call_models import (
    CallState,
    CallUpdate,
    IncomingCall,
    PlacedCall,
)
from custom_components.virtual_sms.adapters.costs import Cost
from custom_components.virtual_sms.adapters.errors import SmsError
from custom_components.virtual_sms.adapters.models import (
    Account,
    Authorization,
    Balance,
    CallbackUrls,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    Media,
    PhoneNumber,
    SentMessage,
    SetAside,
    SetAsideReason,
)
from custom_components.virtual_sms.adapters.plain_text import (
    clean,
    clean_pasted,
    clean_typed,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HARMFUL = [
    "\ud83d",
    "\udc00",
    "\x00",
    "\x07",
    "\x1b",
    "\x7f",
    "\x9f",
    "\ufffe",
    "\ufdd0",
]
HARMFUL.append("\U0001ffff")


@pytest.mark.parametrize("each", HARMFUL)
def test_what_harms_is_replaced(each: str) -> None:
    """By the character that says that there was one."""
    assert clean(f"a{each}b") == "a\ufffdb"
    json_bytes(clean(each))
    clean(each).encode()


@pytest.mark.parametrize(
    "text", ["", "Hé €", "two\nlines\tand\r\n", "👍🏽", "مرحبا", "\u200bx"]
)
def test_what_is_a_text_stays(text: str) -> None:
    """Whatever its language or its lines."""
    assert clean(text) == text


def test_length() -> None:
    """What is longer than it may be is cut."""
    assert clean("x" * 20, 10) == "x" * 10


NOW = datetime(2026, 11, 27, tzinfo=UTC)
BAD = "a\ud83d\x00b"
RECORDS: list[Callable[[], Any]] = [
    lambda: Account(id=BAD, name=BAD),
    lambda: PhoneNumber(account=BAD, number=BAD, label=BAD),
    lambda: Authorization(url=BAD, consumer_key=BAD),
    lambda: PlacedCall(provider_id=BAD),
    lambda: IncomingCall(provider_id=BAD, number=BAD, caller=BAD),
    lambda: CallUpdate(
        provider_id=BAD,
        state=CallState.FAILED,
        call_id=BAD,
        digits=BAD,
        error_code=BAD,
    ),
    lambda: Cost.read(1, BAD),
    lambda: Media(url=BAD, content_type=BAD),
    lambda: SentMessage(provider_id=BAD),
    lambda: InboundMessage(
        message_id=BAD, number=BAD, sender=BAD, text=BAD, received_at=NOW
    ),
    lambda: DeliveryReceipt(
        provider_id=BAD, status=DeliveryStatus.SENT, message_id=BAD, error_code=BAD
    ),
    lambda: CallbackUrls(inbound=BAD, status=BAD),
    lambda: Balance(amount=Decimal(1), currency=BAD),
    lambda: SetAside(record_id=BAD, reason=SetAsideReason.UNREADABLE),
]


@pytest.mark.parametrize("make", RECORDS)
def test_no_record_of_a_provider_harms(make: Callable[[], Any]) -> None:
    """No adapter can forget it: the records themselves see to it."""
    record = make()
    values = [getattr(record, name) for name in record.__slots__]
    texts = [each for each in values if isinstance(each, str)]
    assert any("\ufffd" in each for each in texts)
    for each in texts:
        json.dumps(each).encode()
        each.encode()
        assert "\x00" not in each


def test_a_text_without_end() -> None:
    """Is cut where no provider's ends."""
    message = InboundMessage(
        message_id="m",
        number=None,
        sender="s" * 999,
        text="x" * 99_999,
        received_at=NOW,
    )
    assert (len(message.sender), len(message.text)) == (255, 20_000)


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("\u202aAC12\u202c", "AC12"),
        ("\ufeffab\u200bcd\u00ad ", "abcd"),
        ("a\u2011b\u2212c\uff0dd", "a-b-c-d"),
        ("\u00a0key\u2003", "key"),
        ("\u3164ab\U000e0041c\ufff9", "abc"),
        ("a\u30fcb\u05bec\u301cd", "a-b-c-d"),
    ],
)
def test_what_was_pasted_is_read_as_it_was_meant(pasted: str, meant: str) -> None:
    """Nobody sees what a web page or a contact card puts around it."""
    assert clean_pasted(pasted) == meant


def test_what_cannot_be_seen_is_shown() -> None:
    """An error must not name a value that looks perfect."""
    assert show("a\u202eb\nc") == "a\\u202eb\\nc"


def test_a_code_of_a_refusal() -> None:
    """It is shown in a status, and kept with it."""
    assert SmsError("x", provider_code=BAD).provider_code == "a\ufffd\ufffdb"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("\u200eok \u0662", "ok 2"), ("o\u200bk \uff12", "ok 2"), ("2\ufe0f\u20e3", "2")],
)
def test_what_was_typed_on_another_phone(typed: str, meant: str) -> None:
    """Its digits may be of any script, and come with signs that nobody sees."""
    assert clean_typed(typed) == meant
