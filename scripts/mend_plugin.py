"""Mend the test plugin of an environment for a newer Home Assistant than its own.

The plugin pins the Home Assistant that it was made from, and reaches into its private
names. What has moved since is put right here, in the environment only, so that tests
can run before the plugin follows. What is no longer found was mended by the plugin.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class Mend(NamedTuple):
    """A text in a file of the plugin, and what stands there instead."""

    file: str
    old: str
    new: str


MENDS = (
    # Since 2026.11: Home Assistant must be imported before whatever imports httpx.
    Mend("plugins.py", "\nimport respx\n", "\nimport homeassistant\nimport respx\n"),
    # Since 2026.11: the logger's helper lives in a module of its own.
    Mend(
        "common.py",
        "    _clear_logger_overwrites,\n)",
        ")\nfrom homeassistant.components.logger.helpers import _clear_logger_overwrites",
    ),
    # Since 2026.11: what was stored is found by the registry's id of its entity.
    Mend(
        "common.py",
        "    data.last_states = last_states\n",
        "    data.last_states = last_states\n"
        "    for entity_id, stored in last_states.items():\n"
        "        entry = er.async_get(hass).async_get(entity_id)\n"
        "        data.last_states_by_entity_registry_id[entry.id] = stored\n",
    ),
)


def mend(folder: Path) -> list[str]:
    """Replace each text that is found, and return the names of the files."""
    return [each.file for each in MENDS if _replace(folder / each.file, each)]


def _replace(path: Path, mend: Mend) -> bool:
    text = path.read_text("utf-8")
    if mend.old not in text or mend.new in text:
        return False
    path.unlink()  # The file may be shared with uv's cache: write one of our own.
    path.write_text(text.replace(mend.old, mend.new), "utf-8")
    return True


def main() -> None:
    """Mend the plugin of the interpreter that runs this, without importing it."""
    spec = find_spec("pytest_homeassistant_custom_component")
    if spec is None or spec.origin is None:
        raise SystemExit("The test plugin is not installed here")
    mended = mend(Path(spec.origin).parent)
    print(f"{len(mended)} places of the test plugin mended: {', '.join(mended)}")


if __name__ == "__main__":
    main()
