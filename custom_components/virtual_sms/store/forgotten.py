"""What is left of inbound ids that were forgotten: enough to know them again.

A signed callback carries no time, so who recorded one could have it published
again once its id is forgotten. A hash of eight bytes takes little room, and two
ids that share one are not to be expected in the life of a home.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
import json
import sqlite3


def recall(connection: sqlite3.Connection, message_ids: Sequence[str]) -> set[str]:
    """Return those of some ids that are known, or were until they were forgotten."""
    hashes = {_hash(each): each for each in message_ids}
    # As one row, for to fetch one is to wait once.
    known, forgotten = connection.execute(
        "SELECT (SELECT json_group_array(message_id) FROM inbound "
        "WHERE message_id IN (SELECT value FROM json_each(?))), "
        "(SELECT json_group_array(id) FROM forgotten "
        "WHERE id IN (SELECT value FROM json_each(?)))",
        (json.dumps(message_ids), json.dumps(list(hashes))),
    ).fetchone()
    return {*json.loads(known), *(hashes[each] for each in json.loads(forgotten))}


def forget_before(connection: sqlite3.Connection, time: float) -> int:
    """Forget what was published and received before a time, but for its hash; count it."""
    rows = connection.execute(
        "DELETE FROM inbound WHERE received_at < ? AND content IS NULL "
        "RETURNING message_id",
        (time,),
    ).fetchall()
    rows += connection.execute(
        "DELETE FROM set_aside WHERE since < ? RETURNING record_id", (time,)
    ).fetchall()
    _keep(connection, (message_id for (message_id,) in rows))
    return len(rows)


def _keep(connection: sqlite3.Connection, message_ids: Iterable[str]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO forgotten VALUES (?)",
        [(_hash(each),) for each in message_ids],
    )


def _hash(message_id: str) -> int:
    digest = blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)
