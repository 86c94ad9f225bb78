"""The code by which a person proves that a command is theirs.

A sender's number can be forged, so a contact who may command may be asked for more: a
PIN, or the six digits that an app shows for half a minute. A code is the first or last
word of a text.

A PIN is kept as a salted hash, which is slow to compute on purpose: that belongs in a
worker, never in the event loop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
import hashlib
import hmac
import secrets
from typing import Any, Final, Protocol, Self
import unicodedata

import pyotp

from ..adapters.plain_text import clean_typed, drop_unseen

SHORTEST_PIN, LONGEST_PIN = 4, 12
TOTP_DIGITS = 6
_STEP = 30
"""Seconds that a TOTP code is shown for."""
_TOLERANCE = (-1, 0, 1)
"""Steps that a phone's clock, or the way of a message, may take a code off by."""
_PUNCTUATION: Final = ".,;:!?…\"'“”„\u2018\u2019«»()[]<>*"
"""What people, and their phones, put next to a word."""


class InvalidPinError(ValueError):
    """A PIN that is not 4 to 12 digits or letters."""


class Kind(StrEnum):
    """What a PIN is made of."""

    DIGITS = "digits"
    LETTERS = "letters"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Proof:
    """A word is the right code; `step` counts the time of one that counts once.

    `is_used` tells that it counted before anything was written.
    """

    step: int | None = None
    is_used: bool = False


class Code(Protocol):
    """What a word can be held against."""

    def is_shaped_like(self, word: str) -> bool:
        """Say whether a word could be the code, by how it looks."""

    def check(self, word: str, at: datetime) -> Proof | None:
        """Prove that a word is the code at a time; None where it is not. May take long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A PIN, as far as it is known: its salted hash and its shape."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    length: int = field(repr=False)
    kind: Kind = field(repr=False)

    @classmethod
    def make(cls, pin: str) -> Self:
        """Hash a PIN, which takes long. Raises InvalidPinError."""
        pin = _fold(pin.strip())
        if not SHORTEST_PIN <= len(pin) <= LONGEST_PIN or not pin.isalnum():
            raise InvalidPinError
        salt = secrets.token_bytes(16)
        return cls(salt=salt, digest=_hash(pin, salt), length=len(pin), kind=_kind(pin))

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Read what `as_dict` wrote."""
        return cls(
            salt=bytes.fromhex(str(data["salt"])),
            digest=bytes.fromhex(str(data["digest"])),
            length=int(str(data["length"])),
            kind=Kind(str(data["kind"])),
        )

    def as_dict(self) -> dict[str, str | int]:
        """Return what is kept of it, as JSON can hold it."""
        return {
            "salt": self.salt.hex(),
            "digest": self.digest.hex(),
            "length": self.length,
            "kind": self.kind.value,
        }

    def is_shaped_like(self, word: str) -> bool:
        """Say whether a word has the length of the PIN, and its kind of characters."""
        word = _fold(word)
        return len(word) == self.length and word.isalnum() and _kind(word) is self.kind

    def check(self, word: str, at: datetime) -> Proof | None:
        """Compare a word with the PIN, without regard for case."""
        digest = _hash(_fold(word), self.salt)
        return Proof() if hmac.compare_digest(digest, self.digest) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    """An app that shows a new code every half minute, by a key that both know.

    `proved_step` is the time of the code that proved the app at the set-up: up to
    then, all count as used.
    """

    key: str = field(repr=False)
    proved_step: int = 0

    @classmethod
    def make(cls) -> Self:
        """Make up a new key."""
        return cls(key=pyotp.random_base32())

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Read what `as_dict` wrote."""
        return cls(key=str(data["key"]), proved_step=int(str(data["proved_step"])))

    def as_dict(self) -> dict[str, str | int]:
        """Return what is kept of it, as JSON can hold it."""
        return {"key": self.key, "proved_step": self.proved_step}

    def url(self, name: str) -> str:
        """Return what an app reads from a QR code; it shows the code under a name."""
        totp = pyotp.TOTP(self.key)
        return totp.provisioning_uri(name=name, issuer_name="Home Assistant")

    def is_shaped_like(self, word: str) -> bool:
        """Say whether a word is six digits."""
        return len(word) == TOTP_DIGITS and word.isascii() and word.isdigit()

    def check(self, word: str, at: datetime) -> Proof | None:
        """Compare a word with the codes that were shown around a time."""
        totp, now = pyotp.TOTP(self.key), int(at.timestamp()) // _STEP
        codes = {now + each: totp.generate_otp(now + each) for each in _TOLERANCE}
        # All are compared, so that the time it takes does not tell which is right.
        right = [step for step, code in codes.items() if _is_equal(code, word)]
        return Proof(right[0], right[0] <= self.proved_step) if right else None

    def prove(self, word: str, at: datetime) -> Self | None:
        """Return the app as proved by a code at a time; None where the code is wrong."""
        word = "".join(drop_unseen(word).split())
        proof = self.check(word, at) if self.is_shaped_like(word) else None
        if proof is None or proof.step is None:
            return None
        return type(self)(key=self.key, proved_step=proof.step)


class MissingCode:
    """A code that nobody has: what should be known of it is not there."""

    def is_shaped_like(self, word: str) -> bool:
        """Say that no word could be it, so that nobody is locked."""
        return False

    def check(self, word: str, at: datetime) -> Proof | None:
        """Prove nothing."""
        return None


_STORED: Final[Mapping[str, type[Pin | Totp]]] = {"pin": Pin, "totp": Totp}
"""The kinds of codes, by the key under which they are stored."""


def read_stored(kind: str | None, data: Mapping[str, Any]) -> Code | None:
    """Read the code of a contact; None where none is asked for."""
    if kind is None or kind not in _STORED:
        return None
    stored = data.get(kind)
    return _STORED[kind].from_dict(stored) if stored else MissingCode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says about a code.

    `text` is without the right code; `proofs` has one for each place where it stood,
    and `wrong` counts the words that look like the code where it stood nowhere.
    """

    text: str = field(repr=False)
    proofs: tuple[Proof, ...] = ()
    wrong: int = 0


def read_code(code: Code, text: str, at: datetime) -> Reading:
    """Look for a code in a text that was received at a time. May take long.

    A right one is taken out however often it is repeated at either end.
    """
    guesses: dict[str, Proof | None] = {}
    proofs = []
    for take in (_take_first, _take_last):
        word, rest = take(text)
        while proof := _check(code, word, at, guesses):
            proofs.append(proof)
            text = rest
            word, rest = take(text)
    wrong = 0 if proofs else len(guesses)
    return Reading(text=text, proofs=tuple(proofs), wrong=wrong)


def leave_out_guesses(code: Code, text: str) -> list[str]:
    """Return what a text may have been without a wrong code at an end, or at both.

    Empty where neither its first nor its last word looks like the code.
    """
    found: list[str] = []
    for take in (_take_first, _take_last):
        for each in (text, *found):
            word, rest = take(each)
            if code.is_shaped_like(_bare(word)):
                found.append(rest)
    return found


def _check(
    code: Code, word: str, at: datetime, guesses: dict[str, Proof | None]
) -> Proof | None:
    """Check a word that looks like the code, once: it takes long."""
    word = _bare(word)
    if not code.is_shaped_like(word):
        return None
    if word not in guesses:
        guesses[word] = code.check(word, at)
    return guesses[word]


def _take_first(text: str) -> tuple[str, str]:
    """Return the first word of a text, and the rest."""
    word, *rest = text.split(None, 1) or [""]
    return word, "".join(rest)


def _take_last(text: str) -> tuple[str, str]:
    """Return the last word of a text, and the rest."""
    *rest, word = text.rsplit(None, 1) or [""]
    return word, "".join(rest)


def _bare(word: str) -> str:
    """Return a word without what stands next to it, or cannot be seen."""
    return drop_unseen(word).strip(_PUNCTUATION)


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", clean_typed(word)).casefold()


def _kind(word: str) -> Kind:
    if word.isdigit():
        return Kind.DIGITS
    return Kind.LETTERS if word.isalpha() else Kind.MIXED


def _hash(word: str, salt: bytes) -> bytes:
    """Hash a word so that a stolen file does not show it at once.

    4 MB and about 0.1 s on a small computer: more would hold up what is written there.
    """
    return hashlib.scrypt(word.encode(), salt=salt, n=2**12, r=8, p=1)


def _is_equal(code: str, word: str) -> bool:
    return hmac.compare_digest(code.encode(), word.encode())
