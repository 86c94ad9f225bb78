"""Who says STOP gets no more messages from a line, until they say START."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    RejectReason,
)
from custom_components.virtual_sms.adapters.wishes import Wish
from custom_components.virtual_sms.core.consent import may_be_wish
from custom_components.virtual_sms.store.changes import Progress, Received
from tests.fakes import START, inbound, outbound, receipt

from .test_guard import ANNA, Home

STOPS = "STOP STOPALL UNSUBSCRIBE END QUIT CANCEL ARRET ARRÊT DESABONNER"
STARTS = "START UNSTOP REPRENDRE YES"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """Open a line."""
    home = Home(tmp_path / "store.db")
    await home.open()
    yield home
    await home.store.close()


async def has_stopped(home: Home) -> bool:
    """Say whether Anna wants no more messages."""
    return bool(await home.store.consent.list_stopped([ANNA, "+33600000000"]))


@pytest.mark.parametrize("word", STOPS.split())
async def test_a_stop_word_opts_out(home: Home, word: str) -> None:
    """As the whole text, whatever its case and blanks; it is published as any other."""
    for text in (word, f" {word.lower()}\n", word.title()):
        received = await home.hear(text)
        assert isinstance(received, Received)
        assert received.message.text == text
        assert await home.store.consent.list_stopped([ANNA, "+1"]) == {ANNA}
        await home.hear("START")
        assert not await has_stopped(home)


@pytest.mark.parametrize("word", STARTS.split())
async def test_a_start_word_opts_in(home: Home, word: str) -> None:
    """After a stop, in any case."""
    for text in (word, f" {word.lower()}\n"):
        await home.hear("STOP")
        await home.hear(text)
        assert not await has_stopped(home)


async def test_yes_means_nothing_without_a_stop(home: Home) -> None:
    """It is an answer like any other then."""
    await home.hear("YES", at=60)
    await home.hear("STOP", at=30)
    assert await has_stopped(home)


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("YES", True),
        (" yes ", True),
        ("Stop", True),
        ("yes please", False),
        ("", False),
    ],
)
def test_what_may_be_a_wish(text: str, *, may_be: bool) -> None:
    """No assistant answers what may be one, and none is kept from anything else."""
    assert may_be_wish(inbound("M", text=text)) is may_be


@pytest.mark.parametrize("text", ["stop it", "please stop", "STOP!", "", "1234 STOP"])
async def test_a_word_counts_as_the_whole_text_only(home: Home, text: str) -> None:
    """Who writes a sentence gives an answer."""
    await home.hear(text)
    assert not await has_stopped(home)


@pytest.mark.parametrize("text", ["ARRE\u0302T", "\u200bStop\ufeff", "\xa0arrêt\n"])
async def test_a_word_counts_as_it_looks(home: Home, text: str) -> None:
    """However a phone encodes an accent, and whatever nobody sees beside it."""
    await home.hear(text)
    assert await has_stopped(home)


async def test_a_code_does_not_make_a_command_a_wish(home: Home) -> None:
    """What is left of a text is no whole text."""
    assert (await home.hear("4711 STOP")).message.text == "STOP"
    assert not await has_stopped(home)


async def test_what_was_said_last_counts(home: Home) -> None:
    """Also if it becomes known first."""
    await home.hear("START", at=60)
    await home.hear("STOP", at=30)
    assert not await has_stopped(home)
    await home.hear("STOP", at=60)
    assert await has_stopped(home)


@pytest.mark.parametrize(("before", "stopped"), [(5, True), (6, False)])
async def test_of_what_was_said_at_about_the_same_time_the_last_counts(
    home: Home, before: float, *, stopped: bool
) -> None:
    """By the order of coming: a provider's times are in whole seconds, and vary."""
    await home.hear("START", at=60)
    await home.hear("STOP", at=60 - before)
    assert await has_stopped(home) is stopped


async def test_a_wish_outlives_a_restart(home: Home) -> None:
    """It is on disk with the message itself."""
    await home.hear("STOP")
    await home.restart()
    assert await has_stopped(home)


async def test_history_is_no_wish(home: Home) -> None:
    """A message that is known already changes nothing when it comes again."""
    await home.hear("STOP", message_id="S")
    await home.hear("START", at=1)
    await home.inbox.take(inbound("S", text="STOP", at=2))
    assert not await has_stopped(home)


@pytest.mark.parametrize(
    ("wish", "text", "stopped"),
    [(Wish.STOP, "Arretez", True), (Wish.START, "STOP", False)],
)
async def test_the_providers_reading_counts(
    home: Home, wish: Wish, text: str, *, stopped: bool
) -> None:
    """It knows more words than we do."""
    await home.take(replace(inbound("M", text=text), wish=wish))
    assert await has_stopped(home) is stopped


async def test_the_providers_refusal_counts(home: Home) -> None:
    """It was told by a way that we do not see, and START ends it whatever the clocks."""
    outbound_table = home.store.outbound
    await outbound_table.add([outbound("a")], START + timedelta(hours=1))
    failed = Progress(status=DeliveryStatus.FAILED, reason=RejectReason.OPTED_OUT)
    await outbound_table.move("a", failed)
    assert await has_stopped(home)
    await home.hear("START", at=-60)
    assert not await has_stopped(home)


async def test_the_providers_receipt_counts(home: Home) -> None:
    """Some tell of it only once the message was accepted."""
    status, reason = DeliveryStatus.UNDELIVERED, RejectReason.OPTED_OUT
    await home.hear("START", at=60)
    await home.store.outbound.add([outbound("a")], START + timedelta(hours=1))
    await home.store.outbound.receive(
        receipt("P", status, message_id="a", reason=reason)
    )
    assert await has_stopped(home)


async def test_other_refusals_are_no_wish(home: Home) -> None:
    """A number that does not exist has opted out of nothing."""
    await home.store.outbound.add([outbound("a")], START + timedelta(hours=1))
    failed = Progress(status=DeliveryStatus.FAILED, reason=RejectReason.BLOCKED)
    await home.store.outbound.move("a", failed)
    assert not await has_stopped(home)


async def test_the_providers_list_counts(home: Home) -> None:
    """Who is on it wants no more, unless they have said otherwise to the line."""
    consent = home.store.consent
    assert await consent.note_listed([ANNA], START)
    assert await has_stopped(home)
    assert not await consent.note_listed([ANNA], START)
    await home.hear("START", at=-60)
    assert not await consent.note_listed([ANNA], START)
    assert not await has_stopped(home)
    assert not await consent.note_listed([], START)
