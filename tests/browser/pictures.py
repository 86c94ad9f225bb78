"""Take the README's pictures: small, of the same size everywhere, without a pointer."""

from dataclasses import dataclass, field
import hashlib
import json
from pathlib import Path
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

from lab.home import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import FloatRect, Locator, Page

_MARGIN = 12
_COLOURS = "128"
_PAUSE = 100.0
_TIMEOUT = 20.0

# What of translations/en.json can be read on which picture. The phones have no texts
# of ours but those of the simulator's page.
SHOWN: Mapping[str, tuple[str, ...]] = {
    "action": ("services.send_message",),
    "card": (),
    "callbacks": ("config.step.callbacks", "selector.mode"),
    "dashboard": ("entity.*.*.name", "entity.*.*.state"),
    "device": ("entity.*.*.name", "entity.*.*.state", "common"),
    "handset": (),
    "options": ("options.step.init", "selector.mode", "selector.privacy"),
    "ovh-click": ("config.step.authorize", "config.progress.authorize"),
    "ovh-credentials": ("config.step.ovh",),
    "ovh-number": ("config.step.number",),
    "provider": ("config.step.user",),
    "twilio-credentials": ("config.step.twilio",),
    "twilio-number": ("config.step.number",),
    "twilio-wrong-token": ("config.step.twilio", "config.error.invalid_auth"),
}
TEXTS = PROJECT / "custom_components" / "virtual_sms" / "translations" / "en.json"
RECORD = Path(__file__).with_name("pictures.json")


@dataclass
class Album:
    """Pictures taken in a folder, and the record of what could be read on them."""

    folder: Path
    record: Path
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
        await page.mouse.move(0, 0)
        await wait_until_still(page, around)
        clip = await _frame(page, around) if around is not None else None
        path = self.folder / f"{name}.png"
        await page.screenshot(
            path=path, clip=clip, animations="disabled", caret="hide", scale="css"
        )
        await page.set_viewport_size(window)
        _squeeze(path)
        self.taken.add(name)

    def conclude(self) -> None:
        """Note which texts the pictures show, once all have been taken."""
        marks = fingerprints(json.loads(TEXTS.read_text(encoding="utf-8")))
        self.record.write_text(json.dumps(marks, indent=2) + "\n", encoding="utf-8")


async def wait_until_still(page: Page, part: Locator | None = None) -> None:
    """Wait until two looks in a row are alike: dialogs slide in, sections unfold.

    What never rests, such as a clock, is given up on after a while.
    """
    end = time.monotonic() + _TIMEOUT
    before, now = None, await _look(page, part)
    while now != before and time.monotonic() < end:
        await page.wait_for_timeout(_PAUSE)
        before, now = now, await _look(page, part)


async def _look(page: Page, part: Locator | None) -> tuple[FloatRect | None, bytes]:
    """See where a part is, and what the page would show once all animations end."""
    box = await part.bounding_box() if part is not None else None
    look = await page.screenshot(
        animations="disabled", caret="hide", type="jpeg", quality=50
    )
    return box, look


def fingerprints(texts: Mapping[str, Any]) -> dict[str, str]:
    """Return for each picture a mark that changes with the texts on it."""
    return {
        name: hashlib.sha256(
            json.dumps([_find(texts, path) for path in paths], sort_keys=True).encode()
        ).hexdigest()[:16]
        for name, paths in SHOWN.items()
    }


def _find(texts: Any, path: str) -> Any:
    """Return what stands at a path; a star is for every key, where it leads on."""
    key, _, rest = path.partition(".")
    if key == "*":
        return [_find(texts[each], rest) for each in sorted(texts)]
    below = texts.get(key)
    return _find(below, rest) if rest else below


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
