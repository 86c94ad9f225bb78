"""A text without typographic characters costs less and says the same."""

import pytest

from custom_components.virtual_sms.adapters.models import Encoding
from custom_components.virtual_sms.adapters.segments import count_segments
from custom_components.virtual_sms.core.simplify import offending, simplify


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\u201cIt\u2019s open\u201d", '"It\'s open"'),
        ("\u201eOffen\u201c", '"Offen"'),
        ("\u00ab\u00a0Ouvert\u00a0\u00bb", '"Ouvert"'),
        ("\u00ab Ouvert \u00bb", '"Ouvert"'),
        ("\u00abOuvert\u00bb", '"Ouvert"'),
        ("\u2039a\u203a", "'a'"),
        ("8\u201310 \u2014 maybe", "8-10 - maybe"),
        ("\u22125\u202f°C\u2026", "-5 °C..."),
        ("one\u2028two\u200b", "one\ntwo"),
        ("wash\u00ading", "washing"),
    ],
)
def test_typographic_characters_become_plain(text: str, plain: str) -> None:
    """Quotes (« » „ included), dashes, ellipses and special spaces become plain ones."""
    assert simplify(text) == plain


@pytest.mark.parametrize(
    "text", ["é à ç ê ù", "plain - text...", " € ", "Привет", "😀", "", "a\r\nb"]
)
def test_the_rest_stays(text: str) -> None:
    """Letters with accents, other alphabets and emoji stay as they were written."""
    assert simplify(text) == text


def test_a_simplified_text_is_not_simplified_again() -> None:
    """Once is enough."""
    text = "\u00ab\u202f\u201cA\u201d \u2014 b\u2026\u202f\u00bb"
    assert simplify(simplify(text)) == simplify(text)


def test_what_is_plain_travels_in_gsm_7() -> None:
    """No character that is put in makes the text longer in segments."""
    text = "\u00ab\u00a0L\u2019eau monte\u2026 \u00e9\u00e0\u00a0\u00bb \u2014 \u201eja\u201c"
    assert count_segments(simplify(text)).encoding is Encoding.GSM_7


def test_the_characters_that_cost_are_listed() -> None:
    """Each once, in the order of the text, and none that GSM-7 knows."""
    assert offending("é\u2019s \u2026 ê\u2019 😀€^") == ["\u2019", "\u2026", "ê", "😀"]
    assert offending("Only plain\r\n") == []
