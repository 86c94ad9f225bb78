"""Check that every JSON and YAML file of the project can be read.

Nothing else would tell before Home Assistant does, and Home Assistant takes the
last of two equal keys without a word.
"""

from __future__ import annotations

import json
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent


class TaggedLoader(yaml.SafeLoader):
    """Knows Home Assistant's tags (!input, !secret) and refuses equal keys."""


def main() -> None:
    """Exit with 1, naming each file that cannot be read."""
    paths = sorted(data_files(ROOT))
    if problems := [problem for path in paths if (problem := find_problem(path))]:
        sys.exit("\n".join(problems))
    print(f"{len(paths)} JSON and YAML files are well-formed")


def is_ours(folder: str) -> bool:
    """Say whether a folder may hold files of this project's own."""
    return folder == ".github" or (folder[0] != "." and folder != "node_modules")


def data_files(root: Path) -> Iterator[Path]:
    """Find the data files, leaving out what the commands have made."""
    for folder, folders, names in root.walk():
        folders[:] = [name for name in folders if is_ours(name)]
        yield from (folder / name for name in names if Path(name).suffix in READERS)


def find_problem(path: Path) -> str | None:
    """Return why a file cannot be read, None if it can."""
    try:
        READERS[path.suffix](path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as err:
        return f"{path}: {err}"
    return None


def _read_json(text: str) -> None:
    json.loads(text, object_pairs_hook=_unique_keys)


def _read_yaml(text: str) -> None:
    for _document in yaml.load_all(text, TaggedLoader):
        pass


def _unique_keys(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    keys = [key for key, _value in pairs]
    if repeated := {str(key) for key in keys if keys.count(key) > 1}:
        message = f"repeated: {', '.join(sorted(repeated))}"
        raise ValueError(message)
    return dict(pairs)


def _construct_mapping(loader: TaggedLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    return _unique_keys(loader.construct_pairs(node, deep=True))


def _construct_tagged(_loader: TaggedLoader, _tag: str, node: yaml.Node) -> yaml.Node:
    return node


TaggedLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
TaggedLoader.add_multi_constructor("!", _construct_tagged)

READERS: dict[str, Callable[[str], None]] = {
    ".json": _read_json,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}

if __name__ == "__main__":
    main()
