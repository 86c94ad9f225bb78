"""What is about to leave outlives a crash, and hinders nothing where it cannot."""

from pathlib import Path

import pytest

from custom_components.virtual_sms.store.journal import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a journal is."""
    return tmp_path / "store.leaving"


def test_what_is_noted_is_found_by_the_next_run(path: Path) -> None:
    """In its order, until it is cleared; a file for nobody else to read."""
    journal = Journal(path)
    assert journal.open() == []
    journal.note([[["a", 1.5, None, True], "2026-11"]])
    journal.note([[["b"], None]])
    assert path.stat().st_mode & 0o777 == 0o600
    again = Journal(path)
    assert again.open() == [[["a", 1.5, None, True], "2026-11"], [["b"], None]]
    again.clear()
    assert path.read_bytes() == b""
    again.close()
    journal.close()


def test_a_line_that_was_cut_short_is_left_out(path: Path) -> None:
    """So is what makes no sense; the others count."""
    path.write_bytes(b'[["a"], null]\n7\n[7, null]\n\xff\n[["b"], nu')
    journal = Journal(path)
    assert journal.open() == [[["a"], None]]
    journal.close()


def test_it_can_be_opened_again(path: Path) -> None:
    """The same journal goes on with what is in it."""
    journal = Journal(path)
    journal.open()
    journal.note([[["a"], None]])
    assert journal.open() == [[["a"], None]]
    journal.close()


def test_where_there_can_be_none(path: Path) -> None:
    """Nothing is raised, and nothing is noted."""
    path.mkdir()
    journal = Journal(path)
    assert journal.open() == []
    journal.note([[["a"], None]])
    journal.clear()
    journal.close()


def test_a_disk_that_takes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hinders no message from leaving."""

    def fail(*_: object) -> None:
        raise OSError("full")

    journal = Journal(path)
    journal.open()
    with monkeypatch.context() as patch:
        patch.setattr("os.write", fail)
        patch.setattr("os.ftruncate", fail)
        journal.note([[["a"], None]])
        journal.clear()
    assert path.read_bytes() == b""
    journal.clear()
    journal.close()
