"""What an assistant answers, as it is texted."""

import time

from hypothesis import given, strategies as st
import pytest

from custom_components.virtual_sms.adapters.models import Encoding
from custom_components.virtual_sms.adapters.segments import count_segments
from custom_components.virtual_sms.core.short_answer import (
    MOST_SEGMENTS,
    write_answer,
)


@pytest.mark.parametrize(
    ("answer", "texted"),
    [
        ("The door is closed.", "The door is closed."),
        ("", ""),
        ("**Yes**, it is _off_ and `idle`.", "Yes, it is off and idle."),
        ("***Very*** ~~cold~~ __warm__", "Very cold warm"),
        (
            "# Lights\n\n* Kitchen\n+ Hall\n• Attic",
            "Lights\n- Kitchen\n- Hall\n- Attic",
        ),
        ("> quoted\n---\nend", "quoted\nend"),
        ("```yaml\na: 1\n```", "a: 1"),
        ("See [the page](https://x.io/a).", "See the page (https://x.io/a)."),
        ("![a cat](https://x.io/a.png) sits", "a cat sits"),
        ("one<br>two <b>three</b>", "one\ntwo three"),
        ("| Room | °C |\n|---|:-:|\n| Hall | 21 |", "Room, °C\nHall, 21"),
        ("light.living_room_1 is 3 * 4 * 5", "light.living_room_1 is 3 * 4 * 5"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ("«\u00a0Oui\u00a0» – c’est…", '"Oui" - c\'est...'),
        ("Done 👍🏽 ☀️ 👨‍👩‍👧 1️⃣ 🇫🇷!", "Done 1 !"),
        ("Hall → kitchen ×2", "Hall -> kitchen x2"),
        ("a \t b\r\n\r\n\r\n  c", "a b\nc"),
        ("👍", ""),
        ("bad \x00 sign", "bad \ufffd sign"),
        ("Привет, дверь закрыта", "Привет, дверь закрыта"),
    ],
)
def test_plain(answer: str, texted: str) -> None:
    """Markup and picture signs are gone, and words and numbers are not."""
    assert write_answer(answer) == texted


def test_a_degree_is_not_dear() -> None:
    """A sign of a unit stays in a short text, and goes where it would double it."""
    assert write_answer("It is 21 °C.") == "It is 21 °C."
    long = write_answer("It is 21 °C in the hall and 19 °C in the cellar. " * 3)
    assert count_segments(long).encoding is Encoding.GSM_7
    assert long.startswith("It is 21 C in the hall")


def test_cut_after_a_word() -> None:
    """5,000 characters are cut to three segments after a word, with an ellipsis."""
    texted = write_answer("Nine words make a sentence that goes on, " * 122)
    assert count_segments(texted).segments == MOST_SEGMENTS
    assert len(texted) > 440
    assert texted.endswith("...")
    assert texted.removesuffix("...").split()[-1].strip(",") in (
        "Nine words make a sentence that goes on"
    )
    assert not texted.endswith(",...")


def test_cut_where_a_word_just_fits() -> None:
    """A word that ends with the room is kept whole."""
    texted = write_answer("x" * 456 + " more words that do not fit")
    assert texted == "x" * 456 + "..."


@pytest.mark.parametrize(("letter", "length"), [("x", 459), ("中", 201), ("[", 230)])
def test_cut_without_words(letter: str, length: int) -> None:
    """What has no blanks is cut where the room ends."""
    texted = write_answer(letter * 3000)
    assert texted == letter * (length - 3) + "..."
    assert count_segments(texted).segments == MOST_SEGMENTS


@given(st.text(max_size=700) | st.text("aé° *_\n|[]()`#>🙂中", max_size=700))
def test_never_too_long(answer: str) -> None:
    """Whatever an assistant says takes three segments at most, and says no more."""
    texted = write_answer(answer)
    assert count_segments(texted).segments <= MOST_SEGMENTS
    assert texted == texted.strip()


@pytest.mark.parametrize(
    "piece", ["**", "_a ", "[a", "<a ", "`", "| ", "*a", "![", "- ", "\n>", "~~a"]
)
def test_no_answer_stalls_the_home(piece: str) -> None:
    """Markup that never ends is read as fast as any other text."""
    begin = time.process_time()
    write_answer(piece * 5000)
    assert time.process_time() - begin < 1
