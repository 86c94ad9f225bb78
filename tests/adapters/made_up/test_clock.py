"""The tests about time, run with the made-up provider."""

from tests.adapters.test_clock import *  # noqa: F403
