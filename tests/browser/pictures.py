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


@dataclass
class Album:
    """Pictures taken, in a folder."""

    folder: Path
    taken: set[str] = field(default_factory=set)

    async def take(self, page: Page, name: str, around: Locator | None = None) -> None:
        """Take a picture of the page, or of what stands around a part of it."""
        clip = None
        if around is not None:
            clip = _around(await around.bounding_box(), page)
        await page.mouse.move(0, 0)
        path = self.folder / f"{name}.png"
        await page.screenshot(
            path=path, clip=clip, animations="disabled", caret="hide", scale="css"
        )
        _squeeze(path)
        self.taken.add(name)


def _around(box: FloatRect | None, page: Page) -> FloatRect:
    """Return the box with a margin, as far as the window reaches."""
    window = page.viewport_size
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
