"""The benchmark's own arithmetic, its load, and a short run of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
import subprocess
from typing import Any, override

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from lab.bench import __main__ as bench
from lab.bench.blast import Request, blast
from lab.bench.duel import Contestant, Duel, duel
from lab.bench.receiving import Expected, _fire
from lab.bench.report import Row, render
from lab.bench.sending import Sends
from lab.bench.stage import CheckError, Stage

PROJECT = Path(__file__).parents[2]
BOUND = 400


async def test_contestants_take_turns() -> None:
    """After a warm-up, and nobody always follows the same one."""
    order: list[str] = []

    def contestant(name: str) -> Contestant:
        async def run() -> float:
            order.append(name)
            return len(order)

        return run

    result = await duel({name: contestant(name) for name in "ab"}, 3)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
    assert result.figures == {"a": [3, 6, 7], "b": [4, 5, 8]}


def test_a_ratio_is_taken_pair_by_pair() -> None:
    """A machine that is busy for a while slows both down, and changes no ratio."""
    result = Duel({"ours": [1, 20, 3], "theirs": [2, 40, 4]})
    assert result.ratio("ours", "theirs") == 0.5
    assert result.median("ours") == 3


@pytest.mark.parametrize(
    ("row", "figure", "is_met"),
    [
        (Row.at_least("a", "b", 0.5, 0.5), "0.50 x", True),
        (Row.at_least("a", "b", 0.49, 0.5), "0.49 x", False),
        (Row.at_most("a", "b", 10, 10, "ms"), "10.00 ms", True),
        (Row.at_most("a", "b", 10.1, 10, "ms"), "10.10 ms", False),
        (Row.ratio("a", "b", 2), "2.00 x", None),
    ],
)
def test_rows(row: Row, figure: str, is_met: bool | None) -> None:
    """A target that is reached exactly is met, and where there is none, none is."""
    assert (row.figure, row.is_met) == (figure, is_met)


def test_the_table_replaces_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves alone what is written around it, however often."""
    document = tmp_path / "performance.md"
    marks = "<!-- table -->\nold\n<!-- end of table -->\n"
    document.write_text(f"before\n{marks}after\n", encoding="utf-8")
    monkeypatch.setattr(bench, "DOCUMENT", document)
    for what in ("first", "second"):
        bench.write(render([Row.at_least(what, "theirs", 1, 2)]))
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "first" not in text
    assert "| second | theirs | 1.00 x   | >= 2.00 x | NO  |" in text
    assert bench.describe_versions() in text


def test_the_document_has_the_figures_of_all_parts() -> None:
    """Whoever adds a part measures it and says what it means."""
    text = bench.DOCUMENT.read_text(encoding="utf-8")
    table = text.partition("<!-- table -->")[2].partition("<!-- end of table -->")[0]
    expected = {
        "status": "Status callback",
        "inbound": "Inbound SMS",
        "forged": "Forged callback",
        "send": "Send, 50 at once",
        "many": "One message to 50 recipients",
        "ovh": "Send through OVHcloud",
        "rows": "Recorder rows",
        "stall": "Longest stall",
        "setup": "Set-up",
        "store": "10,000 messages",
        "catchup": "Catch-up",
    }
    assert expected.keys() == bench.PARTS.keys()
    assert [part for part, row in expected.items() if f"| {row}" not in table] == []


def test_a_part_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and those that do can be listed."""
    with pytest.raises(SystemExit):
        bench.main(["statuses"])
    assert "no part statuses" in capsys.readouterr().err
    assert bench.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == list(bench.PARTS)


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
    requests = [
        Request.post("/callback", str(status).encode())
        for status in [200] * 30 + [403] * 12
    ]
    result = await blast(str(server.make_url("/")), requests, 4)
    assert result.statuses == {200: 30, 403: 12}
    assert len(result.latencies) == 42
    assert 0 < result.median <= result.seconds
    assert result.rate == pytest.approx(42 / result.seconds)


async def test_a_home_that_hangs_up_is_no_result(server: TestServer) -> None:
    """A flood that is cut off must not look like a fast one."""

    async def hang_up(_: asyncio.StreamReader, writer: Any) -> None:
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(ConnectionError):
            await blast(f"http://127.0.0.1:{port}", [Request.post("/", b"")], 1)


class StagedHome:
    """A home that answers each verb with what it was given."""

    def __init__(self, **answers: object) -> None:
        self.url = "http://127.0.0.1"
        self._answers = answers

    async def probe(self, verb: str, **_: object) -> Any:
        """Do nothing, and answer."""
        return self._answers[verb]


class StagedProvider(Stage):
    """A stage whose provider counted this before a round and after it."""

    def __init__(self, sends: Sequence[int], **answers: object) -> None:
        super().__init__(StagedHome(**answers), None)  # type: ignore[arg-type]
        self._counted = iter(sends)

    @override
    async def tell_provider(self, **wish: object) -> Any:
        return {"sends": next(self._counted)}


@pytest.mark.parametrize("seen", [29, 31])
async def test_sends_that_were_not_seen_are_no_result(seen: int) -> None:
    """What the provider took is what was sent: neither fewer nor more."""
    honest = Sends(StagedProvider([7, 37], send=0.5, rest=None))
    assert await honest.contestant("ours", "serial", 30)() == 0.5
    sends = Sends(StagedProvider([7, 7 + seen], send=0.5, rest=None))
    with pytest.raises(CheckError, match=f"{seen} were sent instead of 30"):
        await sends.contestant("ours", "serial", 30)()


@pytest.mark.parametrize("found", [41, 43])
async def test_events_that_were_not_fired_are_no_result(found: int) -> None:
    """Nor are events that nobody caused."""
    await StagedProvider([], wait=42).wait_for_events(42)
    with pytest.raises(CheckError, match=f"{found} events instead of 42"):
        await StagedProvider([], wait=found).wait_for_events(42)


async def test_a_refusal_is_no_result(server: TestServer) -> None:
    """A callback that is refused costs less than one that is taken."""
    stage = StagedProvider([], counts={"a": 2}, wait=3, rest=None)
    stage.home.url = str(server.make_url("/"))
    callback = [Request.post("/callback", b"200")]
    taken = await _fire(stage, callback, 1, Expected(status=200))
    assert taken.statuses == {200: 1}
    with pytest.raises(CheckError, match="not 204"):
        await _fire(stage, callback, 1, Expected(status=204))


@pytest.mark.lab
def test_a_part_by_name() -> None:
    """It starts a home, checks itself, and prints what it found."""
    finished = subprocess.run(  # noqa: PLW1510  # a failure is shown with its table
        [PROJECT / "scripts" / "bench", "many"],
        capture_output=True,
        text=True,
        timeout=BOUND,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    _, _, table = finished.stdout.partition("==> all")
    assert "| One message to 50 recipients, 50 ms each | core's twilio_sms |" in table
