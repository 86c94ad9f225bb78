"""Files that are named by what is in them."""

from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.store.blobs import BlobFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    """Return a folder that is yet to be made."""
    return BlobFolder(tmp_path / "files")


def test_a_file_is_kept_once(folder: BlobFolder) -> None:
    """However often it comes; another one has another name."""
    name = folder.put(b"one")
    assert folder.put(b"one") == name != folder.put(b"two")
    assert folder.get(name) == b"one"
    assert len(list(folder.path.iterdir())) == 2
    assert folder.path.stat().st_mode & 0o077 == 0


def test_what_is_gone_is_none(folder: BlobFolder) -> None:
    """It may have been deleted by hand."""
    assert folder.get("gone") is None


def test_all_but_some_are_deleted(folder: BlobFolder) -> None:
    """What was half written as well, and the folder with its last file."""
    folder.keep({"gone"})
    one, _ = folder.put(b"one"), folder.put(b"two")
    (folder.path / "x.partial").touch()
    folder.keep({one})
    assert [each.name for each in folder.path.iterdir()] == [one]
    folder.keep(())
    assert not folder.path.exists()
    folder.erase()
