"""Limits under the same havoc: one number may send so much, and not one text more."""

from typing import Final

from .world import Json, Traffic, World

_FLOW: Final = "/api/config/config_entries/options/flow"
_NONE: Final = 1_000_000
_SOON: Final = 5
"""Seconds after which a number in haste polls again."""
PROMISES: Final = ("over limit",)
"""What must be zero."""


async def set_up(world: World, limited: Traffic, limit: int) -> None:
    """Let one number send so many segments, and all others any number."""
    limited.limit = limit
    for each in world.traffic:
        most = _NONE if each.limit is None else each.limit
        step = await world.home.ask("POST", _FLOW, {"handler": each.entry_id})
        limits = {
            "limit_hour": most,
            "limit_day": _NONE,
            "limit_repeats": _NONE,
        }
        options: Json = {"limits": limits}
        if world.haste > 1:
            options["poll_interval"] = _SOON
        await world.home.ask("POST", f"{_FLOW}/{step['flow_id']}", options)


def count(world: World) -> dict[str, int]:
    """Count what limits kept back, and what slipped past: each text is one segment."""
    limited = [each for each in world.traffic if each.limit is not None]
    refused = [text for each in limited for text in each.refused.values()]
    return {
        "limited": sum("limit" in each for each in refused),
        "over limit": sum(_count_over(world, each) for each in limited),
    }


def _count_over(world: World, traffic: Traffic) -> int:
    provider = world.simulator.providers[traffic.provider]
    told = {str(each["data"].get("provider_id")) for each in world.events()}
    # What was accepted twice is counted as that, not once more here. What a kill kept
    # from the disk nobody remembers, and nobody was told that it went.
    taken = {
        each.text
        for each in provider.messages
        if each.text in traffic.asked
        and (traffic.asked[each.text] or str(each.id) in told)
    }
    return max(len(taken) - (traffic.limit or 0), 0)
