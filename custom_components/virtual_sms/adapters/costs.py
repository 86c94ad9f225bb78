"""What a message has cost, once the provider says so."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

from .plain_text import clean

_MILLIONTHS = 1_000_000
# What lies beyond is no price of a message, whoever says it.
_MOST = Decimal(1_000_000)
_LONGEST_CURRENCY = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """Money if it has a currency, else credits; `millionths` are those of a unit."""

    millionths: int
    currency: str | None = None

    @classmethod
    def read(cls, amount: object, currency: object = None) -> Self | None:
        """Read an amount, which some providers write below zero; None if it is none."""
        try:
            value = abs(Decimal(str(amount)))
        except InvalidOperation:
            return None
        if (
            not value.is_finite()
            or value > _MOST
            or len(str(currency)) > _LONGEST_CURRENCY
        ):
            return None
        unit = clean(str(currency).upper()) if currency else None
        return cls(round(value * _MILLIONTHS), unit)

    @property
    def amount(self) -> Decimal:
        """Return the amount in whole units."""
        return Decimal(self.millionths) / _MILLIONTHS
