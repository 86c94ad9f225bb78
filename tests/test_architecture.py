"""The layers, the budgets and the names, as CONTRIBUTING.md promises them."""

import ast
from collections.abc import Iterator
from pathlib import Path
import statistics
import sys

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "custom_components" / "virtual_sms"
ADAPTERS = PRODUCT / "adapters"
SIMULATOR = ROOT / "simulator"

CONTRACT = {
    "base",
    "elapsed",
    "errors",
    "http_headers",
    "models",
    "plain_text",
    "replaced_secret",
}
CORE = {
    "announcements",
    "announcer",
    "budget",
    "callbacks",
    "clock",
    "credit",
    "doorbell",
    "evidence",
    "gateway",
    "inbox",
    "journal",
    "journal_open",
    "ledger",
    "ledger_clock",
    "ledger_early",
    "ledger_forgotten",
    "ledger_inbound",
    "ledger_orders",
    "ledger_outbound",
    "ledger_page",
    "ledger_rows",
    "ledger_set_aside",
    "ledger_salvage",
    "line",
    "numbers",
    "outbox",
    "privacy",
    "reconciliation",
    "record_reader",
    "record_reading",
    "second_reading",
    "salvage",
    "segments",
    "side_question",
    "verdict",
}
PROVIDERS = ("twilio", "ovh")
SDKS = {"twilio", "ovh", "requests", "urllib3"}

CORE_FILES = [PRODUCT / f"{name}.py" for name in sorted(CORE)]
GLUE_FILES = [file for file in sorted(PRODUCT.glob("*.py")) if file.stem not in CORE]
ADAPTER_FILES = sorted(ADAPTERS.glob("*.py"))
PRODUCT_FILES = sorted(PRODUCT.rglob("*.py"))
SIMULATOR_FILES = sorted(SIMULATOR.glob("*.py"))

LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def parse(file: Path) -> ast.Module:
    """Read a module."""
    return ast.parse(file.read_text("utf-8"), file)


def name(file: Path) -> str:
    """Name a test case after its module."""
    return file.relative_to(ROOT).as_posix()


def find_imports(tree: ast.AST) -> Iterator[str]:
    """List what is imported: "json", ".models", "." and what is taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield source
            if source.endswith("."):
                yield from (source + alias.name for alias in node.names)


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


def find_words(tree: ast.Module) -> Iterator[str]:
    """List names and strings, but no docstrings: those may explain."""
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
    yield from find_imports(tree)


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


@pytest.mark.parametrize("file", CORE_FILES, ids=name)
def test_core_imports_the_contract_and_itself(file: Path) -> None:
    """Policy knows no provider by name and no Home Assistant."""
    allowed = {f".{module}" for module in CORE} | {
        f".adapters.{module}" for module in CONTRACT
    }
    for module in find_imports(parse(file)):
        assert is_standard(module) or module in allowed | {"phonenumbers"}, module


@pytest.mark.parametrize("file", ADAPTER_FILES, ids=name)
def test_adapters_import_nothing_of_ours(file: Path) -> None:
    """They are a library in waiting."""
    siblings = {f".{each.stem}" for each in ADAPTER_FILES} | {"."}
    for module in find_imports(parse(file)):
        known = is_standard(module) or module in siblings
        assert known or module.partition(".")[0] in {"aiohttp"} | SDKS, module


@pytest.mark.parametrize("file", ADAPTER_FILES, ids=name)
def test_no_sdk_is_loaded_before_it_is_needed(file: Path) -> None:
    """A provider nobody configured costs nothing at the start."""
    eager = Eager().visit(parse(file))
    for module in find_imports(eager):
        assert module.partition(".")[0] not in SDKS, module


@pytest.mark.parametrize(
    "file", [each for each in ADAPTER_FILES if each.stem in CONTRACT], ids=name
)
def test_the_contract_imports_no_provider(file: Path) -> None:
    """It is what all providers have in common."""
    for module in find_imports(parse(file)):
        ours = {f".{each}" for each in CONTRACT} | {"aiohttp"}
        assert is_standard(module) or module in ours, module


@pytest.mark.parametrize("file", PRODUCT_FILES, ids=name)
def test_nobody_imports_the_package_itself(file: Path) -> None:
    """What two modules share has a module of its own."""
    root = "." if file.parent == PRODUCT else ".."
    for module in find_imports(parse(file)):
        assert module != root or file.parent == ADAPTERS, module
        assert not module.startswith(("..", "custom_components")), module


@pytest.mark.parametrize("file", GLUE_FILES, ids=name)
def test_glue_reaches_providers_by_their_table_only(file: Path) -> None:
    """A third provider is a line in that table, not a branch here."""
    allowed = {".adapters"} | {f".adapters.{module}" for module in CONTRACT}
    for module in find_imports(parse(file)):
        assert not module.startswith(".adapters") or module in allowed, module


@pytest.mark.parametrize("file", CORE_FILES + GLUE_FILES, ids=name)
def test_no_provider_is_named_outside_its_adapter(file: Path) -> None:
    """Only the flow has a step for each provider, as its contract says."""
    for word in find_words(parse(file)):
        if any(provider in word.lower() for provider in PROVIDERS):
            assert file.stem == "config_flow", word
            assert word.removeprefix("async_step_") in PROVIDERS, word


@pytest.mark.parametrize("file", SIMULATOR_FILES, ids=name)
def test_the_simulator_shares_no_code_with_the_product(file: Path) -> None:
    """What both got wrong would prove nothing."""
    for module in find_imports(parse(file)):
        assert module.partition(".")[0] not in {"custom_components", "tests"}, module


@pytest.mark.parametrize("file", PRODUCT_FILES, ids=name)
def test_the_product_shares_no_code_with_the_simulator(file: Path) -> None:
    """Nor with the tests."""
    for module in find_imports(parse(file)):
        assert module.partition(".")[0] not in {"simulator", "tests"}, module


@pytest.mark.parametrize("file", PRODUCT_FILES + SIMULATOR_FILES, ids=name)
def test_files_stay_short(file: Path) -> None:
    """A file is read in one sitting."""
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    assert "TO" + "DO" not in text
    assert "FIX" + "ME" not in text


@pytest.mark.parametrize("files", [PRODUCT_FILES, SIMULATOR_FILES], ids=["ours", "sim"])
def test_functions_stay_short(files: list[Path]) -> None:
    """Most fit into a glance, none is longer than a page."""
    lengths = measure_functions(files)
    ordered = sorted(lengths.values())
    assert {
        each: size for each, size in lengths.items() if size > LONGEST_FUNCTION
    } == {}
    assert statistics.median(ordered) <= 10
    assert ordered[len(ordered) * 9 // 10] <= 30
