"""What the suite itself promises, whatever is done to make it fast."""

import asyncio
import logging
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.complaints import Complaints
from tests.one_provider import find_surplus


async def test_another_thread_is_refused() -> None:
    """What our code would hand to the event loop from elsewhere fails its test."""
    loop = asyncio.get_running_loop()
    with pytest.raises(RuntimeError, match="Non-thread-safe"):
        await loop.run_in_executor(None, loop.call_soon, print)


async def test_no_traceback_is_kept() -> None:
    """No future or coroutine notes who made it: that takes a third of the time."""
    assert not asyncio.get_running_loop().get_debug()
    assert sys.get_coroutine_origin_tracking_depth() == 0


def test_few_lines_are_kept() -> None:
    """What a home says of its start is formatted for nobody, unless somebody asks."""
    assert not logging.getLogger().isEnabledFor(logging.INFO)


def test_all_lines_can_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """A test that looks for what must not be logged sees all of it."""
    logging.getLogger("homeassistant").debug("a detail")
    assert "a detail" in caplog.text


@pytest.mark.parametrize(
    ("line", "is_about_us"),
    [
        ("Detected that custom integration 'virtual_sms' calls it from a thread", True),
        ("The deprecated constant X was used from virtual_sms. Use Y instead", True),
        ("Detected that custom integration 'other' calls it", False),
        ("virtual_sms: the provider is away", False),
    ],
)
def test_a_complaint_about_us_is_seen(line: str, *, is_about_us: bool) -> None:
    """What will stop working fails a test today; what others do does not."""
    complaints = Complaints()
    complaints.handle(logging.makeLogRecord({"msg": line}))
    assert complaints.lines == ([line] if is_about_us else [])


def test_complaints_are_listened_for() -> None:
    """All that is logged as a warning passes by, and nothing after the test."""
    complaints = Complaints()
    with complaints:
        assert complaints in logging.getLogger().handlers
    assert complaints not in logging.getLogger().handlers


def test_one_provider_shows_what_is_said_for_each() -> None:
    """Of a function that takes a home one provider's tests are left, of others all."""
    home = ["hass"]

    def make(name: str, provider: str | None, fixtures: list[str]) -> SimpleNamespace:
        params = {} if provider is None else {"provider": provider}
        callspec = SimpleNamespace(params=params)
        name = f"test_x.py::{name}[{provider}-1]"
        return SimpleNamespace(nodeid=name, callspec=callspec, fixturenames=fixtures)

    both = [make(f"test_{n}", each, home) for n in range(20) for each in ("a", "b")]
    others = [
        make("test_one", "b", home),
        make("test_none", None, home),
        *(make("test_adapter", each, []) for each in ("a", "b")),
        SimpleNamespace(nodeid="test_x.py::test_plain", fixturenames=home),
    ]
    surplus: Any = find_surplus(cast("Any", [*both, *others]))
    assert all(each in both for each in surplus)
    kept = [each for each in both if each not in surplus]
    assert [each.nodeid.partition("[")[0] for each in kept] == [
        f"test_x.py::test_{n}" for n in range(20)
    ]
    assert {each.callspec.params["provider"] for each in kept} == {"a", "b"}
