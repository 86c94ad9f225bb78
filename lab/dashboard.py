"""The demo's dashboard: what a number's entities look like, side by side."""

from collections.abc import Sequence
from typing import Any

from .home import Home

_PATH = "virtual-sms"
_TILES = (
    "last_message",
    "last_sender",
    "last_delivery",
    "line_status",
    "balance",
    "pending",
    "sent",
    "received",
    "failed",
)


async def show_dashboard(home: Home, numbers: Sequence[tuple[str, str]]) -> None:
    """Make a dashboard with a column for each number: its title and entry id."""
    await home.command(
        "lovelace/dashboards/create",
        url_path=_PATH,
        title="Virtual SMS",
        icon="mdi:message-text",
        mode="storage",
        show_in_sidebar=True,
        require_admin=False,
    )
    sections = [
        _section(title, entry_id, await home.entities(entry_id))
        for title, entry_id in numbers
    ]
    view = {"title": "Numbers", "type": "sections", "sections": sections}
    await home.command("lovelace/config/save", url_path=_PATH, config={"views": [view]})


def _section(title: str, entry_id: str, entities: dict[str, str]) -> dict[str, Any]:
    # The heading names the number already; the message may be long.
    tiles: list[dict[str, Any]] = [
        {"type": "tile", "entity": entities[key], "name": {"type": "entity"}}
        for key in _TILES
    ]
    tiles[0]["grid_options"] = {"columns": "full"}
    history = {
        "type": "logbook",
        "target": {"entity_id": [entities["message"], entities["delivery"]]},
        "hours_to_show": 1,
    }
    inbox = {"type": "custom:virtual-sms-card", "config_entry_id": entry_id}
    heading = {"type": "heading", "heading": title, "icon": "mdi:phone-message"}
    return {"type": "grid", "cards": [heading, inbox, *tiles, history]}
