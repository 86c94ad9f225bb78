"""Read what can still be read of a damaged sqlite file.

Damage hits pages. A table is read from its start until the damage and from its
end back to it; rows in between that an index still names are asked for one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
import sqlite3

type Row = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Salvage:
    """What was found: tables that were not read whole, or not at all, and losses.

    `lost` counts the messages that were still to be sent and cannot be any more.
    `fragments` holds, by table, what indexes say of rows that cannot be read, with
    the names of the indexes that they stand in.
    """

    incomplete: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    lost: int = 0
    fragments: dict[str, list[Fragment]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is left of a row."""

    values: Row
    indexes: set[str]


@dataclass(frozen=True, slots=True)
class _Index:
    name: str
    columns: Sequence[str]
    condition: str


class _Table:
    """A table of the damaged file, as the new file knows it."""

    def __init__(
        self, old: sqlite3.Connection, new: sqlite3.Connection, name: str
    ) -> None:
        self._old = old
        self._new = new
        self.name = name
        info = new.execute(f"PRAGMA table_info({name})").fetchall()
        theirs = {each["name"] for each in _try(old, f"PRAGMA table_info({name})")[0]}
        self._columns = [each["name"] for each in info if each["name"] in theirs]
        keys = sorted((each["pk"], each["name"]) for each in info if each["pk"])
        self._key = [column for _, column in keys] or ["rowid"]

    def copy(self) -> bool:
        """Copy what can be read in either direction; say whether that is all."""
        if not self._columns:
            return False
        columns, order = ", ".join(self._columns), ", ".join(self._key)
        query = f"SELECT {columns} FROM {self.name} ORDER BY "  # noqa: S608  # our own names
        rows, is_whole = _try(self._old, query + order)
        if not is_whole:
            back = ", ".join(f"{column} DESC" for column in self._key)
            rows += _try(self._old, query + back)[0]
        for row in rows:
            self._insert(row)
        return is_whole

    def is_empty(self) -> bool:
        """Say whether the new table holds nothing."""
        query = f"SELECT 1 FROM {self.name}"  # noqa: S608  # our own names
        return self._new.execute(query).fetchone() is None

    def piece_together(self) -> list[Fragment]:
        """Read rows that an index names; return those that are no more than a name."""
        if not self._columns:
            return []
        named: dict[tuple[object, ...], Fragment] = {}
        for index in self._indexes():
            for row in self._read_index(index):
                key = tuple(row[column] for column in self._key)
                fragment = named.setdefault(key, Fragment({}, set()))
                fragment.values.update(dict(row))
                fragment.indexes.add(index.name)
        return [each for key, each in named.items() if not self._save(key)]

    def _save(self, key: tuple[object, ...]) -> bool:
        where = " AND ".join(f"{column} = ?" for column in self._key)
        query = f"FROM {self.name} WHERE {where}"
        if self._new.execute(f"SELECT 1 {query}", key).fetchone():  # our own names
            return True
        rows, _ = _try(
            self._old, f"SELECT {', '.join(self._columns)} {query}", key
        )  # our own names
        return any(self._insert(row) for row in rows)

    def _insert(self, row: sqlite3.Row) -> bool:
        marks = ", ".join("?" * len(self._columns))
        count = self._new.execute(
            f"INSERT OR IGNORE INTO {self.name} ({', '.join(self._columns)})"  # noqa: S608  # our own names
            f" VALUES ({marks})",
            tuple(row),
        ).rowcount
        return count == 1

    def _read_index(self, index: _Index) -> list[sqlite3.Row]:
        columns = ", ".join(dict.fromkeys((*self._key, *index.columns)))
        query = (
            f"SELECT {columns} FROM {self.name} INDEXED BY {index.name}"  # noqa: S608  # our own names
            f"{index.condition} ORDER BY "
        )
        rows, is_whole = _try(self._old, query + ", ".join(index.columns))
        if not is_whole:
            back = ", ".join(f"{column} DESC" for column in index.columns)
            rows += _try(self._old, query + back)[0]
        return rows

    def _indexes(self) -> Iterator[_Index]:
        """List the indexes of the damaged file, which may be of an older version."""
        rows, _ = _try(
            self._old,
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
            (self.name,),
        )
        for name, sql in rows:
            _, where, condition = " ".join(sql.split()).partition(" WHERE ")
            info, _ = _try(self._old, f"PRAGMA index_info({name})")
            yield _Index(name, [each["name"] for each in info], where + condition)


def salvage(path: Path, new: sqlite3.Connection) -> Salvage:
    """Copy what can be read of a file into a new one of the newest version."""
    found = Salvage()
    old = sqlite3.connect(path)
    try:
        _make_lenient(old)
        new.execute("BEGIN")
        for name in _names(new):
            _salvage_table(_Table(old, new, name), found)
        new.execute("COMMIT")
    finally:
        old.close()
    return found


def _salvage_table(table: _Table, found: Salvage) -> None:
    if table.copy():
        return
    found.incomplete.add(table.name)
    fragments = found.fragments[table.name] = table.piece_together()
    if not fragments and table.is_empty():
        found.unread.add(table.name)


def _make_lenient(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda value: value.decode("utf-8", "replace")
    # A schema that is odd in one place is read in the others all the same.
    _try(connection, "PRAGMA writable_schema=ON")
    _try(connection, "PRAGMA cell_size_check=ON")


def _names(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in rows if not name.startswith("sqlite_")]


def _try(
    connection: sqlite3.Connection, query: str, values: tuple[object, ...] = ()
) -> tuple[list[sqlite3.Row], bool]:
    """Read rows until the first that cannot be read; say whether that was the end."""
    rows: list[sqlite3.Row] = []
    try:
        rows.extend(connection.execute(query, values))
    except sqlite3.Error:
        return rows, False
    return rows, True
