"""What a correspondent wants of a line, where their provider has understood it."""

from enum import StrEnum


class Wish(StrEnum):
    """No more messages, or messages again."""

    STOP = "stop"
    START = "start"
