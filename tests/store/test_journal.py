"""What leaves outlives a crash, and hinders nothing where it cannot."""

from pathlib import Path

import pytest

from custom_components.virtual_sms.store.journal import Journal

A, B = [["a", 1.5, None, True], "2026-11"], [["b"], None]


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Return where a journal is."""
    return [tmp_path / "store.leaving", tmp_path / "store.left"]


def test_what_is_noted_is_found_by_the_next_run(paths: list[Path]) -> None:
    """Whichever file it is in; files for nobody else to read."""
    journal = Journal(paths)
    journal.open()
    assert journal.read() == []
    journal.note([A])
    journal.turn()
    journal.note([B])
    assert {each.stat().st_mode & 0o777 for each in paths} == {0o600}
    again = Journal(paths)
    assert again.read() == [A, B]
    journal.close()
    again.close()
    assert all(each.exists() for each in paths)


def test_what_is_on_disk_is_forgotten(paths: list[Path]) -> None:
    """And not what was noted while that was written; what is empty is deleted."""
    journal = Journal(paths)
    journal.open()
    journal.note([A])
    forget = journal.turn()
    journal.note([B])
    forget()
    assert [each.stat().st_size > 0 for each in paths] == [False, True]
    journal.turn()()
    journal.close()
    assert not any(each.exists() for each in paths)


def test_a_line_that_was_cut_short_is_left_out(paths: list[Path]) -> None:
    """So is what makes no sense; the others count."""
    paths[0].write_bytes(b'[["a"], null]\n7\n[7, null]\n\xff\n[["b"], nu')
    assert Journal(paths).read() == [[["a"], None]]


def test_it_can_be_opened_again(paths: list[Path]) -> None:
    """What is in it stays until then, for what reads it may fail to write it down."""
    journal = Journal(paths)
    journal.open()
    journal.note([A])
    journal.close()
    journal.turn()()
    assert journal.read() == journal.read() == [A]
    journal.open()
    assert journal.read() == []
    journal.close()


def test_where_there_can_be_none(paths: list[Path]) -> None:
    """Nothing is raised, and nothing is noted."""
    for each in paths:
        each.mkdir()
    journal = Journal(paths)
    journal.open()
    assert journal.read() == []
    journal.note([A])
    journal.turn()()
    journal.close()


def test_a_disk_that_takes_nothing(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hinders no message from leaving."""

    def fail(*_: object) -> None:
        raise OSError("full")

    journal = Journal(paths)
    journal.open()
    with monkeypatch.context() as patch:
        patch.setattr("os.write", fail)
        patch.setattr("os.ftruncate", fail)
        journal.note([A])
        journal.turn()()
    assert [each.read_bytes() for each in paths] == [b"", b""]
    journal.close()
