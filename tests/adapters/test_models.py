"""What the models promise whatever the provider."""

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus

ENDS = {
    DeliveryStatus.DELIVERED,
    DeliveryStatus.UNDELIVERED,
    DeliveryStatus.FAILED,
    DeliveryStatus.CANCELED,
}


@pytest.mark.parametrize("status", DeliveryStatus)
def test_an_end_outranks_all_else(status: DeliveryStatus) -> None:
    """Nothing follows an end, so no other status has so high a rank."""
    assert status.is_final == (status in ENDS)
    highest = max(each.rank for each in DeliveryStatus)
    assert (status.rank == highest) == status.is_final


def test_a_message_gets_along() -> None:
    """A status gives way to a higher one: queued, unknown, sent, and the end."""
    course = (
        DeliveryStatus.QUEUED,
        DeliveryStatus.UNKNOWN,
        DeliveryStatus.SENT,
        DeliveryStatus.DELIVERED,
    )
    ranks = [each.rank for each in course]
    assert ranks == sorted(set(ranks))
