"""The demo's dashboard: what a number's entities look like, side by side."""

from collections.abc import Sequence

from ..home import Home, Json
from .people import GARAGE, LEAK

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


async def show_dashboard(
    home: Home, numbers: Sequence[tuple[str, str]], *more: Json
) -> None:
    """Make a dashboard with a column for each number: its title and entry id.

    A view of its own shows what was written with whom; `more` views follow.
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
        *more,
    ]
    await home.command("lovelace/config/save", url_path=_PATH, config={"views": views})


async def household_view(home: Home, entry_ids: Sequence[str]) -> Json:
    """Return a view of the people of the demo, of what they steer, and of the cost."""
    ids = [await home.entities(each) for each in entry_ids]
    people = [
        _tile(entity_id)
        for entities in ids
        for key, entity_id in entities.items()
        # Before the key of a contact's entity stands the id of the contact.
        if key.endswith(("_status", "_last_delivery")) and key not in _TILES
    ]
    return {
        "title": "Household",
        "path": "household",
        "type": "sections",
        "sections": [
            _grid("People", "mdi:account-group", people),
            _grid("House", "mdi:home", [_tile(GARAGE), _tile(LEAK)]),
            _grid("Cost", "mdi:cash", [_graph(each["cost"]) for each in ids]),
        ],
    }


def _graph(entity_id: str) -> Json:
    """Return a graph of how the cost has grown in a month."""
    return {"type": "history-graph", "entities": [entity_id], "hours_to_show": 31 * 24}


def _tile(entity_id: str) -> Json:
    return {"type": "tile", "entity": entity_id}


def _grid(heading: str, icon: str, cards: Sequence[Json]) -> Json:
    title = {"type": "heading", "heading": heading, "icon": icon}
    return {"type": "grid", "cards": [title, *cards]}


def _inbox(title: str, entry_id: str) -> Json:
    card = {"type": "custom:virtual-sms-card", "config_entry_id": entry_id}
    return {"type": "grid", "cards": [{**card, "title": title}]}


def _section(title: str, entities: dict[str, str]) -> Json:
    # The heading names the number already; the message may be long.
    tiles: list[Json] = [
        {"type": "tile", "entity": entities[key], "name": {"type": "entity"}}
        for key in _TILES
    ]
    tiles[0]["grid_options"] = {"columns": "full"}
    history = {
        "type": "logbook",
        "target": {"entity_id": [entities["message"], entities["delivery"]]},
        "hours_to_show": 1,
    }
    return _grid(title, "mdi:phone-message", [*tiles, history])
