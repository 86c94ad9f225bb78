"""Take the README's pictures: small, of the same size everywhere, without a pointer."""

from dataclasses import dataclass, field
from pathlib import Path
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import FloatRect, Locator, Page

_MARGIN = 12
_COLOURS = "128"
_SETTLING = 600.0


@dataclass
class Album:
    """Pictures taken, in a folder."""

    folder: Path
    taken: set[str] = field(default_factory=set)

    async def take(
        self, page: Page, name: str, around: Locator | None = None, height: int = 0
    ) -> None:
        """Take a picture of the page, or of what stands around a part of it.

        For what is higher than the window, the window grows for a moment.
        """
        window = page.viewport_size
        assert window
        if height:
            await page.set_viewport_size({"width": window["width"], "height": height})
            await page.wait_for_timeout(_SETTLING)
        await page.mouse.move(0, 0)
        clip = await _frame(page, around) if around is not None else None
        path = self.folder / f"{name}.png"
        await page.screenshot(
            path=path, clip=clip, animations="disabled", caret="hide", scale="css"
        )
        await page.set_viewport_size(window)
        _squeeze(path)
        self.taken.add(name)


async def _frame(page: Page, part: Locator) -> FloatRect:
    """Return a part of the page with a margin, as far as the window reaches."""
    box, window = await part.bounding_box(), page.viewport_size
    assert box, "it cannot be seen"
    assert window
    left, top = max(0, box["x"] - _MARGIN), max(0, box["y"] - _MARGIN)
    right = min(window["width"], box["x"] + box["width"] + _MARGIN)
    bottom = min(window["height"], box["y"] + box["height"] + _MARGIN)
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _squeeze(path: Path) -> None:
    """Make a picture smaller where the system has the programs for it."""
    if pngquant := shutil.which("pngquant"):
        command = (pngquant, "--force", "--strip", "--skip-if-larger", _COLOURS)
        # It ends with 98 when the result would be larger, and leaves the file alone.
        subprocess.run((*command, "--output", path, path), check=False)
    if optipng := shutil.which("optipng"):
        subprocess.run((optipng, "-quiet", path), check=True)
