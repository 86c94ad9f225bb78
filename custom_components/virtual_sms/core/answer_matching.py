"""Read an answer: which of the choices of a question a person meant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
import re
import unicodedata

from ..adapters.plain_text import clean_typed

_NO_WORD = re.compile(r"[^\w]+")


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
    whole = normalize(text)
    first = whole.partition(" ")[0]
    known = [(each, {normalize(one) for one in each.sentences}) for each in choices]
    for wanted in filter(None, (whole, first)):
        for choice, sentences in known:
            if wanted in sentences:
                return choice
    return None


def normalize(text: str) -> str:
    """Return what is compared of a text: its words, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", clean_typed(text).casefold())
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    words = _NO_WORD.sub(" ", plain).strip()
    # What consists of signs only, such as a thumb up, is itself.
    return words or plain.strip()


def list_choices(choices: Sequence[Choice]) -> str:
    """Return how the choices are shown to somebody: the first sentence of each."""
    return " / ".join(each.sentences[0] for each in choices if each.sentences)
