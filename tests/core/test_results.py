"""What became of a message is written down, at once or when that works again."""

import asyncio
from collections.abc import Sequence

from custom_components.virtual_sms.core.results import Results
from custom_components.virtual_sms.store.changes import StatusChanged
from custom_components.virtual_sms.store.database import DatabaseClosedError


async def test_what_cannot_be_written_waits_and_says_so() -> None:
    """Whoever shows that there is work learns when it begins, and when it ends."""
    closed, shown, published = True, list[bool](), list[StatusChanged]()
    results = Results(published.extend)
    results.on_change = lambda: shown.append(results.has_work)

    def write() -> asyncio.Future[Sequence[StatusChanged]]:
        if closed:
            raise DatabaseClosedError
        written: asyncio.Future[Sequence[StatusChanged]] = (
            asyncio.get_running_loop().create_future()
        )
        written.set_result([])
        return written

    assert not await results.begin("m", write)
    assert not await results.begin("n", write)
    assert results.ids == {"m", "n"}
    assert shown == [True]
    closed = False
    await results.work()
    assert results.ids == set()
    assert (results.has_work, shown) == (False, [True, False])
