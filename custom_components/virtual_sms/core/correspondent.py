"""Tell a phone from what only stands where its number would."""

import re
from typing import Final

_PHONE_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def is_phone_number(correspondent: str) -> bool:
    """Say whether it is a number in E.164: no name, and no short code."""
    return _PHONE_NUMBER.fullmatch(correspondent) is not None
