"""One word for one thing: that of the field, and not one of our own."""

import re

from .test_architecture import PRODUCT_FILES, ROOT, name

OURS = {
    "announcer": "publisher",
    "deeds": "tokens",
    "doorbell": "unsigned callback, confirmation queue",
    "heir": "successor",
    "household": "account",
    "ledger": "store, table",
    "news": "change",
    "patience": "retry window, flush delay, timeout",
    "siblings": "lines of the account",
    "surroundings": "dependencies",
    "untold": "unpublished",
    "veil": "redact",
    "way back": "callback check",
}
"""Words that were used here once, and what to call it instead."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
TEXTS = ROOT / "custom_components" / "virtual_sms" / "translations" / "en.json"
STORED = re.compile(r"\w+_untold")
"""An index of released files, which is called so for ever."""
FOUND = re.compile(rf"(?<![a-z])({'|'.join(OURS)})(?![a-z])", re.IGNORECASE)


def test_words_are_those_of_the_field() -> None:
    """In names, docstrings, comments and pages, as in what users read."""
    for file in (*PRODUCT_FILES, *PAGES, TEXTS):
        text = STORED.sub("", file.read_text("utf-8"))
        found = {each.lower() for each in FOUND.findall(text)}
        assert {each: OURS[each] for each in found} == {}, name(file)
