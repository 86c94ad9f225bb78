"""Whether anything is left, by the newest evidence."""

from decimal import Decimal

from custom_components.virtual_sms.core.credit import Credit

SOME, NOTHING = Decimal(5), Decimal(0)


def test_a_balance_tells() -> None:
    """Nothing is claimed before it is known."""
    credit = Credit(is_spent=False)
    assert credit.is_left is None
    credit.accept()
    assert credit.is_left is None
    for amount, is_left in ((SOME, True), (NOTHING, False), (-SOME, False)):
        credit.weigh(amount, credit.mark)
        assert credit.is_left is is_left


def test_a_refusal_stands() -> None:
    """A balance that was asked for before it does not count, one asked later does."""
    credit = Credit(is_spent=False)
    before = credit.mark
    credit.refuse()
    credit.weigh(SOME, before)
    assert credit.is_left is False
    credit.weigh(SOME, credit.mark)
    assert credit.is_left is True


def test_an_acceptance_is_newer() -> None:
    """What was accepted after a refusal is newer than a balance of before."""
    credit = Credit(is_spent=True)
    before = credit.mark
    assert credit.is_left is False
    credit.accept()
    credit.weigh(NOTHING, before)
    assert credit.is_left is True
