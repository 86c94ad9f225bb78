"""Read an answer: which of the choices of a question a person meant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
import re
import unicodedata

from ..adapters.plain_text import clean_typed

_NO_WORD = re.compile(r"[^\w]+")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer to a question, and the sentences that mean it."""

    choice_id: str
    sentences: tuple[str, ...] = field(repr=False)


def find_choice(text: str, choices: Iterable[Choice]) -> Choice | None:
    """Return the choice that a text means; None if it means none of them.

    The whole text decides before its first word does: "no problem" is not "no" where
    it is a choice of its own. Case, accents and punctuation do not count.
    """
    known = [(each, {normalize(one) for one in each.sentences}) for each in choices]
    for wanted in list_readings(text):
        for choice, sentences in known:
            if wanted in sentences:
                return choice
    return None


def list_readings(text: str) -> list[str]:
    """List what a text may mean, the likeliest first: the whole of it, or its first word.

    That is what stands before a blank, such as "d'accord" or a thumb up, or before a sign.
    """
    whole, (word, *_) = normalize(text), text.split(None, 1) or [""]
    return [each for each in (whole, normalize(word), whole.partition(" ")[0]) if each]


def normalize(text: str) -> str:
    """Return what is compared of a text: its words, without case and accents.

    Nor does the tone of skin count, which phones add to a thumb by themselves.
    """
    toneless = _SKIN_TONES.sub("", clean_typed(text))
    decomposed = unicodedata.normalize("NFKD", toneless.casefold())
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    words = _NO_WORD.sub(" ", plain).strip()
    # What consists of signs only, such as a thumb up, is itself.
    return words or plain.strip()


def list_choices(choices: Sequence[Choice]) -> str:
    """Return how the choices are shown to somebody: the first sentence of each."""
    return " / ".join(each.sentences[0] for each in choices if each.sentences)
