"""What Home Assistant says in its log of how an integration uses it."""

import logging
import re
from typing import Self, override

_NAMES_US = re.compile(r"virtual[_-]sms", re.IGNORECASE)
_COMPLAINS = re.compile(
    r"deprecated|Detected that custom integration|will (stop working|be removed)",
    re.IGNORECASE,
)


class Complaints(logging.Handler):
    """Collect the lines that name us and say that something will stop working."""

    def __init__(self) -> None:
        """Listen for warnings and worse."""
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if _NAMES_US.search(line) and _COMPLAINS.search(line):
            self.lines.append(line)

    def __enter__(self) -> Self:
        """Begin to listen."""
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no longer."""
        logging.getLogger().removeHandler(self)
