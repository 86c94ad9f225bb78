"""A third provider takes a folder and a line, and keeps every promise it makes.

The tests are those of the suite itself, run with the key of this folder. What the
provider has no capability for is skipped, and nothing else.
"""

from tests.adapters.test_conformance import *  # noqa: F403
