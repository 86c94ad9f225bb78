"""What is put right in the test plugin for a newer Home Assistant."""

from pathlib import Path

from scripts.mend_plugin import MENDS, mend


def test_each_place_is_mended_once(tmp_path: Path) -> None:
    """What is mended already, by whomever, stays."""
    for name in {each.file for each in MENDS}:
        places = [each.old for each in MENDS if each.file == name]
        (tmp_path / name).write_text("\n".join(places))
    assert mend(tmp_path) == [each.file for each in MENDS]
    assert mend(tmp_path) == []
    assert all(each.new in (tmp_path / each.file).read_text() for each in MENDS)
