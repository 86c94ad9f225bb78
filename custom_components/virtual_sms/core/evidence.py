"""Say what a message proves about an earlier refusal.

A message that was under way before the refusal proves nothing about what came after,
however late its delivery becomes known.
"""

from collections.abc import Iterable

from ..adapters.models import DeliveryStatus
from ..store.changes import StatusChanged

_ACCEPTED = frozenset(
    {DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED}
)


class Evidence[Subject]:
    """The messages that began after each subject last came up."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        """Take up what came up in an earlier run: no message of it counts."""
        self._later: dict[Subject, set[str]] = {each: set() for each in subjects}

    def begin(self, subject: Subject) -> None:
        """Have only messages count for a subject that begin from now on."""
        self._later[subject] = set()

    def note(self, change: StatusChanged) -> set[Subject]:
        """Return the subjects about which a message proves something new."""
        message_id = change.message_id
        for ids in self._later.values():
            if change.previous is None:
                ids.add(message_id)
        about = {each for each, ids in self._later.items() if message_id in ids}
        if change.status.is_final:
            for ids in self._later.values():
                ids.discard(message_id)
        return about


def was_accepted(change: StatusChanged) -> bool:
    """Say whether a change tells that the provider took a message."""
    return change.provider_id is not None and change.status in _ACCEPTED
