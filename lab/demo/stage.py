"""A Home Assistant beside the simulator, furnished for the demo."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simulator import Simulator

from ..home import PROJECT, Home, Plan, free_port
from .checks import say
from .dashboard import household_view, show_dashboard
from .lines import Line, add_number, list_lines
from .people import move_in

FOLDER = PROJECT / ".demo"
_ASK_THE_INTERNET = {"google_translate", "met", "radio_browser"}


@asynccontextmanager
async def demo_home(folder: Path) -> AsyncIterator[tuple[Simulator, Home]]:
    """Start the simulator and a Home Assistant beside it."""
    async with Simulator(port=free_port(8765)) as simulator:
        plan = Plan(folder=folder, port=free_port(8123))
        say(f"Starting Home Assistant at {plan.url} (half a minute or so)")
        async with Home(plan) as home:
            await remove_what_asks_the_internet(home)
            yield simulator, home


async def remove_what_asks_the_internet(home: Home) -> None:
    """Remove what a new home brings: without the internet it would fail, in red."""
    for entry in await home.command("config_entries/get"):
        if entry["domain"] in _ASK_THE_INTERNET:
            path = f"/api/config/config_entries/entry/{entry['entry_id']}"
            await home.ask("DELETE", path)


async def furnish(home: Home, simulator: Simulator) -> list[tuple[Line, str]]:
    """Set up both numbers, the people, their automations and the dashboard."""
    lines = []
    for line in list_lines(simulator):
        say(f"Adding {line.number} through the config flow of {line.title}")
        lines.append((line, await add_number(home, simulator, line)))
    say("Adding contacts, a group and automations")
    ids = {line.provider: entry_id for line, entry_id in lines}
    await move_in(home, ids)
    titles = [(line.title, entry_id) for line, entry_id in lines]
    await show_dashboard(home, titles, await household_view(home, list(ids.values())))
    return lines
