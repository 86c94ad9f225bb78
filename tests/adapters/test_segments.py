"""What a text costs, against the standard's figures and a second counter."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.virtual_sms.adapters.models import Encoding
from custom_components.virtual_sms.adapters.segments import count_segments

# Hypothesis takes its own generator for one that nobody keeps, on Python 3.14.
pytestmark = pytest.mark.filterwarnings("ignore:It looks like `register_random`")

# 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1, in the order of the table.
GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHI"
    "JKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ł" * 70, 1),
        ("ł" * 71, 2),
        ("ł" * 134, 2),
        ("ł" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("ł" * 66 + "😀" + "ł" * 66, 3),
        ("\r\n" * 160, 1),
        ("\r\n" * 161, 2),
    ],
)
def test_check_values(text: str, segments: int) -> None:
    """The boundaries are where the fact sheet has them."""
    assert count_segments(text).segments == segments


def test_the_gsm_alphabet() -> None:
    """Each character of the standard travels in GSM-7, at its own price."""
    assert (len(GSM_BASIC), len(GSM_EXTENDED)) == (127, 10)
    for character in GSM_BASIC:
        assert count_segments(character * 160).segments == 1, character
        assert count_segments(character * 161).segments == 2, character
    for character in GSM_EXTENDED:
        assert count_segments(character * 80).segments == 1, character
        assert count_segments(character * 81).segments == 2, character
    for character in GSM_BASIC + GSM_EXTENDED:
        assert count_segments(character).encoding is Encoding.GSM_7, character


@pytest.mark.parametrize("character", ["ç", "`", "’", "“", "…", "–", "ł", "😀", "\t"])
def test_the_first_foreign_character_is_named(character: str) -> None:
    """Whoever wonders about the price learns which character made it."""
    count = count_segments(f"Voilà {character} и")
    assert (count.encoding, count.foreign) == (Encoding.UCS_2, character)


def _naive(text: str) -> int:
    """Count by filling parts one character at a time."""
    text = text.replace("\r\n", "\n")
    gsm = all(each in GSM_BASIC + GSM_EXTENDED for each in text)
    if gsm:
        pieces = ["x?" if each in GSM_EXTENDED else "x" for each in text]
        single, limit = 160, 153
    else:
        pieces = ["xx" if len(each.encode("utf-16-le", "surrogatepass")) == 4 else "x"
                  for each in text]  # fmt: skip
        single, limit = 70, 67
    if len("".join(pieces)) <= single:
        return 1
    parts = [""]
    for piece in pieces:
        if len(parts[-1] + piece) > limit:
            parts.append("")
        parts[-1] += piece
    return len(parts)


_CHARACTERS = st.sampled_from(GSM_BASIC[:40] + GSM_EXTENDED + "\r\n\r\n")
_TEXTS = st.one_of(
    st.text(max_size=400),
    st.text(_CHARACTERS, min_size=100, max_size=700),
    st.text(st.sampled_from("ał😀€\r\n"), min_size=40, max_size=400),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_TEXTS)
def test_a_second_counter_agrees(text: str) -> None:
    """No text is counted otherwise by an independent counter."""
    assert count_segments(text).segments == _naive(text)
