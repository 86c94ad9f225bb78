"""Prices as providers write them, and what of them is believed."""

from decimal import Decimal

import pytest

from custom_components.virtual_sms.adapters.costs import Cost


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("-0.00790", "usd", Cost(7900, "USD")),
        (2.5, None, Cost(2_500_000)),
        (0, "", Cost(0)),
        ("0.0000004", "EUR", Cost(0, "EUR")),
        (None, "USD", None),
        ("", "USD", None),
        ("NaN", "USD", None),
        ("Infinity", "USD", None),
        (True, None, None),
        ({}, None, None),
        (10**7, "USD", None),
        (1, "x" * 9, None),
    ],
)
def test_prices(amount: object, currency: object, expected: Cost | None) -> None:
    """Below zero means that it was taken away; nonsense is no price."""
    assert Cost.read(amount, currency) == expected


def test_an_amount_is_exact() -> None:
    """Millionths add up without the errors of floating point."""
    assert Cost(7900).amount == Decimal("0.0079")
