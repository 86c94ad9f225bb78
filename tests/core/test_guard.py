"""Whom the home believes: every message says so, and no code is left in any."""

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
import sqlite3

import pyotp
import pytest

from custom_components.virtual_sms.adapters.models import InboundMessage
from custom_components.virtual_sms.core.code_memory import CodeMemory
from custom_components.virtual_sms.core.command_code import Pin, Totp
from custom_components.virtual_sms.core.guard import ContactGuard, NoGuard, Writer
from custom_components.virtual_sms.core.inbox import Inbox
from custom_components.virtual_sms.store.changes import Received, Trust
from tests.fakes import (
    START,
    Clock,
    FakeAdapter,
    inbound,
    make_dependencies,
    open_store,
)

ANNA = "+33612345678"
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = int(START.timestamp()) // 30
PIN = Pin.make("4711")
WITH_PIN = Writer(contact_id="anna", may_command=True, code=PIN)
WITH_APP = Writer(contact_id="anna", may_command=True, code=Totp(key=KEY))


def code_of(step: int) -> str:
    """Return what the app shows at a step of time."""
    return pyotp.TOTP(KEY).generate_otp(step)


class Home:
    """A line with a guard, and all that it has published."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.adapter = FakeAdapter(self.clock)
        self.memory = CodeMemory()
        self.writers = {ANNA: WITH_PIN}
        self.max_age = timedelta(minutes=5)
        self.published: list[Received] = []

    async def open(self) -> None:
        """Open the line as a start of Home Assistant does."""
        self.store = await open_store(self.path, self.clock)
        guard = ContactGuard(self.writers.get, self.memory, lambda: self.max_age)
        guard.load("line", await self.store.codes.read())
        self.guard = guard
        dependencies = replace(make_dependencies(self.clock), guard=guard)
        line = self.adapter.line()
        self.inbox = Inbox(line, self.store, self._publish, dependencies, lambda: None)
        await self.inbox.begin()

    async def restart(self) -> None:
        """Close the line, forget all that is not on disk, and open it again."""
        await self.store.close()
        self.memory = CodeMemory()
        await self.open()

    async def hear(self, text: str, *, message_id: str = "", at: float = 0) -> Received:
        """Let somebody write, and return what is published of it."""
        message = inbound(message_id or f"M{len(self.published)}", at=at, text=text)
        return await self.take(message)

    async def take(self, message: InboundMessage) -> Received:
        """Take a message in, and return what is published of it."""
        await self.inbox.take(message)
        await self.store.examine()
        return self.published[-1]

    def _publish(self, changes: Sequence[Received]) -> None:  # type: ignore[override]
        self.published += changes


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """Open a line on which Anna may command with a PIN."""
    home = Home(tmp_path / "store.db")
    await home.open()
    yield home
    await home.store.close()


def says(received: Received) -> tuple[Trust, str]:
    """Return what is believed, and what is left of the text."""
    return received.trust, received.message.text


# Who it is


async def test_a_stranger_is_unknown(home: Home) -> None:
    """Nobody knows them, and what they write is left as it is."""
    home.writers.clear()
    received = await home.hear("4711 open")
    assert says(received) == (Trust.UNKNOWN, "4711 open")
    assert received.contact_id is None


@pytest.mark.parametrize("sender", ["Anna", "12345", "", "+33", "+33612345678a"])
async def test_who_writes_without_a_phone_number_is_unknown(
    home: Home, sender: str
) -> None:
    """Such a name can be chosen by anybody: it is no contact's, even if it matches."""
    home.writers[sender] = WITH_PIN
    received = await home.take(replace(inbound("M"), sender=sender, text="4711 open"))
    assert says(received) == (Trust.UNKNOWN, "4711 open")


async def test_a_contact_who_may_not_command_is_known(home: Home) -> None:
    """A code counts only with `may_command`."""
    home.writers[ANNA] = Writer(contact_id="anna", code=PIN)
    received = await home.hear("4711 open")
    assert says(received) == (Trust.KNOWN, "4711 open")
    assert received.contact_id == "anna"


async def test_a_contact_without_a_code_is_trusted(home: Home) -> None:
    """Where none is set, none is asked for."""
    home.writers[ANNA] = Writer(contact_id="anna", may_command=True)
    received = await home.hear("0000 open")
    assert says(received) == (Trust.TRUSTED, "0000 open")
    assert received.contact_id == "anna"


# Codes


async def test_the_right_code_is_trusted_and_taken_out(home: Home) -> None:
    """It is in no event and on no disk, wherever it stood."""
    assert says(await home.hear("4711 open")) == (Trust.TRUSTED, "open")
    assert says(await home.hear("open 4711")) == (Trust.TRUSTED, "open")
    assert says(await home.hear("4711")) == (Trust.TRUSTED, "")
    (_, unpublished, _) = await home.store.inbound.unpublished()
    assert says(unpublished)[0] is Trust.TRUSTED
    assert unpublished.contact_id == "anna"
    for file in home.path.parent.iterdir():
        assert b"4711" not in file.read_bytes(), file.name


async def test_a_missing_code_is_unproven(home: Home) -> None:
    """However often: ordinary sentences never lock."""
    for _ in range(6):
        assert says(await home.hear("open garage")) == (Trust.UNPROVEN, "open garage")
    assert says(await home.hear("4711 open")) == (Trust.TRUSTED, "open")


async def test_the_fifth_wrong_code_locks(home: Home) -> None:
    """From then on a right one is taken out, and believed no more."""
    for _ in range(4):
        assert says(await home.hear("0000 open")) == (Trust.UNPROVEN, "0000 open")
    assert says(await home.hear("0000 open")) == (Trust.LOCKED, "0000 open")
    assert says(await home.hear("4711 open")) == (Trust.LOCKED, "open")
    assert says(await home.hear("open")) == (Trust.LOCKED, "open")
    assert says(await home.hear("1111 open")) == (Trust.LOCKED, "1111 open")


async def test_a_right_code_does_not_reset_the_count(home: Home) -> None:
    """Who guesses between two messages of the contact is locked as soon."""
    for _ in range(4):
        await home.hear("0000 open")
        assert says(await home.hear("4711 open")) == (Trust.TRUSTED, "open")
    assert (await home.hear("0000")).trust is Trust.LOCKED


async def test_two_wrong_codes_in_a_message_are_two(home: Home) -> None:
    """A message is no way to guess twice for the price of once."""
    await home.hear("0000 open 1111")
    await home.hear("2222 open 3333")
    assert (await home.hear("4444 open 5555")).trust is Trust.LOCKED


async def test_wrong_codes_of_more_than_an_hour_do_not_lock(home: Home) -> None:
    """They are counted within an hour, by the provider's time."""
    home.clock.advance(4 * 3600)
    for hour in (0, 1, 2, 3):
        await home.hear("0000", at=hour * 3600)
        assert (await home.hear("1111", at=hour * 3600 + 60)).trust is Trust.UNPROVEN
    assert (await home.hear("2222", at=3 * 3600 + 120)).trust is Trust.UNPROVEN


async def test_the_same_message_is_no_second_attempt(home: Home) -> None:
    """A provider that repeats its callback locks nobody."""
    for _ in range(6):
        await home.hear("0000 open", message_id="M")
    (received,) = home.published
    assert received.trust is Trust.UNPROVEN
    assert len((await home.store.codes.read()).attempts) == 1


async def test_a_lock_outlives_a_restart(home: Home) -> None:
    """And so do the wrong codes that lead to it, at the same second as well."""
    for _ in range(4):
        await home.hear("0000 open")
    await home.restart()
    assert (await home.hear("0000 open")).trust is Trust.LOCKED
    await home.restart()
    assert says(await home.hear("4711 open")) == (Trust.LOCKED, "open")
    assert (await home.hear("0000")).trust is Trust.LOCKED


async def test_a_lock_is_stored_with_its_time(home: Home, tmp_path: Path) -> None:
    """What can be saved of a damaged file is chosen by it."""
    for at in range(5):
        await home.hear("0000 open", at=at)
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        rows = connection.execute("SELECT contact_id, at FROM code_lock").fetchall()
    assert rows == [("anna", START.timestamp() + 4)]


async def test_a_lock_outlives_what_led_to_it(home: Home) -> None:
    """A restart long after the wrong codes opens nothing."""
    for _ in range(5):
        await home.hear("0000 open")
    home.clock.advance(2 * 3600)
    await home.restart()
    right = await home.hear("4711 open", at=2 * 3600)
    assert says(right) == (Trust.LOCKED, "open")


async def test_a_line_that_loads_again_counts_nothing_twice(home: Home) -> None:
    """What it has stored is known already."""
    for _ in range(3):
        await home.hear("0000 open")
    await home.store.close()
    await home.open()
    assert (await home.hear("0000 open")).trust is Trust.UNPROVEN
    assert (await home.hear("0000 open")).trust is Trust.LOCKED


async def test_unlocking_forgives(home: Home) -> None:
    """Five more are needed then, over restarts."""
    for _ in range(5):
        await home.hear("0000 open")
    home.memory.unlock("anna")
    await home.store.codes.unlock("anna")
    await home.restart()
    assert says(await home.hear("4711 open")) == (Trust.TRUSTED, "open")
    for _ in range(4):
        assert (await home.hear("0000")).trust is Trust.UNPROVEN
    await home.restart()
    assert (await home.hear("0000")).trust is Trust.LOCKED


async def test_a_contact_that_is_locked_without_a_code_stays_so(home: Home) -> None:
    """Only the repair unlocks."""
    for _ in range(5):
        await home.hear("0000 open")
    home.writers[ANNA] = Writer(contact_id="anna", may_command=True)
    assert (await home.hear("open")).trust is Trust.LOCKED


async def test_what_was_tried_on_one_line_counts_on_another(
    home: Home, tmp_path: Path
) -> None:
    """Contacts are recognised on every line, and so is who guesses."""
    other = Home(tmp_path / "other.db")
    other.memory = home.memory
    await other.open()
    for _ in range(4):
        await home.hear("0000 open")
    assert (await other.hear("0000 open", message_id="O")).trust is Trust.LOCKED
    assert (await home.hear("4711 open")).trust is Trust.LOCKED
    await other.store.close()


async def test_a_code_of_the_app_counts_once(home: Home) -> None:
    """Who reads it along the way cannot use it; it is taken out all the same."""
    home.writers[ANNA] = WITH_APP
    code = code_of(STEP)
    assert says(await home.hear(f"{code} open")) == (Trust.TRUSTED, "open")
    assert says(await home.hear(f"{code} open")) == (Trust.UNPROVEN, "open")
    await home.restart()
    assert says(await home.hear(f"open {code}")) == (Trust.UNPROVEN, "open")
    assert says(await home.hear(f"{code_of(STEP + 1)} open")) == (Trust.TRUSTED, "open")


async def test_the_code_that_proved_the_app_counts_as_used(home: Home) -> None:
    """Whoever looked over a shoulder then has nothing of it."""
    home.writers[ANNA] = replace(WITH_APP, code=Totp(key=KEY, proved_step=STEP))
    assert says(await home.hear(f"{code_of(STEP)} open")) == (Trust.UNPROVEN, "open")
    assert (await home.hear(code_of(STEP + 1))).trust is Trust.TRUSTED


async def test_a_code_is_forgotten_long_after(home: Home) -> None:
    """It cannot be right any more."""
    home.writers[ANNA] = WITH_APP
    await home.hear(code_of(STEP))
    home.clock.advance(2 * 86400)
    await home.hear(code_of(STEP + 2 * 2880), at=2 * 86400)
    assert (await home.store.codes.read()).used == [("anna", STEP + 2 * 2880)]


async def test_a_locked_contacts_code_is_used_as_well(home: Home) -> None:
    """It is taken out while locked, and does not count after that."""
    home.writers[ANNA] = WITH_APP
    for _ in range(5):
        await home.hear("000000 open")
    code = code_of(STEP)
    assert says(await home.hear(f"{code} open")) == (Trust.LOCKED, "open")
    home.memory.unlock("anna")
    assert says(await home.hear(f"{code} open")) == (Trust.UNPROVEN, "open")


async def test_a_message_whose_writing_failed_is_judged_alike_again(
    home: Home,
) -> None:
    """What undoes a transaction makes no code a used one, and no attempt two."""
    home.writers[ANNA] = WITH_APP
    judge = home.guard.judge_at(START)
    right = Received(message=inbound("R", text=f"{code_of(STEP)} open"), late=False)
    wrong = Received(message=inbound("W", text="000000 1 111111"), late=False)
    third = Received(message=inbound("T", text="000000 222222 333333"), late=False)

    def fail(connection: sqlite3.Connection) -> None:
        for each in (right, wrong, third):
            judge(connection, each)
        raise sqlite3.OperationalError

    with pytest.raises(sqlite3.OperationalError):
        await home.store._database.run(fail)
    assert says(await home.take(right.message)) == (Trust.TRUSTED, "open")
    assert (await home.take(wrong.message)).trust is Trust.UNPROVEN
    assert (await home.take(third.message)).trust is Trust.UNPROVEN
    assert len((await home.store.codes.read()).attempts) == 4


async def test_a_lock_whose_writing_failed_is_written_again(home: Home) -> None:
    """It outlives a restart as any other."""
    for _ in range(4):
        await home.hear("0000")
    fifth = Received(message=inbound("F", text="0000"), late=False)

    def fail(connection: sqlite3.Connection) -> None:
        home.guard.judge_at(START)(connection, fifth)
        raise sqlite3.OperationalError

    with pytest.raises(sqlite3.OperationalError):
        await home.store._database.run(fail)
    assert (await home.take(fifth.message)).trust is Trust.LOCKED
    await home.restart()
    assert (await home.hear("4711")).trust is Trust.LOCKED


async def test_who_is_forgotten_begins_anew(home: Home) -> None:
    """A contact that is gone leaves nothing, and a new code has no history."""
    home.writers[ANNA] = WITH_APP
    await home.hear(code_of(STEP))
    for _ in range(5):
        await home.hear("000000")
    home.memory.forget("anna")
    await home.store.codes.forget("anna")
    rows = await home.store.codes.read()
    assert not rows.attempts
    assert not rows.used
    assert not rows.locked
    assert (await home.hear(code_of(STEP))).trust is Trust.TRUSTED


# Age


@pytest.mark.parametrize("code", [PIN, None])
async def test_an_old_command_is_outdated(home: Home, code: Pin | None) -> None:
    """What was held up on its way opens no door hours later; the code is taken out."""
    home.writers[ANNA] = Writer(contact_id="anna", may_command=True, code=code)
    text = "4711 open" if code else "open"
    home.clock.advance(300)
    assert says(await home.hear(text)) == (Trust.TRUSTED, "open")
    home.clock.advance(1)
    assert says(await home.hear(text)) == (Trust.OUTDATED, "open")
    assert says(await home.hear(text, at=1)) == (Trust.TRUSTED, "open")
    home.max_age = timedelta(minutes=10)
    assert says(await home.hear(text)) == (Trust.TRUSTED, "open")


async def test_the_providers_clock_tells_the_age(home: Home) -> None:
    """A home's clock that is wrong makes no message old."""
    home.clock.step(3600)
    assert (await home.hear("4711")).trust is Trust.TRUSTED
    home.clock.step(-3600)
    home.clock.advance(400)
    home.clock.step(-400)
    assert (await home.hear("4711")).trust is Trust.OUTDATED


async def test_the_homes_clock_tells_it_where_the_providers_is_unknown(
    home: Home,
) -> None:
    """No answer has told the time yet."""
    home.adapter.date_error = None
    assert (await home.hear("4711")).trust is Trust.TRUSTED
    home.clock.advance(400)
    assert (await home.hear("4711")).trust is Trust.OUTDATED


async def test_a_message_read_late_is_judged_as_well(home: Home) -> None:
    """Whatever way it comes: what a poll finds has its code taken out, and an age."""
    home.clock.advance(600)
    home.adapter.record = [
        inbound("old", at=200, text="4711 old"),
        inbound("new", at=500, text="4711 new"),
    ]
    await home.inbox.catch_up_inbound(late=True)
    await home.store.examine()
    assert [says(each) for each in home.published] == [
        (Trust.OUTDATED, "old"),
        (Trust.TRUSTED, "new"),
    ]


@pytest.mark.parametrize("trust", list(Trust))
def test_what_waited_too_long_is_not_believed(home: Home, trust: Trust) -> None:
    """A crash or a slow start must not have a command carried out an hour later."""
    received = Received(message=inbound("M"), late=False, trust=trust)
    assert home.guard.review(received, START + timedelta(minutes=5)) == received
    late = home.guard.review(received, START + timedelta(hours=1))
    believed = Trust.OUTDATED if trust is Trust.TRUSTED else trust
    assert late == replace(received, trust=believed)


@pytest.mark.parametrize("trust", list(Trust))
def test_who_is_outdated_is_unproven_to_the_outside(trust: Trust) -> None:
    """The public word is one of five; all others are told as they are."""
    is_outdated = trust is Trust.OUTDATED
    assert trust.shown is (Trust.UNPROVEN if is_outdated else trust)


def test_without_a_guard_nobody_is_believed() -> None:
    """Nothing is taken out, and nothing changes."""
    received = Received(message=inbound("M", text="4711"), late=False)
    connection = sqlite3.connect(":memory:")
    assert NoGuard().judge_at(START)(connection, received) is received
    assert NoGuard().review(received, datetime.max.replace(tzinfo=START.tzinfo)) is (
        received
    )
    connection.close()
