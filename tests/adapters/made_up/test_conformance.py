"""A third provider takes a folder and a line, and keeps every promise it makes.

The tests are those of the suite itself, run with the key of this folder. What the
provider has no capability for is skipped, and nothing else.
"""

import ast
import inspect

from tests.adapters.test_conformance import *  # noqa: F403

from . import adapter as made_up


def test_it_is_short() -> None:
    """The least that an adapter has to say is about sixty statements."""
    tree = ast.parse(inspect.getsource(made_up))
    said = [each for each in ast.walk(tree) if isinstance(each, ast.stmt)]
    imports = (ast.Import, ast.ImportFrom)
    assert sum(not isinstance(each, imports) for each in said) <= 65
