"""A text is what somebody waits for, or it is not; nothing takes for ever."""

import time

import pytest

from custom_components.virtual_sms.core.text_match import (
    LONGEST_PATTERN,
    InvalidPatternError,
    Match,
    TextMatch,
)


@pytest.mark.parametrize(
    ("match", "wanted", "text", "fits"),
    [
        (Match.ANY, "", "whatever", True),
        (Match.EQUALS, "Open Garage", " open garage\n", True),
        (Match.EQUALS, " open garage ", "open garage", True),
        (Match.EQUALS, "open", "open garage", False),
        (Match.CONTAINS, "GARAGE", "open garage now", True),
        (Match.CONTAINS, "garage ", "open garage", False),
        (Match.STARTS_WITH, "open", "Open garage", True),
        (Match.STARTS_WITH, "open", " open garage", False),
        (Match.EQUALS, "straße", "STRASSE", True),
    ],
)
def test_a_text_is_compared(match: Match, wanted: str, text: str, fits: bool) -> None:
    """Without regard for case, and for outer blanks where the whole text counts."""
    assert TextMatch(match, wanted).find(text) == ({} if fits else None)


def test_a_pattern_hands_over_its_groups() -> None:
    """By number and by name; it searches, without regard for case."""
    pattern = TextMatch(Match.REGEX, r"open (?P<what>\w+)(?: for (\d+) minutes)?")
    assert pattern.find("please OPEN Garage") == {
        "0": "OPEN Garage",
        "1": "Garage",
        "2": None,
        "what": "Garage",
    }
    assert pattern.find("close garage") is None


@pytest.mark.parametrize(
    "pattern", ["(", "a" * (LONGEST_PATTERN + 1), "(?P<1>a)", "(?a)(?u)a"]
)
def test_a_pattern_that_cannot_be_read(pattern: str) -> None:
    """It is refused when it is written down, not when a message comes."""
    with pytest.raises(InvalidPatternError):
        TextMatch(Match.REGEX, pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$b", ".*a.*a.*a.*b", "(a|aa)+$b", "^(a?){200}a{200}b"]
)
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    """It is given up after a moment, and does not match."""
    hostile = TextMatch(Match.REGEX, pattern)
    started = time.perf_counter()
    assert hostile.find("a" * 5000) is None
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "pattern",
    [
        "a{1000000}",
        "(?:[ab]{1000}){1000}",
        "(?:(?:a{200}){200}){200}",
        "(?x) a{ 1 000 000 }",
        "(?:" + "[ab]" * 100 + "){10000}",
    ],
)
def test_no_pattern_is_written_out_for_ever(pattern: str) -> None:
    """The engine would do that when it reads one, and stop for no time."""
    started = time.perf_counter()
    with pytest.raises(InvalidPatternError, match="repeats too much"):
        TextMatch(Match.REGEX, pattern)
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
        r"(\d{4}[ -]){3}\d{4}",
        r"^.{0,1600}$",
        r"(?:garage){e<=2}",
    ],
)
def test_a_pattern_may_repeat(pattern: str) -> None:
    """What people write is read."""
    assert TextMatch(Match.REGEX, pattern).text == pattern
