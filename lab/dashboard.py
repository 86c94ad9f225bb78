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
    """Make a dashboard with a column for each number: its title and entry id.

    A view of its own shows what was written with whom.
    """
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
        _section(title, await home.entities(entry_id)) for title, entry_id in numbers
    ]
    views = [
        {"title": "Numbers", "type": "sections", "sections": sections},
        {
            "title": "Conversations",
            "path": "conversations",
            "type": "sections",
            "sections": [_inbox(title, entry_id) for title, entry_id in numbers],
        },
    ]
    await home.command("lovelace/config/save", url_path=_PATH, config={"views": views})


def _inbox(title: str, entry_id: str) -> dict[str, Any]:
    card = {"type": "custom:virtual-sms-card", "config_entry_id": entry_id}
    return {"type": "grid", "cards": [{**card, "title": title}]}


def _section(title: str, entities: dict[str, str]) -> dict[str, Any]:
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
    heading = {"type": "heading", "heading": title, "icon": "mdi:phone-message"}
    return {"type": "grid", "cards": [heading, *tiles, history]}
