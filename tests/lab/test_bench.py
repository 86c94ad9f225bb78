"""The benchmark's own arithmetic, its load, and a short run of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
import math
import os
from pathlib import Path
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, Self, cast, override

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from lab.bench import __main__ as bench, stage as stage_module
from lab.bench.provider import BenchProvider
from lab.bench.receiving import Callbacks, blast, post
from lab.bench.rows import ROWS, TITLES, Figure, Figures, Row, render
from lab.bench.sending import send
from lab.bench.stage import CheckError, Disk, Stage
from lab.home import PRODUCT, Home, Plan

PROJECT = Path(__file__).parents[2]
BOUND = 400
_WRITE = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("CREATE TABLE message (text)")
started = time.monotonic()
connection.execute("INSERT INTO message VALUES (zeroblob(50000))")
print(time.monotonic() - started)
"""


def make(row: Row, value: float) -> Figure:
    """Return what a row shows as this value: what is faster takes less."""
    return Figure([1], [value]) if row.goal.startswith(">") else Figure([value])


@pytest.mark.parametrize(
    ("goal", "value", "measured"),
    [
        (">= 0.5 x", 0.5, ("0.50 x", "yes")),
        (">= 0.5 x", 0.494, ("0.49 x", "NO")),
        ("<= 5.5 MiB more", 5.504, ("5.50 MiB more", "yes")),
        ("<= 5.5 MiB more", 5.506, ("5.51 MiB more", "NO")),
        ("== 1 flushes", 1, ("1.00 flushes", "yes")),
        ("== 1 flushes", 2, ("2.00 flushes", "NO")),
    ],
)
def test_a_goal_is_met(goal: str, value: float, measured: tuple[str, str]) -> None:
    """By the figure as it is shown: whoever reads the table comes to the same end."""
    row = Row("what", "beside", goal)
    assert row.judge(make(row, value)) == ("what", "beside", goal, *measured)


@pytest.mark.parametrize(("goal", "measured"), [("<= 1 x", "0.50"), (">= 1 x", "2.00")])
def test_a_ratio_is_taken_pair_by_pair(goal: str, measured: str) -> None:
    """A machine that is busy for a while slows both down, and changes no ratio."""
    figure = Figure(own=[1, 20, 3], beside=[2, 40, 4])
    assert Row("what", "beside", goal).judge(figure)[3] == f"{measured} x"


@pytest.mark.parametrize(
    ("own", "ratio", "met"),
    [
        ([1, 20, 3], "1.00", "yes"),
        ([2, 22, 3.3], "1.10", "yes"),
        ([2, 40, 3], "2.00", "NO"),
        ([0.5, 10, 3], "0.50", "yes"),
    ],
)
def test_two_commits_are_compared(own: list[float], ratio: str, met: str) -> None:
    """Round by round, by what each takes itself; more than noise is slower."""
    row, beside = Row("what", "beside", ">= 1 x"), [1, 1, 1]
    other = Figure([1, 20, 3], beside)
    cells = row.judge(Figure(own, beside), other)
    assert (cells[0], cells[2], cells[3:]) == ("what", "0.33 x", (ratio, met))
    nothing = Row("what", "", "== 0 KiB").judge(Figure([0.0]), Figure([0.0]))
    assert nothing[3:] == ("1.00", "yes")


def test_every_part_has_rows_with_a_goal() -> None:
    """No part without a row, no row that nobody measures, none without a goal."""
    assert ROWS.keys() == bench.PARTS.keys()
    for row in (each for rows in ROWS.values() for each in rows):
        sign, limit, _ = row.goal.split(" ", 2)
        assert sign in {"<=", ">=", "=="}
        assert math.isfinite(float(limit))


def read_table(text: str) -> list[tuple[str, ...]]:
    """Return the lines of a Markdown table without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [tuple(line) for line in cells if set(line[0]) != {"-"}][1:]


def test_the_document_has_the_rows_of_the_bench() -> None:
    """Each with its goal, in their order, and with a figure that is judged as said."""
    text = (PROJECT / "docs" / "performance.md").read_text(encoding="utf-8")
    lines = read_table(text)
    rows = [row for part in ROWS.values() for row in part]
    assert [line[:3] for line in lines] == [(r.what, r.beside, r.goal) for r in rows]
    for row, line in zip(rows, lines, strict=True):
        assert row.judge(make(row, float(line[3].split(" ")[0]))) == line
    # Whoever adds a part says what it means to a person.
    assert [part for part in ROWS if f"**{part}**" not in text] == []


def test_the_table_can_be_pasted() -> None:
    """It is Markdown, and its columns are straight."""
    rows = [row for part in ROWS.values() for row in part]
    lines = [row.judge(make(row, 1)) for row in rows]
    table = render(TITLES, *lines)
    assert read_table(table) == lines
    assert len({len(line) for line in table.splitlines()}) == 1


class EmptyHome(Stage):
    """A home that does not start."""

    @override
    async def __aenter__(self) -> Self:
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        return None


async def measure_one(stage: Stage) -> AsyncIterator[Figure]:
    """Return one figure: this product takes twice as much as another."""
    assert (stage.plan.product / "manifest.json").exists()
    yield Figure([2.0 if stage.plan.product == PRODUCT else 1.0])


@pytest.fixture
def parts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, socket_enabled: None
) -> None:
    """Have parts of one figure each, in homes that do not start."""
    monkeypatch.setattr(stage_module, "FOLDER", tmp_path)
    disk = SimpleNamespace(environment={})
    monkeypatch.setattr(stage_module, "Disk", lambda _: disk)
    monkeypatch.setattr(bench, "Stage", EmptyHome)
    monkeypatch.setattr(bench, "PARTS", {"door": measure_one, "memory": measure_one})


@pytest.mark.usefixtures("parts")
async def test_a_row_that_is_left_out() -> None:
    """A part that brings fewer figures than rows ends the run."""
    assert len(await bench.run("memory", PRODUCT)) == 1
    with pytest.raises(ValueError, match="shorter"):
        await bench.run("door", PRODUCT)


@pytest.mark.usefixtures("parts")
def test_what_is_slower_than_a_commit_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """It is checked out as long as it is measured, and its name heads its column."""
    trees = ["git", "-C", PROJECT, "worktree", "list"]
    before = subprocess.check_output(trees)
    assert bench.main(["--against", "HEAD", "memory"]) == 1
    assert subprocess.check_output(trees) == before
    said = capsys.readouterr().out
    assert "| HEAD " in said
    assert [line[1:] for line in read_table(said)] == [
        ("2.00 MiB more", "1.00 MiB more", "2.00", "NO")
    ]


def test_a_part_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and so are those that do."""
    with pytest.raises(SystemExit):
        bench.main(["statuses"])
    said = capsys.readouterr().err
    assert "invalid choice: 'statuses'" in said
    assert all(part in said for part in bench.PARTS)


def write_to(path: Path, environment: Mapping[str, str]) -> float:
    """Write a row in a process of its own, and return the seconds that it took."""
    done = subprocess.run(
        [sys.executable, "-c", _WRITE, path],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return float(done.stdout)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_slow_disk_sleeps_at_each_flush(tmp_path: Path) -> None:
    """And counts the flushes and the bytes of our files, and of no others."""
    disk = Disk(tmp_path)
    write_to(tmp_path / "other.db", disk.environment)
    assert (disk.flushes, disk.written) == (0, 0)
    write_to(tmp_path / "virtual_sms.x.db", disk.environment)
    flushes, written = disk.flushes, disk.written
    assert flushes > 0
    assert written > 50_000
    disk.slow_down(150)
    assert write_to(tmp_path / "virtual_sms.y.db", disk.environment) >= 0.15
    assert disk.flushes == 2 * flushes
    assert disk.written == pytest.approx(2 * written, rel=0.01)


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[TestServer]:
    """Answer each POST by what its body asks for, in pieces."""

    async def answer(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        return web.Response(status=int(text), text=text * 10_000)

    application = web.Application()
    application.router.add_post("/{path}", answer)
    async with TestServer(application) as server:
        yield server


async def test_every_request_is_answered_once(server: TestServer) -> None:
    """Over as many connections as were asked for, long answers included."""
    statuses = [200] * 30 + [403] * 12
    requests = [post("/callback", str(status).encode()) for status in statuses]
    answered = await blast(str(server.make_url("/")), requests, 4)
    assert sorted(answered) == statuses


async def test_a_home_that_hangs_up_is_no_result(socket_enabled: None) -> None:
    """A flood that is cut off must not look like a fast one."""

    async def hang_up(_: asyncio.StreamReader, writer: Any) -> None:
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(ExceptionGroup) as failed:
            await blast(f"http://127.0.0.1:{port}", [post("/", b"")], 1)
    assert failed.group_contains((ConnectionError, asyncio.IncompleteReadError))


class StagedHome(Stage):
    """A home that answers each verb with what it was given."""

    def __init__(self, arrived: int = 0, **answers: object) -> None:
        Home.__init__(self, Plan(folder=Path(), port=1))
        self.provider = BenchProvider()
        self.provider.build()
        self.disk = cast("Disk", SimpleNamespace(flushes=0))
        self._turn = asyncio.Lock()
        self._answers = {"rest": None, **answers}
        self._arrived = arrived

    @override
    async def probe(self, verb: str, **_: object) -> Any:
        if verb == "call":
            self.provider.arrived += [1.5] * self._arrived
        return self._answers[verb]


async def test_contestants_take_turns() -> None:
    """After a warm-up, and nobody always follows the same one."""
    order, home = "", StagedHome()

    async def run(name: str) -> Figures:
        nonlocal order
        order += name
        return {"place": len(order)}

    async with home._turn:
        found = await home.duel(run, 3, "a", "b")
        assert order == "ba" + "ab" + "ba" + "ab"
        assert found == {"place": Figure(own=[3, 6, 7], beside=[4, 5, 8])}
        assert await home.duel(run, 1, "c", warm_up=False) == {"place": Figure([9])}


async def test_stages_take_turns() -> None:
    """Round by round, so that two commits are measured on the same machine."""
    order, turn = "", asyncio.Lock()

    async def run(name: str) -> Figures:
        nonlocal order
        order += name
        await asyncio.sleep(0)
        return {"place": len(order)}

    async def measure(name: str) -> None:
        home = StagedHome()
        home._turn = turn
        async with turn:
            await home.duel(run, 2, name)

    await asyncio.gather(measure("a"), measure("b"))
    assert order == "abab" + "ab"


@pytest.mark.parametrize("seen", [6, 8])
async def test_sends_that_were_not_seen_are_no_result(seen: int) -> None:
    """What the provider took is what was sent: neither fewer nor more."""
    sent = {"began": [1.0] * 7, "ended": [2.0] * 7}
    run = partial(StagedHome, call=sent)
    found = await send(run(arrived=7), "entry", "alone", "ours")
    assert found == {"leaves": 0.5, "call": 1.0, "all": 1.0}
    with pytest.raises(CheckError, match=f"{seen} were sent"):
        await send(run(arrived=seen), "entry", "alone", "ours")


@pytest.mark.parametrize("found", [41, 43])
async def test_events_that_were_not_fired_are_no_result(found: int) -> None:
    """Nor are events that nobody caused."""
    rest = partial(asyncio.sleep, 0)
    await StagedHome(wait={"count": 42}).expect(0, rest())
    with pytest.raises(CheckError, match=f"42 events instead of {84 - found}"):
        await StagedHome(wait={"count": 42}).expect(42 - found, rest())


async def test_a_refusal_is_no_result(server: TestServer) -> None:
    """A callback that is refused costs less than one that is taken."""
    stage = StagedHome(wait={"count": 1, "at": 0.0, "flushes": 2})
    stage.url = str(server.make_url("/"))
    entry = {"entry_id": "entry", "webhook_id": "id"}
    callbacks = Callbacks(stage, entry, entry)
    with pytest.raises(CheckError, match="204"):
        await callbacks.fire([post("/callback", b"200")], 204)
    with pytest.raises(CheckError, match="1 events instead of 2"):
        await callbacks.fire([post("/callback", b"200")], 200)


async def test_a_send_is_noted_and_answered(socket_enabled: None) -> None:
    """As each provider does; what is asked beside it, the simulator answers."""
    async with BenchProvider() as provider:
        side = provider.twilio
        path = f"/2010-04-01/Accounts/{side.ACCOUNT_SID}/Messages.json"
        answered = await blast(provider.url, [post(path, b"To=%2B33612345678")] * 2, 1)
        assert answered == [201, 201]
        assert len(provider.arrived) == 2
        assert await blast(provider.url, [post("/nowhere", b"")], 1) != [201]
        assert len(provider.arrived) == 2
        assert provider.pages_read == 0
        assert len(provider.receive_unseen(5)) == len(side.log) == 5
        assert provider.receive_unseen(0) == []


@pytest.mark.lab
def test_a_part_by_name() -> None:
    """It starts a home, checks itself, and prints what it found."""
    finished = subprocess.run(  # noqa: PLW1510  # a failure is shown with its table
        [PROJECT / "scripts" / "bench", "alert"],
        capture_output=True,
        text=True,
        timeout=BOUND,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = read_table(finished.stdout)
    assert [line[0] for line in lines] == [row.what for row in ROWS["alert"]]
