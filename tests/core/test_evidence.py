"""What a message proves about an earlier refusal."""

from typing import Any

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus
from custom_components.virtual_sms.core.evidence import Evidence, was_accepted
from custom_components.virtual_sms.store.changes import StatusChanged
from tests.fakes import START

QUEUED, DELIVERED = DeliveryStatus.QUEUED, DeliveryStatus.DELIVERED


def change(
    message_id: str,
    status: DeliveryStatus,
    previous: DeliveryStatus | None = None,
    **more: Any,
) -> StatusChanged:
    """Make a change of a message."""
    details = {"provider_id": "P1", "recipient": "+33612345678", "at": START} | more
    return StatusChanged(
        message_id=message_id, status=status, previous=previous, **details
    )


def test_only_later_messages_count() -> None:
    """What was under way when a subject came up proves nothing of it."""
    evidence = Evidence[str](["credit"])
    evidence.note(change("old", QUEUED))
    evidence.begin("credit")
    evidence.begin("country")
    assert evidence.note(change("old", DELIVERED, QUEUED)) == set()
    assert evidence.note(change("new", QUEUED)) == {"credit", "country"}
    evidence.begin("country")
    assert evidence.note(change("new", DELIVERED, QUEUED)) == {"credit"}
    assert evidence.note(change("new", DELIVERED, QUEUED)) == set()


def test_messages_of_an_earlier_run() -> None:
    """What began before a restart proves nothing of what came up before it."""
    evidence = Evidence(["credit"])
    assert evidence.note(change("old", DELIVERED, QUEUED)) == set()
    assert evidence.note(change("new", QUEUED)) == {"credit"}


@pytest.mark.parametrize("status", DeliveryStatus)
@pytest.mark.parametrize("provider_id", ["P1", None])
def test_acceptance(status: DeliveryStatus, provider_id: str | None) -> None:
    """A message is accepted when the provider has given it a name of its own."""
    is_good = status.value in {"queued", "sent", "delivered"}
    accepted = was_accepted(change("a", status, provider_id=provider_id))
    assert accepted is (is_good and provider_id is not None)
