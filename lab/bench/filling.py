"""Fill the store of a number as the years would: with copies of what came and went."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
import json
from pathlib import Path
import sqlite3
from typing import Final
from uuid import uuid4

from .callbacks import Callbacks
from .receiving import NO_CONTENT, fire
from .stage import Stage

TOTAL: Final = 10_000
_MIX: Final = {
    "inbound": 4_000,
    "outbound WHERE NOT open": 5_900,
    "outbound WHERE open": 100,
}
"""Messages that came in, that went out and arrived, and that are under way."""
_DAYS: Final = 25
"""How far back they go: those that went out are forgotten after a month."""
_TIDIED: Final = 1.2
"""Seconds without a write after which what is beside a file is brought into it."""
_QUIET: Final = 0.5
_TIMEOUT: Final = 30.0
_AGED: Final = f"- {_DAYS * 86_400} * (key + 1.0) / json_array_length(?)"
_VALUES: Final = {
    "inbound": {"message_id": "value", "received_at": f"received_at {_AGED}"},
    "outbound": {
        "message_id": "substr(value, 3)",
        "provider_id": "value",
        "created_at": f"created_at {_AGED}",
    },
}
"""What is not the same in all copies; `value` is the id of each, `key` its place."""


def find_file(stage: Stage, entry_id: str) -> Path:
    """Return where the store of a number is."""
    return stage.plan.folder / ".storage" / f"virtual_sms.{entry_id}.db"


async def rest(stage: Stage) -> None:
    """Wait until all is tidied, and nothing has been written for a while."""
    written = stage.disk.written
    await asyncio.sleep(_TIDIED)
    async with asyncio.timeout(_TIMEOUT):
        while written != stage.disk.written:
            written = stage.disk.written
            await asyncio.sleep(_QUIET)


async def fill(stage: Stage, callbacks: Callbacks) -> None:
    """Have ten thousand messages in a store, most of which are over."""
    await callbacks.track(2)
    # Both have left, and the first one has arrived.
    statuses = callbacks.statuses(callbacks.ours, 3)
    await fire(stage, statuses, NO_CONTENT, connections=1)
    ids = {source: [f"SM{uuid4().hex}" for _ in range(_MIX[source])] for source in _MIX}
    await add_copies(stage, callbacks, ids)


async def add_copies(
    stage: Stage, callbacks: Callbacks, ids: Mapping[str, Sequence[str]]
) -> None:
    """Have a message come in, and copy a row of each source once for each of its ids."""
    await fire(stage, callbacks.inbound(callbacks.ours, 1))
    await rest(stage)
    await stage.probe("unload", entry_id=callbacks.entry_id)
    with closing(sqlite3.connect(find_file(stage, callbacks.entry_id))) as connection:
        for source in ids:
            _copy(connection, source, json.dumps(ids[source]))
        connection.commit()
    await stage.probe("set_up", entry_id=callbacks.entry_id)
    await rest(stage)


def _copy(connection: sqlite3.Connection, source: str, ids: str) -> None:
    """Copy a row once for each id, and spread the copies over the past."""
    table = source.partition(" ")[0]
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    columns = ", ".join(_VALUES[table].get(name, name) for name in names)
    connection.execute(
        f"INSERT INTO {table} SELECT {columns.replace('?', '?1')} "  # noqa: S608  # ours
        f"FROM (SELECT * FROM {source} LIMIT 1), json_each(?1)",
        (ids,),
    )
