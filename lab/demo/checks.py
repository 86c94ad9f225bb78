"""What the demo checks, said as it happens."""

import asyncio
from collections.abc import Callable

from ..home import HomeError

_TIMEOUT = 30.0


class Checks:
    """Count what was checked, and say it as it happens."""

    def __init__(self) -> None:
        """Start at zero."""
        self.passed = 0

    def check(self, what: str, passed: object, found: object = "") -> None:
        """Note a check; a failed one ends the demo."""
        if not passed:
            raise HomeError(f"not so: {what} (found: {found})")
        self.passed += 1
        print(f"    ok  {what}", flush=True)

    async def wait[T](self, what: str, look: Callable[[], T]) -> T:
        """Note a check that may take a moment to come true."""
        found = look()
        try:
            async with asyncio.timeout(_TIMEOUT):
                while not found:
                    await asyncio.sleep(0.05)
                    found = look()
        except TimeoutError:
            pass
        self.check(what, found, "nothing in time")
        return found


def say(text: str) -> None:
    """Tell what happens now."""
    print(f"==> {text}", flush=True)
