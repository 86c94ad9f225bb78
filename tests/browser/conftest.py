"""A Home Assistant, both providers, and a person's browser."""

from pathlib import Path
import shutil
from typing import TYPE_CHECKING

import pytest

from lab.home import PROJECT, Home, Plan, free_port
from simulator import Simulator

from .pictures import RECORD, Album

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, BrowserContext

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    # It may run as root, and asks nobody on the internet for anything.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Milliseconds for a page to show what it will: a busy machine needs many.
_TIMEOUT = 60_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the pictures be taken for the README."""
    parser.addoption(
        "--pictures", action="store_true", help="put the pictures into docs/images"
    )


@pytest.fixture
def album(request: pytest.FixtureRequest, tmp_path: Path) -> Album:
    """Say where pictures go: the README's are replaced on demand only."""
    wanted = request.config.getoption("--pictures")
    if wanted:
        return Album(PROJECT / "docs" / "images", RECORD)
    return Album(tmp_path, tmp_path / RECORD.name)


@pytest.fixture
async def providers() -> AsyncIterator[Simulator]:
    """Run both providers at the pace of a demo."""
    async with Simulator() as simulator:
        simulator.pace = 0.2
        yield simulator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the newcomer, who wants a home as new as can be, and takes longest."""
    items.sort(key=lambda each: "newcomer_gets_along" not in each.name)


@pytest.fixture(scope="session")
async def started_home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """Run a Home Assistant that was just installed: it takes longer than most tests."""
    folder = tmp_path_factory.mktemp("home")
    async with Home(Plan(folder=folder, port=free_port())) as home:
        # What a new home brings would ask the internet, and shows in the pictures.
        await _remove_entries(home)
        yield home


@pytest.fixture
async def home(started_home: Home, providers: Simulator) -> AsyncIterator[Home]:
    """Return a home without a number, which gives back at the end what it was given."""
    yield started_home
    await _remove_automations(started_home)
    await _remove_entries(started_home)
    for each in await started_home.command("lovelace/dashboards/list"):
        await started_home.command(
            "lovelace/dashboards/delete", dashboard_id=each["id"]
        )
    for each in await started_home.command("input_boolean/list"):
        await started_home.command("input_boolean/delete", input_boolean_id=each["id"])
    await started_home.command("config/core/update", language="en")


async def _remove_automations(home: Home) -> None:
    for state in await home.command("get_states"):
        if state["entity_id"].startswith("automation."):
            path = f"/api/config/automation/config/{state['attributes']['id']}"
            await home.ask("DELETE", path)


async def _remove_entries(home: Home) -> None:
    for entry in await home.command("config_entries/get"):
        path = f"/api/config/config_entries/entry/{entry['entry_id']}"
        await home.ask("DELETE", path)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Start Chromium, which keeps nothing from one context to the next."""
    from playwright.async_api import async_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail("No Chromium is installed. On Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def browser(
    request: pytest.FixtureRequest, chromium: Browser
) -> AsyncIterator[BrowserContext]:
    """Return a browser that has not been here before, in English unless told else."""
    context = await chromium.new_context(
        viewport={"width": 1280, "height": 800},
        locale=getattr(request, "param", "en-US"),
        timezone_id="UTC",
    )
    context.set_default_timeout(_TIMEOUT)
    yield context
    await context.close()
