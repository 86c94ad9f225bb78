"""Look into the recorder's database, once all that has happened is in it."""

import asyncio
from collections.abc import Callable
from typing import Final

from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import text
from sqlalchemy.orm import Session

_ROWS: Final = (
    "SELECT t.event_type, count(*) FROM events"
    " JOIN event_types AS t USING (event_type_id) GROUP BY 1"
    " UNION ALL SELECT m.entity_id, count(*) FROM states"
    " JOIN states_meta AS m USING (metadata_id) GROUP BY 1"
)


async def rest(hass: HomeAssistant) -> None:
    """Wait until the database, if there is one, has taken in all that has happened."""
    if "recorder" not in hass.config.components:
        return
    written: asyncio.Future[None] = hass.loop.create_future()
    # Its own way to wait does not see what its thread has just taken in hand.
    get_instance(hass).queue_task(SynchronizeTask(written))
    await written


async def read[T](hass: HomeAssistant, query: Callable[[Session], T]) -> T:
    """Wait until all that has happened is written, and return what a query finds."""

    def run() -> T:
        with session_scope(hass=hass, read_only=True) as session:
            return query(session)

    await rest(hass)
    return await get_instance(hass).async_add_executor_job(run)


def count_rows(session: Session) -> dict[str, int]:
    """Count the rows of events by their type, and of states by their entity."""
    return dict(session.execute(text(_ROWS)).tuples().all())
