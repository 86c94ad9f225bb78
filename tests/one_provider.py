"""Run what is for each provider with one of them: half of the tests that take a home.

For Home Assistant's oldest release, which does not know of providers: what differs from
one to the other is tested on the newest. The adapters' own tests run all the same, as
each environment has another release of their SDKs.
"""

from collections import defaultdict
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest


def find_surplus(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests to leave out: each function keeps one provider, half of them each."""
    functions: dict[str, dict[str, list[pytest.Item]]] = defaultdict(dict)
    for item in items:
        provider = _provider_of(item)
        if provider is not None and "hass" in getattr(item, "fixturenames", ()):
            function = item.nodeid.partition("[")[0]
            functions[function].setdefault(provider, []).append(item)
    return [each for name, found in functions.items() for each in _drop(name, found)]


def _provider_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("provider") if callspec else None


def _drop(name: str, found: dict[str, list[pytest.Item]]) -> list[pytest.Item]:
    # The same in each process that runs tests, and in each run.
    kept = sorted(found)[crc32(name.encode()) % len(found)]
    return [item for each, items in found.items() if each != kept for item in items]
