"""Turn what a person types into E.164, or refuse it clearly.

The action editor eats the plus sign and YAML turns digits into an integer, so
bare digits may be a national number or an international one. What they are
depends on whether the country dials a leading zero.

The table of each country is a module of its own, and all of them take two megabytes.
Each is loaded when it is first asked for: ahead and in a thread, by `read_ahead`.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
import re

import phonenumbers

from ..adapters.plain_text import clean_pasted

_WIDE = str.maketrans("\uff0b\ufe62\uff08\uff09\uff0e\uff0f\u00b7", "++()./.")
"""Signs as they are written in the East, or on a business card."""
_SPELLING = re.compile(r"\+?[0-9(][0-9().\-/\s]*")
_WRITTEN_OUT = re.compile(r"\+[1-9][0-9]*")
_INTERNATIONAL_PREFIX = re.compile(r"^(?:\+|00)")
_ZERO = "0"
_NOWHERE = (None, "001", "ZZ")
_LONG = 10**9
"""The least number that is too long to have lost its country code."""
_LONGEST = len("+") + 15
_REMEMBERED = 128
"""Numbers that are not read again: an alarm goes to the same few people."""
_LONGEST_CODE = 3
_MOST_READ = 1_000

_codes: set[str] = set()
"""The country codes whose tables are all loaded."""
_read: set[tuple[object, ...]] = set()
"""What was read, so that reading it again takes no other table."""


class InvalidNumberError(ValueError):
    """A value that is no telephone number; `value` is what was typed.

    `needs_quotes` tells that YAML may have read its digits as an octal number.
    """

    def __init__(self, value: object, *, needs_quotes: bool = False) -> None:
        """Keep the value for the person who typed it."""
        super().__init__("not a telephone number")
        self.value = _write(value)
        self.needs_quotes = needs_quotes


def parse_number(value: object, country: str | None) -> str:
    """Return a number in E.164, reading national spellings as of `country`.

    `country` is an ISO 3166 code of two letters, or None when the home's is not
    known. Raises InvalidNumberError for anything that is no telephone number.
    """
    if isinstance(value, str) and _WRITTEN_OUT.fullmatch(value):
        return _require(value, _possible(value))
    text = clean_pasted(_write(value)).translate(_WIDE)
    is_readable = isinstance(value, str | int) and not isinstance(value, bool)
    if not is_readable or not _SPELLING.fullmatch(text):
        raise InvalidNumberError(value)
    if isinstance(value, int) and _may_be_octal(value, country):
        raise InvalidNumberError(value, needs_quotes=True)
    # A zero in brackets is left out abroad; where a number begins with it, it counts.
    digits = re.sub(r"[^0-9]", "", text[0] + text[1:].replace("(0)", ""))
    if _INTERNATIONAL_PREFIX.match(text):
        return _require(value, _possible("+" + digits.removeprefix("00")))
    readings = _readings(digits, country)
    return _first_valid(readings) or _only_possible(value, readings)


def is_read(value: object, country: str | None) -> bool:
    """Say whether all tables are loaded that reading a value takes, and telling its region."""
    text = _write(value)
    if isinstance(value, str) and any(each in _codes for each in _starts(text)):
        return True
    return _key(value, country) in _read


@lru_cache(_REMEMBERED)
def _starts(text: str) -> Sequence[str]:
    """List what may be the country code of a number, if it is a full international one."""
    if not _INTERNATIONAL_PREFIX.match(text):
        return []
    digits = re.sub(r"[^0-9]", "", text).removeprefix("00")
    return [digits[:length] for length in range(1, _LONGEST_CODE + 1)]


def read_ahead(values: Iterable[object], country: str | None) -> None:
    """Load the tables that reading some values takes, and those of a country.

    That reads files, so it is not for the event loop.
    """
    if country is not None:
        _load_tables(phonenumbers.country_code_for_region(country))
    for value in values:
        with suppress(InvalidNumberError):
            number = _parse(parse_number(value, country), None)
            _load_tables((number and number.country_code) or 0)
        if len(_read) == _MOST_READ:
            _read.clear()
        _read.add(_key(value, country))


def _key(value: object, country: str | None) -> tuple[object, ...]:
    return isinstance(value, int), _write(value), country


def _load_tables(code: int) -> None:
    """Load what tells the countries apart that share a code."""
    for region in phonenumbers.region_codes_for_country_code(code):
        phonenumbers.country_code_for_region(region)
    _codes.add(str(code))


def region_of(number: str) -> str | None:
    """Return the ISO 3166 code of the country that a number in E.164 belongs to.

    Where a country code is shared, as +1 is, the digits behind it tell; those of a
    range that is too new to be known are taken for the largest country's.
    """
    parsed = _parse(number, None)
    if parsed is None:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    code = parsed.country_code
    if region is None and code is not None:
        region = phonenumbers.region_code_for_country_code(code)
    return None if region in _NOWHERE else region


def _may_be_octal(value: int, country: str | None) -> bool:
    """Say whether YAML may have read a number that begins with zero, or with two.

    To it, 0612345670 is an octal number: 103434168, which is somebody else's. What
    is a number of the home's own country as it stands lost its plus sign only.
    """
    octal = f"{value:o}"
    meant = [_valid(f"{_ZERO}{octal}", country) if country else None]
    meant.append(_valid(f"+{octal}", None))
    if not any(meant):
        return False
    as_it_stands = _valid(f"+{value}", None)
    own = phonenumbers.country_code_for_region(country) if country else None
    return as_it_stands is None or as_it_stands.country_code != own


def _valid(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    number = _parse(text, country)
    is_valid = number is not None and phonenumbers.is_valid_number(number)
    return number if is_valid else None


def _write(value: object) -> str:
    """Write a value out; Python refuses to do so for an integer without end."""
    try:
        return str(value)
    except ValueError:
        return "…"


def _readings(digits: str, country: str | None) -> list[tuple[str, str | None]]:
    """List what bare digits may mean, the likelier meaning first."""
    international = (f"+{digits}", None)
    if country is None:
        return [international]
    national = (digits, country)
    # Where a zero is dialled before national numbers, digits without one are the
    # rest of an international number whose plus sign got lost.
    trunk_prefix = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True)
    if trunk_prefix == _ZERO and not digits.startswith(_ZERO):
        return [international, national]
    return [national, international]


def _first_valid(readings: list[tuple[str, str | None]]) -> str | None:
    for text, country in readings:
        if (number := _valid(text, country)) is not None:
            return _format(number)
    return None


def _only_possible(value: object, readings: list[tuple[str, str | None]]) -> str:
    """Put the plus sign back that a template has taken from a sender's number.

    Templates make an integer of it. If the tables do not know its range, its length
    must tell; what is short, or could be read in two ways, is refused.
    """
    numbers = [_parse(*reading) for reading in readings]
    possible = {
        _format(number)
        for number in numbers
        if number is not None and phonenumbers.is_possible_number(number)
    }
    is_long = isinstance(value, int) and value >= _LONG
    if not is_long or possible != {f"+{value}"}:
        raise InvalidNumberError(value)
    return possible.pop()


def _require(value: object, number: str | None) -> str:
    if number is None:
        raise InvalidNumberError(value)
    return number


@lru_cache(_REMEMBERED)
def _possible(text: str) -> str | None:
    """Accept a full international number by its length alone.

    New ranges open faster than a home updates its number tables, and here
    nothing has to be guessed.
    """
    number = _parse(text, None)
    if number is None or not phonenumbers.is_possible_number(number):
        return None
    return _format(number)


def _parse(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    # A few countries have numbers that are longer than E.164 allows.
    return number if len(_format(number)) <= _LONGEST else None


def _format(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
