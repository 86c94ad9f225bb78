"""Who knows the code is believed, and nobody learns it from what is left of the text."""

from datetime import timedelta
import hmac
import json

import pyotp
import pytest

from custom_components.virtual_sms.core.command_code import (
    InvalidPinError,
    MissingCode,
    Pin,
    Proof,
    Reading,
    Totp,
    leave_out_guesses,
    read_code,
    read_stored,
)
from tests.fakes import START

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = int(START.timestamp()) // 30
PIN = Pin.make("4711")
WORD_PIN = Pin.make("Rose")
MIXED_PIN = Pin.make("a1b2c3")
APP = Totp(key=KEY)


def code_of(step: int) -> str:
    """Return what the app shows at a step of time."""
    return pyotp.TOTP(KEY).generate_otp(step)


# PIN


@pytest.mark.parametrize("code", [PIN, Pin.make("xxxx"), APP])
@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_a_text_without_a_word_is_no_wrong_code(code: Pin | Totp, text: str) -> None:
    """A picture without words locks nobody."""
    assert read_code(code, text, START) == Reading(text=text)


def test_each_pin_has_a_salt_of_its_own() -> None:
    """Two of the same are stored differently, with the salt that is recommended."""
    one, other = Pin.make("4711"), Pin.make("4711")
    assert one.salt != other.salt
    assert one.digest != other.digest
    assert len(one.salt) == 16


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("4711 open garage", "open garage"),
        ("open garage 4711", "open garage"),
        ("  open\ngarage \n 4711\n", "  open\ngarage"),
        ("4711\nline one\nline two", "line one\nline two"),
        ("open garage 4711.", "open garage"),
        ("4711, open garage", "open garage"),
        ("4711", ""),
        (" 4711! ", ""),
        ("4711 4711", ""),
        ("4711 open 4711", "open"),
        ("4711 4711 open", "open"),
        ("4711 open 4711 4711.", "open"),
        ("«4711» open", "open"),
        ("open “4711”…", "open"),
        ("\uff14\uff17\uff11\uff11 open", "open"),
        ("\u0664\u0667\u0661\u0661 open", "open"),
        ("\u200e4711\u200f open", "open"),
    ],
)
def test_a_right_code_is_taken_out(text: str, left: str) -> None:
    """It is the first or last word; a text that is only the code is left empty."""
    reading = read_code(PIN, text, START)
    assert reading.proofs
    assert (reading.text, reading.wrong) == (left, 0)


@pytest.mark.parametrize("text", ["rOSe open", "open ROSE", "Rose open"])
def test_case_does_not_matter(text: str) -> None:
    """A phone that begins a text with a capital letter changes no PIN."""
    assert read_code(WORD_PIN, text, START).text == "open"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("open garage", 0),
        ("", 0),
        ("   ", 0),
        ("open 4711 garage", 0),
        ("open 471", 0),
        ("47110 open", 0),
        ("a711 open", 0),
        ("open the garage door", 0),
        ("47.11 open", 0),
        ("4712 open", 1),
        ("open 0000", 1),
        ("0000", 1),
        ("0000 0000", 1),
        ("0000 open 1111", 2),
    ],
)
def test_only_words_shaped_like_a_pin_are_wrong(text: str, wrong: int) -> None:
    """Length and kind must be the PIN's, so ordinary sentences never lock."""
    reading = read_code(PIN, text, START)
    assert (reading.text, reading.proofs, reading.wrong) == (text, (), wrong)


def test_letters_and_digits_are_kinds_of_their_own() -> None:
    """A word is no attempt at a PIN of digits, nor a number at one of both."""
    assert WORD_PIN.is_shaped_like("door")
    assert not WORD_PIN.is_shaped_like("1234")
    assert MIXED_PIN.is_shaped_like("Z9y8x7")
    assert not MIXED_PIN.is_shaped_like("123456")
    assert not MIXED_PIN.is_shaped_like("garage")
    assert not MIXED_PIN.is_shaped_like("a1-2c3")


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12 34", "12-4", "*****"])
def test_a_pin_is_4_to_12_digits_or_letters(pin: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidPinError):
        Pin.make(pin)


@pytest.mark.parametrize("pin", ["1234", "123456789012"])
def test_the_shortest_and_the_longest_pin(pin: str) -> None:
    """They are taken, and known again."""
    assert read_code(Pin.make(pin), f"open {pin}", START).proofs


def test_a_pin_is_kept_as_a_salted_hash() -> None:
    """Two of the same look different, neither shows it, and both are read back."""
    kept = json.dumps(PIN.as_dict())
    assert "4711" not in kept
    assert "4711" not in repr(PIN)
    assert PIN.as_dict()["digest"] != Pin.make("4711").as_dict()["digest"]
    assert Pin.from_dict(json.loads(kept)) == PIN


def test_a_code_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes tells nothing about how much of it is right."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    read_code(PIN, "4712 open 4711", START)
    assert len(compared) == 2
    read_code(APP, f"{code_of(STEP - 1)} open", START)
    assert len(compared) == 2 + 3


# TOTP


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_code_of_the_app_is_right_for_a_moment(off: int) -> None:
    """A step before and after count as well: clocks differ, and messages take time."""
    reading = read_code(APP, f"open garage {code_of(STEP + off)}", START)
    assert reading.text == "open garage"
    assert reading.proofs == (Proof(STEP + off),)


@pytest.mark.parametrize("off", [-2, 2])
def test_a_code_of_another_time_is_wrong(off: int) -> None:
    """It is left in the text, and counts as a wrong one."""
    text = f"open garage {code_of(STEP + off)}"
    reading = read_code(APP, text, START)
    assert (reading.text, reading.proofs, reading.wrong) == (text, (), 1)


@pytest.mark.parametrize(
    "word", ["12345", "1234567", "12345a", "\u0661" * 6, "123 456"]
)
def test_only_six_digits_are_shaped_like_a_code(word: str) -> None:
    """Nothing else counts as a wrong one."""
    assert read_code(APP, f"{word} open", START).wrong == 0


def test_two_codes_in_one_text_are_both_taken_out() -> None:
    """What is shown next is a secret still."""
    text = f"{code_of(STEP)} open {code_of(STEP + 1)}"
    reading = read_code(APP, text, START)
    assert (reading.text, reading.proofs) == ("open", (Proof(STEP), Proof(STEP + 1)))


def test_a_code_proves_the_app() -> None:
    """The form takes it as the app shows it, in two groups, and keeps when that was."""
    code = code_of(STEP)
    proved = APP.prove(f" {code[:3]} {code[3:]} ", START)
    assert proved == Totp(key=KEY, proved_step=STEP)
    assert KEY not in repr(proved)
    assert proved.check(code, START) == Proof(STEP, is_used=True)
    assert proved.check(code_of(STEP - 1), START) == Proof(STEP - 1, is_used=True)
    assert proved.check(code_of(STEP + 1), START) == Proof(STEP + 1)


def test_the_app_shows_whose_code_it_is() -> None:
    """The address in the picture names the contact and the home."""
    shown = pyotp.parse_uri(APP.url("Anna"))
    assert (shown.name, shown.issuer) == ("Anna", "Home Assistant")
    assert shown.secret == KEY


@pytest.mark.parametrize("code", ["", "000000", "12345", "abcdef", "12345\ud800"])
def test_a_wrong_code_proves_nothing(code: str) -> None:
    """The form asks again."""
    assert APP.prove(code, START + timedelta(days=1)) is None


# How codes are kept


def test_codes_are_read_as_they_were_written() -> None:
    """What JSON can hold of a PIN or an app is enough to check it."""
    pin, app = Pin.make("4711"), Totp.make()
    data = {"pin": json.loads(json.dumps(pin.as_dict())), "totp": app.as_dict()}
    assert read_stored("pin", data) == pin
    assert read_stored("totp", data) == app
    assert app.key in app.url("Anna")
    assert app.key != Totp.make().key


def test_codes_of_an_earlier_release_are_known() -> None:
    """An update that hashes or names anything otherwise would shut everybody out."""
    digest = (
        "843edb9c0d3f5067eb0fc45ad75942db27e6951821a0de312cdb118586db773d"
        "a567cff0d708b2d1d9a522879fa5f84be3b5fb62d7bd8f22e01323af080d6654"
    )
    pin = {
        "salt": "000102030405060708090a0b0c0d0e0f",
        "digest": digest,
        "length": 4,
        "kind": "letters",
    }
    app: dict[str, str | int] = {"key": KEY, "proved_step": STEP}
    stored = read_stored("pin", {"pin": pin})
    assert stored is not None
    assert read_code(stored, "Rose open", START).text == "open"
    assert read_stored("totp", {"totp": app}) == Totp(key=KEY, proved_step=STEP)
    assert Pin.from_dict(pin).as_dict() == pin
    assert Totp.from_dict(app).as_dict() == app


@pytest.mark.parametrize("kind", [None, "none", "another"])
def test_without_a_code_none_is_asked_for(kind: str | None) -> None:
    """Only the two kinds that there are count."""
    assert read_stored(kind, {}) is None


def test_a_code_that_is_not_there_proves_nothing() -> None:
    """It is no reason to believe, nor to lock."""
    missing = read_stored("pin", {})
    assert missing is not None
    assert read_code(missing, "4711 open", START) == Reading(text="4711 open")
    assert missing.check("4711", START) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("open garage", []),
        ("0000 open", ["open"]),
        ("open 0000!", ["open"]),
        ("0000 open 1111", ["open 1111", "0000 open", "open"]),
        ("", []),
        ("open garage 12\u200b34", ["open garage"]),
    ],
)
def test_a_text_is_known_without_its_wrong_code(text: str, meant: list[str]) -> None:
    """That says what somebody meant who wrote a wrong one; no code is checked."""
    assert leave_out_guesses(PIN, text) == meant
    assert leave_out_guesses(MissingCode(), text) == []
