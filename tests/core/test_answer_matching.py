"""What a person wrote, and which of the choices they meant."""

import pytest

from custom_components.virtual_sms.core.answer_matching import (
    Choice,
    find_choice,
    list_choices,
    normalize,
)

CHOICES = (
    Choice(choice_id="yes", sentences=("Yes", "Oui", "Ça marche", "👍", "D'accord")),
    Choice(choice_id="no", sentences=("No", "Non")),
    Choice(choice_id="later", sentences=("No problem, but later",)),
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("yes", "yes"),
        ("  YES!! ", "yes"),
        ("Yes, on my way.", "yes"),
        ("oui", "yes"),
        ("ca  marche", "yes"),
        ("ÇA MARCHE !", "yes"),
        ("Ca\u0327 marche", "yes"),
        ("👍", "yes"),
        ("👍\ufe0f", "yes"),
        ("👍🏽", "yes"),
        ("👍 thanks", "yes"),
        ("D'accord, merci", "yes"),
        ("d’accord", "yes"),
        ("\u200eye\u200bs", "yes"),
        ("« Non »", "no"),
        ("no thanks", "no"),
        ("no problem but LATER", "later"),
        ("Nope", None),
        ("I say yes", None),
        ("Ça va", None),
        ("", None),
        ("?!", None),
        ("👎", None),
    ],
)
def test_meaning(text: str, meant: str | None) -> None:
    """The whole text or its first word, whatever its case, accents and punctuation."""
    found = find_choice(text, CHOICES)
    assert (found and found.choice_id) == meant


def test_the_whole_text_comes_first() -> None:
    """Of two choices, the one that is written in full is meant."""
    short = Choice(choice_id="short", sentences=("no",))
    long = Choice(choice_id="long", sentences=("no way",))
    found = find_choice("No way!", [short, long])
    assert found is long


def test_nothing_is_no_choice() -> None:
    """A choice without a word is meant by no text."""
    assert find_choice("", [Choice(choice_id="empty", sentences=("",))]) is None
    assert not normalize("")


def test_what_is_shown() -> None:
    """Each choice is shown by the first of its sentences."""
    assert list_choices(CHOICES) == "Yes / No / No problem, but later"
