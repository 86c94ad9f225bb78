"""What leaves outlives a crash, and hinders nothing where it cannot."""

import os
from pathlib import Path

import pytest

from custom_components.virtual_sms.store.journal import ROOM, Journal

A, B = [["a", 1.5, None, True], "2026-11"], [["b"], None]


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Return where a journal is."""
    return [tmp_path / "store.leaving", tmp_path / "store.left"]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return where a journal keeps what could not be written."""
    return tmp_path / "store.kept"


def begin(paths: list[Path], kept: Path) -> Journal:
    """Begin a journal."""
    journal = Journal(paths, kept)
    journal.open()
    return journal


def test_what_is_noted_is_found_by_the_next_run(paths: list[Path], kept: Path) -> None:
    """Whichever file it is in; files for nobody else to read."""
    journal = begin(paths, kept)
    assert journal.read() == []
    journal.note([A])
    journal.turn()
    journal.note([B])
    assert {each.stat().st_mode & 0o777 for each in paths} == {0o600}
    again = Journal(paths, kept)
    assert again.read() == [A, B]
    journal.close()
    again.close()
    assert all(each.exists() for each in paths)


def test_what_is_on_disk_is_forgotten(paths: list[Path], kept: Path) -> None:
    """And not what was noted while that was written; what is empty is deleted."""
    journal = begin(paths, kept)
    journal.note([A])
    noted = journal.turn()
    journal.note([B])
    noted.forget()
    assert [each.stat().st_size > 0 for each in paths] == [False, True]
    journal.turn().forget()
    journal.close()
    assert not any(each.exists() for each in paths)


def test_a_line_that_was_cut_short_is_left_out(paths: list[Path], kept: Path) -> None:
    """So is what makes no sense; the others count."""
    paths[0].write_bytes(b'[["a"], null]\n7\n[7, null]\n\xff\n[["b"], nu')
    assert Journal(paths, kept).read() == [[["a"], None]]


def test_it_can_be_opened_again(paths: list[Path], kept: Path) -> None:
    """What is in it stays until then, for what reads it may fail to write it down."""
    journal = begin(paths, kept)
    journal.note([A])
    journal.close()
    journal.turn().forget()
    assert journal.read() == journal.read() == [A]
    journal.open()
    assert journal.read() == []
    journal.close()


def test_where_there_can_be_none(paths: list[Path], kept: Path) -> None:
    """Nothing is raised, and nothing is noted."""
    for each in (*paths, kept):
        each.mkdir()
    journal = begin(paths, kept)
    assert journal.read() == journal.read_kept() == []
    journal.note([A])
    journal.turn().keep()
    journal.void("a")
    journal.turn().forget()
    journal.close()


def test_a_disk_that_takes_nothing(
    paths: list[Path], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hinders no message from leaving."""

    def fail(*_: object) -> None:
        raise OSError("full")

    journal = begin(paths, kept)
    with monkeypatch.context() as patch:
        patch.setattr("os.write", fail)
        patch.setattr("os.pwrite", fail)
        patch.setattr("os.ftruncate", fail)
        journal.note([A])
        journal.turn().forget()
    assert [each.read_bytes() for each in paths] == [b"", b""]
    journal.close()


def test_what_could_not_be_written_is_kept(paths: list[Path], kept: Path) -> None:
    """Whatever is written after it, until none of it is needed any more."""
    journal = begin(paths, kept)
    is_needed = True
    journal.is_needed = lambda: is_needed
    journal.note([A])
    journal.turn().keep()
    for _ in range(3):
        journal.note([B])
        journal.turn().forget()
    assert (journal.read_kept(), journal.read()) == ([A], [])
    journal.close()
    assert Journal(paths, kept).read_kept() == [A]
    assert not any(each.exists() for each in paths)
    journal.open()
    assert journal.read_kept() == []
    journal.note([A])
    journal.turn().keep()
    is_needed = False
    journal.turn().forget()
    assert journal.read_kept() == []
    assert kept.read_bytes() == bytes(ROOM)
    journal.close()


def test_what_is_kept_and_not_needed_ends_with_the_journal(
    paths: list[Path], kept: Path
) -> None:
    """Nothing of a text is left; the room is there for the next run."""
    journal = begin(paths, kept)
    journal.note([A])
    journal.turn().keep()
    journal.close()
    assert kept.read_bytes() == bytes(ROOM)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [*kept.parent.iterdir()] == [kept]


def test_what_has_not_left_is_voided(paths: list[Path], kept: Path) -> None:
    """The others are kept, and so is it if it leaves after all."""
    journal = begin(paths, kept)
    journal.is_needed = lambda: True
    journal.note([A, B])
    journal.turn().keep()
    journal.void("a")
    assert journal.read_kept() == [B]
    journal.note([A])
    journal.turn().keep()
    assert journal.read_kept() == [B, A]
    journal.close()


def test_a_full_disk_has_room_for_what_leaves(
    paths: list[Path], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That was taken before; what a disk takes a part of spoils nothing after it."""
    journal = begin(paths, kept)
    write = os.write

    def write_some(file: int, content: bytes) -> int:
        return write(file, content[:7])

    with monkeypatch.context() as patch:
        patch.setattr("os.write", write_some)
        journal.note([A])
    journal.note([B])
    assert (journal.read_kept(), journal.read()) == ([A], [B])
    journal.close()


def test_the_room_has_an_end(paths: list[Path], kept: Path) -> None:
    """However long a disk takes nothing; the first that left are kept."""
    journal = begin(paths, kept)
    journal.is_needed = lambda: True
    lines = [[[f"m{number}", "x" * 1000], None] for number in range(200)]
    for each in lines:
        journal.note([each])
        journal.turn().keep()
    journal.void("m0")
    assert kept.stat().st_size == ROOM
    assert all(not each.stat().st_size for each in paths)
    found = journal.read_kept()
    assert len(found) > 60
    assert found == lines[: len(found)]
    journal.close()


def test_the_room_is_taken_once(
    paths: list[Path], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that finds it empty writes nothing to it."""
    begin(paths, kept).close()
    written: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", lambda *each: written.append(each))
        begin(paths, kept).close()
    assert written == []


def test_room_that_cannot_be_emptied_is_emptied_later(
    paths: list[Path], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next write that is taken."""
    journal = begin(paths, kept)
    journal.note([A])
    journal.turn().keep()
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", lambda *_: 0)
        journal.turn().forget()
    assert journal.read_kept() == [A]
    journal.turn().forget()
    assert journal.read_kept() == []
    journal.close()
