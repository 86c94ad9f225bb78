"""Verbs about what stays in the database."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import text

_TABLES: Final = {
    "events": "SELECT count(*) FROM events",
    "states": "SELECT count(*) FROM states",
}
_FIND: Final = (
    "SELECT count(*) FROM event_data WHERE shared_data LIKE :needle",
    "SELECT count(*) FROM state_attributes WHERE shared_attrs LIKE :needle",
    "SELECT count(*) FROM states WHERE state LIKE :needle",
)


async def rows(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, int]:
    """Count the rows of events and states, and those that hold a `needle`."""
    instance = get_instance(hass)
    await instance.async_block_till_done()

    def count() -> dict[str, int]:
        with session_scope(hass=hass, read_only=True) as session:
            found = {
                table: session.execute(text(query)).scalar_one()
                for table, query in _TABLES.items()
            }
            needle = {"needle": f"%{data['needle']}%"}
            found["found"] = sum(
                session.execute(text(query), needle).scalar_one() for query in _FIND
            )
        return found

    return await instance.async_add_executor_job(count)


async def rest(hass: HomeAssistant, _: Any) -> None:
    """Wait until the database has taken in all that has happened."""
    await get_instance(hass).async_block_till_done()


VERBS = {"rows": rows, "rest": rest}
