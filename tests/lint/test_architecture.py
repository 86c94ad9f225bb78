"""The layers, the budgets and the names, as CONTRIBUTING.md promises them.

Folders are checked, not lists of names: a module is held to the rules of the room in
which it lies.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
import statistics
import sys

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "custom_components" / "virtual_sms"
SIMULATOR = ROOT / "simulator"
LAB = ROOT / "lab"

FLOORS = {"adapters": 0, "store": 1, "core": 2}
"""The folders that know nothing of Home Assistant, from the ground up."""
GLUE = 3
"""All else: the top, and the folders that are the glue's own."""
GLUE_ROOMS = {
    "actions",
    "callbacks",
    "entities",
    "flows",
    "media",
    "monitoring",
    "people",
    "replies",
}
CONTRACT = {
    each.stem for each in (PRODUCT / "adapters").glob("*.py") if each.stem != "__init__"
}
"""What all providers have in common, and what a layer above may know of adapters."""
SDKS = {"twilio", "ovh", "requests", "urllib3"}
OUTSIDE = {
    "adapters": {"aiohttp", "yarl"},
    "store": set(),
    "core": {"phonenumbers", "pyotp", "regex"},
}
"""What a folder without Home Assistant takes from elsewhere, besides Python's own."""

PRODUCT_FILES = sorted(PRODUCT.rglob("*.py"))
ADAPTER_FILES = sorted((PRODUCT / "adapters").rglob("*.py"))
ABOVE_ADAPTERS = [each for each in PRODUCT_FILES if each not in ADAPTER_FILES]
SIMULATOR_FILES = sorted(SIMULATOR.rglob("*.py"))
PROVIDERS = sorted(
    each.name
    for each in (PRODUCT / "adapters").iterdir()
    if (each / "__init__.py").exists()
)

LONGEST_FILE, LONGEST_FUNCTION = 400, 60
MEDIAN_FUNCTION, NINE_IN_TEN = 8, 24


def read(file: Path) -> ast.Module:
    """Read a module."""
    return ast.parse(file.read_text("utf-8"), file)


parse = cache(read)
"""For whoever leaves it as it is."""


def pairs[T](
    files: list[Path], find: Callable[[Path], Iterable[T]]
) -> Iterator[tuple[Path, T]]:
    """List each file with each of what is found in it.

    A test for each file would take more time to collect than to run.
    """
    assert files
    for file in files:
        yield from ((file, each) for each in find(file))


def name(file: Path) -> str:
    """Name a module for whoever reads a failure."""
    return file.relative_to(ROOT).as_posix()


def dotted(file: Path) -> str:
    """Return the name a module is imported by."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room(file: Path) -> str:
    """Return the folder of the package that a module lies in; "" at the top."""
    parts = file.relative_to(PRODUCT).parts
    return parts[0] if len(parts) > 1 else ""


def floor(room: str) -> int:
    """Say how high a folder lies."""
    return FLOORS.get(room, GLUE)


def find_imports(file: Path, tree: ast.AST) -> Iterator[str]:
    """List what is imported, by full names: modules, and what is taken from them."""
    package = dotted(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{source}.{alias.name}" for alias in node.names]
            yield from names
            if not all(map(_file_of, names)):
                yield source


@cache
def list_imports(file: Path) -> tuple[str, ...]:
    """List all that a module imports."""
    return (*find_imports(file, parse(file)),)


def find_own(file: Path) -> set[Path]:
    """List the modules of the package that a module imports."""
    return {
        target
        for module in list_imports(file)
        if module.startswith(f"{dotted(PRODUCT / '__init__.py')}.")
        and (target := _file_of(module)) is not None
    }


def _file_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file
    return None


def draw(folder: Path, *, types: bool) -> Mapping[Path, set[Path]]:
    """Draw the arrows between the modules of a folder, those of types included or not."""
    files = set(folder.rglob("*.py"))
    return {
        file: {
            target
            for module in find_imports(
                file, parse(file) if types else Eager().visit(read(file))
            )
            if (target := _file_of(module)) in files and target != file
        }
        for file in files
    }


class Eager(ast.NodeTransformer):
    """Leave of a module what runs when it is imported."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Drop what only a type checker reads."""
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node

    def visit_FunctionDef(self, node: ast.AST) -> None:
        """Drop what runs when it is called."""

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815


def is_standard(module: str) -> bool:
    """Say whether a module comes with Python."""
    return module.partition(".")[0] in sys.stdlib_module_names


def find_words(file: Path) -> Iterator[str]:
    """List names and strings, but no docstrings: those may explain."""
    tree = parse(file)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for before, node in zip([None, *tree.body], tree.body, strict=False):
        # A string after an assignment is its docstring.
        if isinstance(node, ast.Expr) and isinstance(
            before, ast.Assign | ast.AnnAssign
        ):
            docstrings.add(node.value)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if node not in docstrings:
                yield text
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text):
                yield text
            case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text):
                yield text
            case ast.ClassDef(name=text):
                yield text
    yield from find_imports(file, tree)


def measure_functions(files: list[Path]) -> dict[str, int]:
    """Count the lines of each function, decorators and docstring not among them."""
    return {
        f"{name(file)}:{node.lineno} {node.name}": _measure(node)
        for file in files
        for node in ast.walk(parse(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _measure(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) and len(node.body) > 1:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_the_rooms_are_the_ones_that_are_drawn() -> None:
    """A new folder is a decision: CONTRIBUTING.md shows them all."""
    rooms = {room(file) for file in PRODUCT_FILES}
    assert rooms == {"", *FLOORS, *GLUE_ROOMS}
    drawing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert all(f"{each}/" in drawing for each in rooms if each)


def test_imports_go_down_only() -> None:
    """Glue, core, store, adapters: no module knows of a layer above its own."""
    for file, target in pairs(PRODUCT_FILES, find_own):
        assert floor(room(target)) <= floor(room(file)), (name(file), name(target))


@pytest.mark.parametrize(
    "folder", [PRODUCT, SIMULATOR, LAB], ids=lambda each: each.name
)
def test_no_circle(folder: Path) -> None:
    """What is imported in a circle can only be read all at once.

    In the product types do not count: that of an entry names all that hangs on it.
    """
    try:
        TopologicalSorter(draw(folder, types=folder != PRODUCT)).prepare()
    except CycleError as err:
        pytest.fail(" -> ".join(name(each) for each in err.args[1]))


def test_the_rooms_of_the_glue_form_no_circle() -> None:
    """One room can be read after the other. The top is no room: it opens them all."""
    arrows: dict[str, set[str]] = {each: set() for each in GLUE_ROOMS}
    for file in PRODUCT_FILES:
        if room(file) in GLUE_ROOMS:
            arrows[room(file)] |= {room(each) for each in find_own(file)} & GLUE_ROOMS
            arrows[room(file)].discard(room(file))
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as err:
        pytest.fail(" -> ".join(err.args[1]))


def test_what_is_not_glue_knows_no_home_assistant() -> None:
    """Policy, storage and adapters are pure: a clock and a disk are given to them."""
    pure = [each for each in PRODUCT_FILES if room(each) in FLOORS]
    for file, module in pairs(pure, list_imports):
        allowed = OUTSIDE[room(file)] | (SDKS if room(file) == "adapters" else set())
        root = module.partition(".")[0]
        known = is_standard(root) or root in {"custom_components", *allowed}
        assert known, (name(file), module)


def test_providers_are_reached_by_their_table_only() -> None:
    """A third provider is a line in that table, not a branch elsewhere."""
    known = {PRODUCT / "adapters" / f"{each}.py" for each in CONTRACT}
    table = PRODUCT / "adapters" / "__init__.py"
    for file, target in pairs(ABOVE_ADAPTERS, find_own):
        if target == table and floor(room(file)) == GLUE:
            continue
        reached = room(target) == "adapters" and target not in known
        assert not reached, (name(file), name(target))


def test_adapters_know_the_contract_and_themselves() -> None:
    """They are a library in waiting, and no provider knows of another."""
    for file, target in pairs(ADAPTER_FILES, find_own):
        contract = target.parent.name == "adapters" and target.stem in CONTRACT
        registry = file == PRODUCT / "adapters" / "__init__.py"
        own = target.parent == file.parent
        assert contract or registry or own, (name(file), name(target))


def test_no_sdk_is_loaded_before_it_is_needed() -> None:
    """A provider nobody configured costs nothing at the start."""
    for file in ADAPTER_FILES:
        for module in find_imports(file, Eager().visit(read(file))):
            assert module.partition(".")[0] not in SDKS, (name(file), module)


def test_nobody_imports_the_package_itself() -> None:
    """What two modules share has a module of its own, and a relative name."""
    for file in PRODUCT_FILES:
        assert PRODUCT / "__init__.py" not in find_own(file), name(file)
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                module = node.module or ""
                assert not module.startswith("custom_components"), name(file)


def test_no_provider_is_named_outside_its_adapter() -> None:
    """Only the flow has a step for each provider, as its contract says."""
    for file, word in pairs(ABOVE_ADAPTERS, find_words):
        if any(provider in word.lower() for provider in PROVIDERS):
            assert file.stem == "config_flow", (name(file), word)
            assert word.removeprefix("async_step_") in PROVIDERS, word


def test_the_simulator_shares_no_code_with_the_product() -> None:
    """What both got wrong would prove nothing."""
    for file, module in pairs(SIMULATOR_FILES, list_imports):
        root = module.partition(".")[0]
        assert root not in {"custom_components", "tests"}, (name(file), module)


def test_the_product_shares_no_code_with_the_simulator() -> None:
    """Nor with the tests."""
    for file, module in pairs(PRODUCT_FILES, list_imports):
        root = module.partition(".")[0]
        assert root not in {"simulator", "tests", "lab"}, (name(file), module)


def test_files_stay_short() -> None:
    """A file is read in one sitting."""
    for file in PRODUCT_FILES + SIMULATOR_FILES:
        text = file.read_text("utf-8")
        assert len(text.splitlines()) <= LONGEST_FILE, name(file)
        assert "TO" + "DO" not in text, name(file)
        assert "FIX" + "ME" not in text, name(file)


@pytest.mark.parametrize("files", [PRODUCT_FILES, SIMULATOR_FILES], ids=["ours", "sim"])
def test_functions_stay_short(files: list[Path]) -> None:
    """Most fit into a glance, none is longer than a page."""
    lengths = measure_functions(files)
    ordered = sorted(lengths.values())
    assert {
        each: size for each, size in lengths.items() if size > LONGEST_FUNCTION
    } == {}
    assert statistics.median(ordered) <= MEDIAN_FUNCTION
    assert ordered[len(ordered) * 9 // 10] <= NINE_IN_TEN
