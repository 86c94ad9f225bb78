"""What the suite itself promises, whatever is done to make it fast."""

import asyncio
import logging
import sys

import pytest

from tests.complaints import Complaints


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
