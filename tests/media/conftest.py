"""A home with a camera, an image and a local file."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, override

from homeassistant.components.camera import Camera
from homeassistant.components.image import ImageEntity
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)

from custom_components.virtual_sms.media import snapshots

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

CAMERA = "media-source://camera/camera.door"
IMAGE = "media-source://image/image.map"
LOCAL = "media-source://media_source/local/note.pdf"
PDF = b"%PDF-1.7\n%made up"


def draw(kind: str, width: int = 8, height: int = 6, **options: object) -> bytes:
    """Make a picture of a type."""
    made = BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, kind, **options)
    return made.getvalue()


def draw_noise() -> bytes:
    """Make a picture that is too large as it is: what cannot be compressed."""
    made = BytesIO()
    Image.effect_noise((2600, 2400), 90).save(made, "PNG", compress_level=1)
    return made.getvalue()


JPEG = draw("JPEG")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time for what is large."""
    monkeypatch.setattr(snapshots, "TIMEOUT", 120)


@dataclass
class Lens:
    """What the camera sees, or what is wrong with it."""

    picture: bytes | None = JPEG
    error: Exception | None = None
    wait: list[object] = field(default_factory=list)


class Door(Camera):
    """A camera that shows what it is told."""

    _attr_name = "Door"

    def __init__(self, lens: Lens) -> None:
        """Look through a lens."""
        super().__init__()
        self._lens = lens

    @override
    async def async_camera_image(
        self, width: int | None = None, height: int | None = None
    ) -> bytes | None:
        for each in self._lens.wait:
            await each.wait()  # type: ignore[attr-defined]
        if self._lens.error is not None:
            raise self._lens.error
        return self._lens.picture


class Map(ImageEntity):
    """An image that never changes."""

    _attr_name = "Map"
    _attr_content_type = "image/png"
    _attr_image_last_updated = dt_util.utcnow()

    @override
    async def async_image(self) -> bytes | None:
        return draw("PNG")


@pytest.fixture
def lens() -> Lens:
    """Return what the camera sees."""
    return Lens()


@pytest.fixture
async def camera(hass: HomeAssistant, lens: Lens, home_url: str) -> None:
    """Put a camera, an image and a file into the home."""

    async def add_door(_: object, __: object, add: object, ___: object = None) -> None:
        add([Door(lens)])  # type: ignore[operator]

    async def add_map(_: object, __: object, add: object, ___: object = None) -> None:
        add([Map(hass)])  # type: ignore[operator]

    folder = hass.config.path("media")
    await hass.async_add_executor_job(_write, folder)
    hass.config.media_dirs = {"local": folder}
    mock_integration(hass, MockModule("test"))
    mock_platform(hass, "test.camera", MockPlatform(async_setup_platform=add_door))
    mock_platform(hass, "test.image", MockPlatform(async_setup_platform=add_map))
    for domain in ("camera", "image"):
        assert await async_setup_component(hass, domain, {domain: {"platform": "test"}})
    assert await async_setup_component(hass, "media_source", {})
    await hass.async_block_till_done()


def _write(folder: str) -> None:
    from pathlib import Path

    Path(folder).mkdir()
    (Path(folder) / "note.pdf").write_bytes(PDF)
