"""Conversations: kept as long as the home wants to read them, and no longer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
import sqlite3
import time

import pytest

from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    InboundMessage,
    Media,
    RejectReason,
    SentMessage,
)
from custom_components.virtual_sms.store import conversations as module
from custom_components.virtual_sms.store.changes import Progress, Received, Trust
from custom_components.virtual_sms.store.conversations import (
    MOST_AT_ONCE,
    PAGE,
    PRUNE,
    StoredMessage,
)
from custom_components.virtual_sms.store.store import Store
from tests.fakes import START, Clock, inbound, open_store, outbound, receipt

ALICE = "+33612345678"
BOB = "+33612345679"
DAY = 86_400.0


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store lives."""
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open a store that keeps conversations for 30 days."""
    store = await open_store(path, clock)
    await store.conversations.keep(30, clock())
    yield store
    await store.close()


async def receive(store: Store, *messages: InboundMessage) -> Sequence[Received]:
    """Have messages come in and be published, after which only conversations know."""
    received = await store.inbound.admit(messages, late=False)
    await store.note_published(received)
    return received


async def add(store: Store, message_id: str, recipient: str = ALICE) -> None:
    """Write down a message that is to be sent."""
    message = outbound(message_id, recipient=recipient)
    await store.outbound.add([message], START + timedelta(minutes=30))


async def ids(
    store: Store, before: str | None = None, limit: int = 100
) -> tuple[list[str], bool]:
    """List the ids of a page of Alice's, and whether there is more."""
    page = await store.conversations.read(ALICE, before, limit)
    return [each.message_id for each in page.messages], page.more


def texts_on_disk(path: Path) -> bytes:
    """Return all bytes of the file and of what lies beside it."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


async def test_both_directions_are_kept_with_all_that_is_shown(
    store: Store, clock: Clock
) -> None:
    """A text is there after it was published, and after the provider has accepted it."""
    picture = Media(url="https://example.org/a", content_type="image/png")
    await receive(store, replace(inbound("in"), media=(picture,), segments=2))
    clock.advance(60)
    await add(store, "out")
    await store.outbound.accept("out", SentMessage(provider_id="P"))
    page = await store.conversations.read(ALICE, None, 100)
    assert page.messages == [
        StoredMessage(
            message_id="out",
            correspondent=ALICE,
            text="Water leak",
            at=START + timedelta(seconds=60),
            status=DeliveryStatus.QUEUED,
            segments=1,
        ),
        StoredMessage(
            message_id="in",
            correspondent=ALICE,
            text="The door is open",
            at=START,
            segments=2,
            media=(picture,),
            trust=Trust.UNKNOWN,
        ),
    ]
    assert [each.is_inbound for each in page.messages] == [False, True]
    assert not page.more


async def test_what_an_earlier_release_wrote_is_read(store: Store, path: Path) -> None:
    """It judged nobody; what it wrote outlives a damaged file as well."""
    content = json.dumps([None, ALICE, "Hello", 1, []])
    await store.conversations._run(
        lambda connection: (
            connection.execute(
                "INSERT INTO inbound (message_id, received_at, late, content,"
                " correspondent) VALUES ('in', 1.0, 0, ?, ?)",
                (content, ALICE),
            ).rowcount
        )
    )
    await store.close()
    path.with_suffix(".suspect").touch()
    again = await open_store(path, Clock())
    assert again.salvage is not None
    found = await again.conversations.get("in")
    assert found is not None
    assert found.text == "Hello"
    assert found.trust is None
    await again.close()


async def test_only_what_the_judge_left_is_kept(store: Store, path: Path) -> None:
    """A code that is taken out of a message is in no conversation, nor on the disk."""

    def judge(_: sqlite3.Connection, received: Received) -> Received:
        message = replace(received.message, text="open")
        return replace(
            received, message=message, trust=Trust.TRUSTED, contact_id="alice"
        )

    coded = inbound("in", text="4711 open")
    received = await store.inbound.admit([coded], late=False, judge=judge)
    await store.note_published(received)
    found = await store.conversations.get("in")
    assert found is not None
    assert (found.text, found.segments, found.media) == ("open", 1, ())
    await store.close()
    assert b"4711 open" not in texts_on_disk(path)


async def test_pictures_that_we_sent_are_kept(store: Store) -> None:
    """They are shown beside the text."""
    message = outbound("out", media=["https://example.org/a.jpg"])
    await store.outbound.add([message], START + timedelta(minutes=30))
    found = await store.conversations.get("out")
    assert found is not None
    assert found.media == (Media(url="https://example.org/a.jpg"),)


async def test_a_status_is_followed_to_its_end(store: Store) -> None:
    """With the reason of it."""
    await add(store, "out")
    failed = Progress(status=DeliveryStatus.FAILED, reason=RejectReason.EXPIRED)
    await store.outbound.end("out", failed)
    found = await store.conversations.get("out")
    assert found is not None
    assert (found.status, found.reason) == (failed.status, failed.reason)


async def test_the_text_may_hold_any_character(store: Store) -> None:
    """What sqlite's own JSON does not take, or take for its end, comes back whole."""
    text = 'a"\\ \0 <b>x</b> \N{GRINNING FACE} \N{RIGHT-TO-LEFT OVERRIDE}'
    await receive(store, inbound("in", text=text))
    found = await store.conversations.get("in")
    assert found is not None
    assert found.text == inbound("in", text=text).text


async def test_conversations_are_listed_by_their_newest_message(
    store: Store, clock: Clock
) -> None:
    """Each with what was written last, whoever wrote it, and what is unread."""
    await receive(store, inbound("a1"), inbound("a2", at=5, text="newest of Alice"))
    clock.advance(60)
    await add(store, "b", BOB)
    listed = await store.conversations.list_newest()
    assert [
        (each.last.correspondent, each.last.text, each.unread) for each in listed
    ] == [
        (BOB, "Water leak", 0),
        (ALICE, "newest of Alice", 2),
    ]
    (newest,) = await store.conversations.list_newest(limit=1)
    assert newest.last.correspondent == BOB


async def test_what_was_read_is_unread_no_more(store: Store) -> None:
    """It is said once, and what comes later is unread again, also if it is older."""
    await receive(store, inbound("a", at=5))
    assert await store.conversations.mark_read(ALICE)
    assert not await store.conversations.mark_read(ALICE)
    assert not await store.conversations.mark_read(BOB)
    assert await unread(store) == 0
    await receive(store, inbound("late"))
    assert await unread(store) == 1


async def unread(store: Store) -> int:
    """Count what is unread of Alice's."""
    (conversation,) = await store.conversations.list_newest()
    return conversation.unread


async def test_a_conversation_is_read_in_pages(store: Store) -> None:
    """Each message once, newest first, also of those of one second."""
    await receive(store, *(inbound(f"m{n}", at=n // 3) for n in range(7)))
    assert await ids(store, limit=3) == (["m6", "m5", "m4"], True)
    assert await ids(store, "m4", limit=3) == (["m3", "m2", "m1"], True)
    assert await ids(store, "m1", limit=3) == (["m0"], False)
    assert await ids(store, "m0", limit=3) == ([], False)


async def test_a_page_may_begin_at_a_time(store: Store) -> None:
    """What was written before it, but not then."""
    await receive(store, *(inbound(f"m{n}", at=n) for n in range(3)))
    page = await store.conversations.read(ALICE, START + timedelta(seconds=2), 100)
    assert [each.message_id for each in page.messages] == ["m1", "m0"]


async def test_a_page_before_a_message_that_is_gone_is_the_newest(store: Store) -> None:
    """Nobody is shown an empty conversation for it."""
    await receive(store, inbound("a"))
    assert await ids(store, "gone") == (["a"], False)


async def test_a_page_is_never_longer_than_agreed(store: Store) -> None:
    """However much is asked for."""
    await receive(store, *(inbound(f"m{n}", at=n) for n in range(MOST_AT_ONCE + 1)))
    listed, more = await ids(store, limit=10_000)
    assert (len(listed), more) == (MOST_AT_ONCE, True)


async def test_nothing_is_kept_unless_the_number_keeps_it(
    path: Path, clock: Clock
) -> None:
    """Neither before it was said, nor for 0 days: no text in any table."""
    store = await open_store(path, clock)
    await receive(store, inbound("a", text="the secret"))
    await store.conversations.keep(0, clock())
    await receive(store, inbound("b", text="the secret"))
    await add(store, "c")
    await store.outbound.accept("c", SentMessage(provider_id="P"))
    assert await store.conversations.list_newest() == []
    await store.close()
    assert b"secret" not in texts_on_disk(path)
    assert b"Water" not in texts_on_disk(path)


async def test_what_was_kept_goes_with_the_wish(
    store: Store, path: Path, clock: Clock
) -> None:
    """At once, and from the disk as well."""
    await receive(store, inbound("a", text="the secret"))
    await store.conversations.keep(0, clock())
    assert await store.conversations.list_newest() == []
    await store.close()
    assert b"secret" not in texts_on_disk(path)


async def test_messages_are_kept_for_the_days_that_were_chosen(
    store: Store, clock: Clock
) -> None:
    """The daily tidying drops what is older, in either direction."""
    await receive(store, inbound("old"))
    await add(store, "old-out")
    clock.advance(29 * DAY)
    await receive(store, inbound("new", at=29 * DAY))
    await store.prune()
    assert (await ids(store))[0] == ["new", "old-out", "old"]
    clock.advance(2 * DAY)
    await store.prune()
    assert (await ids(store))[0] == ["new"]


async def test_fewer_days_count_at_once(store: Store, clock: Clock) -> None:
    """Also for what is there."""
    await receive(store, inbound("old"), inbound("new", at=3 * DAY))
    clock.advance(4 * DAY)
    await store.conversations.keep(2, clock())
    assert (await ids(store))[0] == ["new"]


async def test_nothing_is_compacted_where_nothing_was_deleted(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To compact is to write the whole file anew, which a start does not need."""
    compacted: list[bool] = []
    monkeypatch.setattr(store.conversations, "_compact", lambda: compacted.append(True))
    await receive(store, inbound("new"))
    await store.conversations.keep(30, clock())
    assert not compacted
    await store.conversations.keep(0, clock())
    assert compacted


async def test_a_clock_that_is_ahead_deletes_nothing(
    store: Store, clock: Clock
) -> None:
    """How old a message is, the provider's clock tells: the time it has come to."""
    await store.inbound.begin([], clock())
    await receive(store, inbound("kept"))
    clock.advance(3650 * DAY)
    await store.prune()
    await store.conversations.keep(30, clock())
    assert (await ids(store))[0] == ["kept"]
    await store.inbound.advance(clock())
    await store.prune()
    assert (await ids(store))[0] == []


async def test_messages_outlive_the_rows_that_work_needs(
    store: Store, clock: Clock
) -> None:
    """A message is read for longer than its delivery is remembered."""
    await store.conversations.keep(365, clock())
    await add(store, "out")
    await store.outbound.accept("out", SentMessage(provider_id="P"))
    await store.outbound.receive(receipt("P"))
    clock.advance(60 * DAY)
    await store.prune()
    assert not await store.outbound.is_claimed("P")
    found = await store.conversations.get("out")
    assert found is not None
    assert found.status is DeliveryStatus.DELIVERED


async def test_there_is_an_end_to_what_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more messages than a home can want to read, the newest stay."""
    monkeypatch.setattr(module, "_MOST_MESSAGES", 2)
    await receive(store, *(inbound(f"m{n}", at=n) for n in range(4)))
    await store.prune()
    assert (await ids(store))[0] == ["m3", "m2"]


async def test_who_is_forgotten_leaves_no_text(store: Store, path: Path) -> None:
    """With a contact goes what was written with them, and with nobody else."""
    await receive(store, inbound("a", text="the secret"))
    await add(store, "b", BOB)
    await store.conversations.forget([ALICE, "+33600000000"])
    assert [
        each.last.message_id for each in await store.conversations.list_newest()
    ] == ["b"]
    await store.close()
    assert b"secret" not in texts_on_disk(path)


async def test_conversations_outlive_a_restart_and_a_damaged_file(
    store: Store, path: Path, clock: Clock
) -> None:
    """Each message is there once, and what is no message is dropped."""
    await receive(store, inbound("a"))
    await add(store, "b")
    await store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        odd = [
            ("w", json.dumps([None, "", "x", 1, [], "known"]), None),
            ("x", "not JSON", None),
            ("y", "[1]", None),
            ("z", '["", []]', "odd"),
        ]
        connection.executemany(
            "INSERT INTO message (message_id, correspondent, at, content, status)"
            " VALUES (?, '+33612345678', 1.0, ?, ?)",
            odd,
        )
    path.with_suffix(".suspect").touch()
    again = await open_store(path, clock)
    assert again.salvage is not None
    assert (await ids(again))[0] == ["b", "a"]
    await again.close()


async def fill(store: Store, count: int, people: int) -> None:
    """Write a number of messages down as those of some people."""
    content = json.dumps([None, "", "x" * 160, 1, [], "known", "bob"])
    rows = [
        (f"m{n:06}", f"+336{n % people:08}", START.timestamp() + n, content, n % 2)
        for n in range(count)
    ]
    await store.conversations._run(
        lambda connection: (
            connection.executemany(
                "INSERT INTO message (message_id, correspondent, at, content, unread)"
                " VALUES (?, ?, ?, ?, ?)",
                rows,
            ).rowcount
        )
    )


@pytest.mark.parametrize("people", [1, 200, 50_000])
async def test_a_large_inbox_opens_at_once(store: Store, people: int) -> None:
    """50,000 messages: its list and a page of it take less than 200 ms each."""
    await fill(store, 50_000, people)
    conversations, first = store.conversations, "+33600000000"
    for read in (
        conversations.list_newest,
        lambda: conversations.read(first, None, 100),
        lambda: conversations.read(first, "m025000", 100),
    ):
        # The processor's time, for a test may have to share it with others.
        began = time.process_time()
        await read()
        assert time.process_time() - began < 0.2


async def test_a_page_is_read_by_an_index(store: Store) -> None:
    """Its time does not grow with the inbox, nor with what lies before it."""
    rows = await store.conversations._run(
        lambda connection: connection.execute(
            f"EXPLAIN QUERY PLAN {PAGE}", (ALICE, 1.0, "a", 100)
        ).fetchall()
    )
    (plan,) = [str(row["detail"]) for row in rows]
    assert plan.startswith("SEARCH message USING INDEX message_correspondent")
    assert "(correspondent=? AND (at,message_id)<(?,?))" in plan


async def test_old_messages_are_found_in_an_index(store: Store) -> None:
    """The daily tidying reads no text, and no message is written for its sake."""
    rows = await store.conversations._run(
        lambda connection: connection.execute(
            f"EXPLAIN QUERY PLAN {PRUNE}", (1, 1)
        ).fetchall()
    )
    plans = [str(row["detail"]) for row in rows]
    assert "SEARCH message USING PRIMARY KEY (message_id=?)" in plans
    scans = [each for each in plans if each.startswith("SCAN message")]
    assert scans == ["SCAN message USING COVERING INDEX message_correspondent"] * 2
