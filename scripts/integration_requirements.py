"""Print what Home Assistant would install for some integrations, as pip requirements.

Home Assistant installs the requirements of an integration when it loads it, which
makes a first start slow, needs the network at a bad moment, and does not happen in
tests. The manifests in the installed package say the same beforehand, in the versions
that belong to that very release, so no list is kept by hand.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import re
from typing import TYPE_CHECKING, Any

from homeassistant import bootstrap, components, requirements
from homeassistant.auth.mfa_modules import totp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BUILT_IN = Path(components.__path__[0])
CUSTOM = Path(__file__).resolve().parent.parent / "custom_components"

# What every Home Assistant sets up without being asked.
DEFAULT = bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS

# Onboarding sets these up by itself, as config entries (onboarding/views.py).
ONBOARDING = {"google_translate", "met", "radio_browser", "shopping_list"}

# Built from source, with a compiler. Nobody speaks to a Home Assistant of ours, so it
# starts without them: hass --skip-pip-packages.
SKIPPED = {"pymicro-vad", "pyspeex-noise"}

UPPER_BOUND = re.compile(r",<[^,]+")


def main() -> None:
    """Print the requirements of integrations and of all that they depend on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("integration", nargs="+")
    parser.add_argument(
        "--first-start",
        action="store_true",
        help="add what every Home Assistant sets up, and its onboarding",
    )
    parser.add_argument(
        "--unbounded",
        action="store_true",
        help="leave out upper bounds: what is newer than we allow",
    )
    arguments = parser.parse_args()
    wanted = set(arguments.integration)
    found = set[str]()
    if arguments.first_start:
        wanted |= DEFAULT | ONBOARDING
        found.update(totp.REQUIREMENTS)
    found.update(_requirements(wanted))
    if arguments.unbounded:
        found = {UPPER_BOUND.sub("", each) for each in found}
    print("\n".join(sorted(found)))


def _requirements(domains: Iterable[str]) -> Iterator[str]:
    for manifest in _manifests(domains):
        for requirement in manifest.get("requirements", []):
            if requirement.partition("==")[0].lower() not in SKIPPED:
                yield requirement


def _manifests(domains: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Walk the dependencies as Home Assistant's requirements manager does."""
    todo, seen = list(domains), set[str]()
    while todo:
        domain = todo.pop()
        if domain in seen or (manifest := _manifest(domain)) is None:
            continue
        seen.add(domain)
        yield manifest
        todo += manifest.get("dependencies", [])
        todo += manifest.get("after_dependencies", [])
        todo += (
            discovery
            for discovery, keys in requirements.DISCOVERY_INTEGRATIONS.items()
            if any(key in manifest for key in keys)
        )


def _manifest(domain: str) -> dict[str, Any] | None:
    for folder in (CUSTOM, BUILT_IN):
        path = folder / domain / "manifest.json"
        if path.is_file():
            manifest: dict[str, Any] = json.loads(path.read_text())
            return manifest
    return None


if __name__ == "__main__":
    main()
