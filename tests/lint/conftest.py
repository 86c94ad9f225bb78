"""What reads files needs neither a home nor a loop to run one in."""

import pytest


@pytest.fixture(autouse=True)
def configure_event_loop() -> None:
    """Make no loop."""


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Nor watch one."""


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Nothing was started that could be left behind."""


@pytest.fixture(autouse=True)
def disable_http_server() -> None:
    """Nor is anything served."""
