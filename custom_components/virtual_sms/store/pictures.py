"""The pictures that are served for a while to who has their token.

What is written down tells neither the token nor what was sent to whom: who reads the
file opens nothing with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
import json
import secrets
from typing import Self

TOKEN_BYTES = 16
MOST_PICTURES = 500
MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that an entry has sent: what it is, until when, and for how many.

    `name` is that of its token.
    """

    name: str
    entry_id: str
    blob: str
    content_type: str
    size: int
    expires_at: float
    fetches_left: int

    @classmethod
    def load(cls, content: str) -> Self:
        """Read what `dump` wrote."""
        return cls(**json.loads(content))

    def dump(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self))

    def is_served(self, now: datetime) -> bool:
        """Say whether it may still be fetched."""
        return self.fetches_left > 0 and now.timestamp() < self.expires_at

    def fetched(self) -> Self:
        """Return it with one fetch less."""
        return replace(self, fetches_left=self.fetches_left - 1)

    def prolonged(self, time: timedelta) -> Self:
        """Return it with a longer life."""
        return replace(self, expires_at=self.expires_at + time.total_seconds())


def new_token() -> str:
    """Make a token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def name_token(token: str) -> str:
    """Return the name under which a token's picture is known.

    To look it up by this tells nothing of the tokens that there are, however long
    it takes.
    """
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def list_surplus(pictures: Mapping[str, Picture], now: datetime) -> list[str]:
    """List what is over, and what there is too much of: what ends first goes first."""
    served = {name: each for name, each in pictures.items() if each.is_served(now)}
    newest = sorted(served, key=lambda name: served[name].expires_at, reverse=True)
    kept: set[str] = set()
    blobs: set[str] = set()
    size = 0
    for name in newest[:MOST_PICTURES]:
        each = served[name]
        size += 0 if each.blob in blobs else each.size
        if size > MOST_BYTES:
            break
        blobs.add(each.blob)
        kept.add(name)
    return [name for name in pictures if name not in kept]


def find_next_end(pictures: Iterable[Picture]) -> datetime | None:
    """Return when the next of them is over."""
    ends = [each.expires_at for each in pictures]
    return datetime.fromtimestamp(min(ends), UTC) if ends else None
