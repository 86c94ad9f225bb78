"""Whatever a person types becomes E.164 or a clear refusal."""

from collections.abc import Callable, Iterator
from pathlib import Path
import re
import subprocess
import sys

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.virtual_sms.core.phone_numbers import (
    InvalidNumberError,
    is_read,
    parse_number,
    read_ahead,
    region_of,
)

# Hypothesis takes its own generator for one that nobody keeps, on Python 3.14.
pytestmark = pytest.mark.filterwarnings("ignore:It looks like `register_random`")

FRENCH, AMERICAN, GERMAN = "+33612345678", "+15005550006", "+4915123456789"
ROOT = Path(__file__).parents[2]
SPANISH, BRITISH = "+34612345678", "+447400123456"


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("+33 6 12 34 56 78", "FR", FRENCH),
        ("+33 6 12 34 56 78", None, FRENCH),
        ("+33 (0)6 12 34 56 78", "GB", FRENCH),
        ("06 12 34 56 78", "FR", FRENCH),
        ("06.12.34.56.78", "FR", FRENCH),
        ("06-12-34-56-78", "FR", FRENCH),
        ("06/12345678", "FR", FRENCH),
        ("(06)12345678", "FR", FRENCH),
        ("06\N{NO-BREAK SPACE}12 34 56 78", "FR", FRENCH),
        ("  0612345678\n", "FR", FRENCH),
        ("0033612345678", "FR", FRENCH),
        ("0033612345678", "US", FRENCH),
        ("0033612345678", None, FRENCH),
        ("0033 (0)6 12 34 56 78", "DE", FRENCH),
        ("33612345678", "FR", FRENCH),
        ("33612345678", "US", FRENCH),
        ("33612345678", "DE", FRENCH),
        ("33612345678", "ES", FRENCH),
        ("33612345678", "GB", FRENCH),
        ("33612345678", None, FRENCH),
        ("33 (0)6 12 34 56 78", "FR", FRENCH),
        (33612345678, "FR", FRENCH),
        (33612345678, "US", FRENCH),
        (33612345678, None, FRENCH),
        (612345678, "FR", FRENCH),
        ("612345678", "FR", FRENCH),
        ("01133612345678", "US", FRENCH),
        ("(0)6 12 34 56 78", "FR", FRENCH),
        ("(0)4 94 12 34 56", "FR", "+33494123456"),
        ("09 00 00 00 01", "FR", "+33900000001"),
        ("(500) 555-0006", "US", AMERICAN),
        ("500.555.0006", "US", AMERICAN),
        (5005550006, "US", AMERICAN),
        ("1 500 555 0006", "US", AMERICAN),
        (15005550006, "US", AMERICAN),
        (15005550006, "FR", AMERICAN),
        ("+1 500-555-0006", "ES", AMERICAN),
        ("0151 23456789", "DE", GERMAN),
        ("4915123456789", "DE", GERMAN),
        (4915123456789, "FR", GERMAN),
        ("0049 151 23456789", "DE", GERMAN),
        ("612 34 56 78", "ES", SPANISH),
        (612345678, "ES", SPANISH),
        ("34612345678", "ES", SPANISH),
        ("34612345678", "FR", SPANISH),
        ("07400 123456", "GB", BRITISH),
        ("447400123456", "GB", BRITISH),
        ("+44 (0)7400 123456", "FR", BRITISH),
    ],
)
def test_every_usual_spelling(
    value: object, country: str | None, expected: str
) -> None:
    """A number is understood however it is written, and wherever the home is."""
    assert parse_number(value, country) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "+",
        "()",
        "Mum",
        "1-800-FLOWERS",
        "0800 FLOWERS",
        "06 12 34 56 7X",
        "tel:+33612345678",
        "+33612345678,+33612345679",
        "+33612345678;ext=3",
        "12",
        "112",
        "38008",
        "+33",
        "+336123",
        "0" * 12,
        "+999612345678",
        "+49123456789012345",
        "-33612345678",
        "++33612345678",
        "33612345678.0e1",
        "☎️ 0612345678",
        "٠٦١٢٣٤٥٦٧٨",
        "０６１２３４５６７８",
        "\ud83d0612345678",
        "0" * 100_000,
        "1" * 100_000,
        "+33" + " " * 100_000,
        True,
        False,
        None,
        33612345678.0,
        -33612345678,
        0,
        10**5000,
        b"+33612345678",
        ["+33612345678"],
        {"number": "+33612345678"},
    ],
    ids=lambda value: "huge" if isinstance(value, int) else repr(value)[:30],
)
@pytest.mark.parametrize("country", ["FR", "US", None])
def test_anything_else_is_refused(value: object, country: str | None) -> None:
    """What is no telephone number is refused, and the error says which value."""
    with pytest.raises(InvalidNumberError) as refusal:
        parse_number(value, country)
    if value != 10**5000:
        assert refusal.value.value == str(value)


@pytest.mark.parametrize("country", [None, "XX", ""])
def test_national_spellings_need_a_country(country: str | None) -> None:
    """Without the home's country nobody knows what a national number means."""
    with pytest.raises(InvalidNumberError):
        parse_number("06 12 34 56 78", country)


_TYPED = st.text("+0123456789()-./ ", max_size=24)
_ANYTHING = st.one_of(
    st.text(), _TYPED, st.integers(), st.floats(), st.none(), st.binary(), st.booleans()
)
_COUNTRIES = st.sampled_from(["FR", "US", "DE", "ES", "GB", "IT", "HU", "XX", None])


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.one_of(_ANYTHING, _TYPED), _COUNTRIES)
def test_the_answer_is_e164_or_a_refusal(value: object, country: str | None) -> None:
    """No input raises anything else, and a number read once reads the same again."""
    try:
        number = parse_number(value, country)
    except InvalidNumberError:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", number)
    assert parse_number(number, country) == number


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.from_regex(r"\+[1-9][0-9]{6,16}", fullmatch=True), _COUNTRIES)
def test_a_full_number_means_the_same_everywhere(
    value: str, country: str | None
) -> None:
    """The home's country has no say in what an international number means."""
    try:
        expected = parse_number(value, None)
    except InvalidNumberError:
        expected = None
    try:
        assert parse_number(value, country) == expected
    except InvalidNumberError:
        assert expected is None


# The package itself, which imports Home Assistant, is stood in for by its folder.
TABLES = """
import sys
from types import ModuleType

package = sys.modules["custom_components.virtual_sms"] = ModuleType("virtual_sms")
package.__path__ = ["custom_components/virtual_sms"]
from custom_components.virtual_sms.core.phone_numbers import *

def tables():
    start = "phonenumbers.data.region_"
    return sorted(each.removeprefix(start) for each in sys.modules if start in each)

def loads(value, country):
    before = tables()
    try:
        region_of(parse_number(value, country))
    except InvalidNumberError:
        pass
    return tables() != before
"""


# Each question has a process of its own, which has imported everything before.
ANSWERS = """
import os

for question in sys.stdin:
    if os.fork() == 0:
        exec(question)
        sys.stdout.flush()
        os._exit(0)  # An orderly end would tidy up a copy of all that was imported.
    print("ended:", os.wait()[1], flush=True)
"""

type Ask = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def ask_alone() -> Iterator[Ask]:
    """Return what asks a Python in which no table is loaded yet for the lines it prints."""
    command = [sys.executable, "-c", TABLES + ANSWERS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=ROOT, **pipes) as python:

        def ask(question: str) -> list[str]:
            print(question, file=python.stdin, flush=True)
            answer = []
            while not (line := next(python.stdout).strip()).startswith("ended:"):
                answer.append(line)
            assert line == "ended: 0"
            return answer

        yield ask


def test_no_table_is_loaded_before_it_is_needed(ask_alone: Ask) -> None:
    """All of them together would take two megabytes of a home."""
    assert ask_alone("print(*tables())") == [""]
    ahead = "read_ahead(['+33612345678'], 'BE')"
    assert ask_alone(f"{ahead}; print(*tables())") == ["BE FR"]


@pytest.mark.parametrize(
    ("ahead", "value", "country"),
    [
        ([], "0475 12 34 56", "BE"),
        (["+33612345678"], "+33 7 12 34 56 78", "BE"),
        (["+33612345678"], "0033712345678", None),
        (["+1 212 555 0123"], "+1 416 555 0123", None),
        ([33612345678], 33612345678, "DE"),
        (["01133612345678"], "01133612345678", "US"),
        (["99999"], "99999", "FR"),
        ([[None]], [None], "FR"),
    ],
)
def test_what_is_read_takes_no_other_table(
    ask_alone: Ask, ahead: list[object], value: object, country: str | None
) -> None:
    """Reading a number reads no file then: it is done in the event loop."""
    given = f"read_ahead({[*ahead, value]!r}, {country!r});"
    asked = f"print(is_read({value!r}, {country!r}), loads({value!r}, {country!r}))"
    assert ask_alone(given + asked) == ["True False"]


@pytest.mark.parametrize("value", ["+1 416 555 0123", "0033712345678"])
def test_a_country_is_loaded_once_for_all_its_numbers(
    ask_alone: Ask, value: str
) -> None:
    """A number is as good as read if another one of its country code was."""
    given = "read_ahead(['+1 212 555 0123', '+33612345678'], None);"
    asked = f"print(is_read({value!r}, None), loads({value!r}, None))"
    assert ask_alone(given + asked) == ["True False"]


@pytest.mark.parametrize("value", ["+49 151 23456789", "06 12 34 56 78", 33612345678])
def test_what_was_never_read_may_take_a_table(ask_alone: Ask, value: object) -> None:
    """It is to be read ahead."""
    asked = f"print(is_read({value!r}, 'FR'), loads({value!r}, 'FR'))"
    assert ask_alone(asked) == ["False True"]


def test_what_was_read_is_not_kept_for_ever() -> None:
    """Nobody can fill the memory by numbers that are none."""
    read_ahead(range(10_000), None)
    assert not is_read(1, None)
    assert is_read(9_999, None)


@pytest.mark.parametrize(
    ("value", "country"),
    [(0o612345670, "FR"), (0o102345670, "FR"), (0o2071234567, "GB")],
)
def test_a_number_that_yaml_may_have_misread(value: int, country: str) -> None:
    """An unquoted 0612345670 is octal to YAML: refused, for it is a stranger's number."""
    with pytest.raises(InvalidNumberError) as caught:
        parse_number(value, country)
    assert caught.value.needs_quotes


@pytest.mark.parametrize(
    ("value", "country", "number"),
    [
        (33612345678, "FR", "+33612345678"),
        (15005550006, "US", "+15005550006"),
        (5005550006, "US", "+15005550006"),
        (4915112345678, "DE", "+4915112345678"),
        (493012345678, "DE", "+493012345678"),
        (31612345678, "NL", "+31612345678"),
    ],
)
def test_an_integer_that_nobody_misread(value: int, country: str, number: str) -> None:
    """Digits whose octal form is no number are what they seem to be."""
    assert parse_number(value, country) == number


@pytest.mark.parametrize("country", ["FR", "US", None])
def test_a_sender_of_a_new_range_can_be_answered(country: str | None) -> None:
    """A template makes an integer of {{ trigger.sender }}, whoever that is."""
    assert parse_number("+33639980101", country) == "+33639980101"
    assert parse_number(33639980101, country) == "+33639980101"


@pytest.mark.parametrize(
    ("value", "country"), [(5551234567, "US"), (4915555, "FR"), (639980101, "FR")]
)
def test_an_integer_that_is_not_clear(value: int, country: str) -> None:
    """What is short, or could be read in two ways, is guessed at by nobody."""
    with pytest.raises(InvalidNumberError):
        parse_number(value, country)


@pytest.mark.parametrize(
    "text",
    [
        "\u202a+33 6 12 34 56 78\u202c",
        "06\u201112\u201134\u201156\u201178",
        "+33\u00a06\u00a012\u00a034\u00a056\u00a078",
        "\ufeff06 12 34 56 78",
        "06\u200b12345678",
        "06\u221212\u221234\u221256\u221278",
        "06\u30fc12\u30fc34\u30fc56\u30fc78",
        "06\u00b712\u00b734\u00b756\u00b778",
        "\uff0b33\uff080\uff096 12 34 56 78",
        "\u316406 12 34 56 78\U000e0020",
    ],
)
def test_a_number_from_a_contact_card(text: str) -> None:
    """What nobody sees, and dashes of any kind, are no part of a number."""
    assert parse_number(text, "FR") == "+33612345678"


@pytest.mark.parametrize(
    ("number", "region"),
    [
        (FRENCH, "FR"),
        (AMERICAN, "US"),
        ("+12025550123", "US"),
        ("+18005550123", "US"),
        ("+14165550123", "CA"),
        (BRITISH, "GB"),
        ("+447700900123", "GB"),
        ("+80012345678", None),
        ("+999123456789", None),
        ("MyBank", None),
        ("", None),
    ],
)
def test_region(number: str, region: str | None) -> None:
    """Countries that share a code are told apart, and new ranges have a country."""
    assert region_of(number) == region
