"""Show a helper what they need to know of a number, and nothing that is private.

Everything here is chosen, not redacted: what nobody thought of stays inside.
"""

from datetime import timedelta
from importlib import metadata
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util

from .adapters import ADAPTERS
from .adapters.errors import SmsError
from .adapters.models import CallbackUrls
from .callbacks.public_url import async_has_secure_url, async_has_subscription
from .const import DOMAIN, OPTION_GREETING
from .entry_data import EntryData
from .issues import Problem, async_has_issue
from .runtime import Runtime, VirtualSmsConfigEntry
from .store.database import CANNOT_WRITE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .coordinator import VirtualSmsCoordinator
    from .store.store import Store

_MOST_KEPT = 4
_NAME = re.compile(r"[\w.-]+")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> dict[str, Any]:
    """Return what is known of a number; of one that does not run, what is set up."""
    integration = await async_get_integration(hass, DOMAIN)
    diagnostics: dict[str, Any] = {
        "entry": _describe_entry(entry),
        "callbacks": _describe_callbacks(hass, entry),
        "problems": _list_problems(hass, entry),
        "libraries": await hass.async_add_executor_job(
            _list_versions, integration.requirements
        ),
    }
    if entry.state is ConfigEntryState.LOADED:
        diagnostics |= await _async_describe_runtime(entry.runtime_data)
    return diagnostics


def _describe_entry(entry: VirtualSmsConfigEntry) -> dict[str, Any]:
    data = EntryData.of(entry)
    adapter = ADAPTERS[data.provider]
    return {
        "provider": data.provider,
        "mode": data.mode,
        "state": entry.state.value,
        "options": _describe_options(entry),
        # The names of the fields show the kind of key, and none of it.
        "credentials": sorted(data.credentials),
        "capabilities": [each.name for each in adapter.capabilities],
    }


def _describe_options(entry: VirtualSmsConfigEntry) -> dict[str, Any]:
    """Return the options; of a text, which is a person's own, only that there is one."""
    options = dict(entry.options)
    if OPTION_GREETING in options:
        options[OPTION_GREETING] = bool(options[OPTION_GREETING])
    return options


def _describe_callbacks(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> dict[str, Any]:
    data = EntryData.of(entry)
    return {
        "scheme": urlsplit(data.callback_url).scheme if data.callback_url else None,
        "home_has_cloud": async_has_subscription(hass),
        "home_has_https": async_has_secure_url(hass),
        "replaced_another_url": data.previous_callbacks not in {None, CallbackUrls()},
    }


def _list_problems(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> list[Problem]:
    return [each for each in Problem if async_has_issue(hass, entry, each)]


def _list_versions(requirements: Iterable[str]) -> dict[str, str | None]:
    names = [match[0] for each in requirements if (match := _NAME.match(each))]
    return {name: _find_version(name) for name in names}


def _find_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


async def _async_describe_runtime(runtime: Runtime) -> dict[str, Any]:
    return {
        "unreadable_records": [
            {"id": _shorten(each.record_id), "since": each.since.date().isoformat()}
            for each in runtime.coordinator.unreadable
        ],
        "asynchronous_library": runtime.gateway.line.adapter.is_asynchronous,
        "callback_answers": {
            str(status): count for status, count in sorted(runtime.answers.items())
        },
        "callback_refusals": dict(sorted(runtime.refusals.items())),
        "coordinator": _describe_coordinator(runtime.coordinator),
        "store": await _async_describe_store(runtime.gateway.store),
    }


async def _async_describe_store(store: Store) -> dict[str, Any]:
    """Return what is known of a store, and why no more of a disk that fails."""
    tally = store.tally
    counts = {
        "sent": tally.sent,
        "received": tally.received,
        "failed": tally.failed,
        "pending": tally.pending,
    }
    try:
        health = await store.examine()
    except CANNOT_WRITE as err:
        return {**counts, "error": type(err).__name__}
    age = _count_minutes(health.oldest_pending)
    return {"schema": health.schema, "oldest_pending_minutes": age, **counts}


def _describe_coordinator(coordinator: VirtualSmsCoordinator) -> dict[str, Any]:
    interval = coordinator.update_interval
    cause = coordinator.last_exception and coordinator.last_exception.__cause__
    checked = coordinator.last_update_success_time
    age = dt_util.utcnow() - checked if checked else None
    return {
        "last_update_success": coordinator.last_update_success,
        "minutes_since_success": _count_minutes(age),
        "interval_seconds": interval and interval.total_seconds(),
        "error": cause.code if isinstance(cause, SmsError) else None,
        "provider_error": (
            cause.provider_code if isinstance(cause, SmsError) else None
        ),
        "has_credit": coordinator.has_credit,
        "side_errors": coordinator.side_errors,
    }


def _shorten(record_id: str) -> str:
    """Keep as much of an id as its owner needs to find it."""
    kept = min(_MOST_KEPT, len(record_id) // 2)
    return "…" + record_id[len(record_id) - kept :]


def _count_minutes(age: timedelta | None) -> int | None:
    return None if age is None else age // timedelta(minutes=1)
