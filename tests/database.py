"""What the recorder has written to its database."""

from typing import TYPE_CHECKING, Any

from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.components.recorder.util import session_scope
from homeassistant.helpers.recorder import get_instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.core import HomeAssistant
    from sqlalchemy.orm import Session


async def read[T](hass: HomeAssistant, query: Callable[[Session], T]) -> T:
    """Wait until all that has happened is written, and return what a query finds."""
    recorder = get_instance(hass)
    # Its own way to wait does not see what its thread has just taken in hand.
    written: Any = hass.loop.create_future()
    recorder.queue_task(SynchronizeTask(written))
    await written

    def run() -> T:
        with session_scope(hass=hass, read_only=True) as session:
            return query(session)

    return await recorder.async_add_executor_job(run)
