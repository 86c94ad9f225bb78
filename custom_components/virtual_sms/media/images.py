"""Make a file fit for a picture message: of a type and a size that phones take."""

from enum import StrEnum
from io import BytesIO
from typing import Final

from ..core.attachments import LARGEST
from ..core.content_type import find_content_type

LARGEST_SOURCE: Final = 25_000_000
"""Bytes of a picture that is made smaller."""
_READY: Final = frozenset({"image/jpeg", "image/png", "image/gif"})
_LONGEST_SIDE: Final = 1600
_MOST_PIXELS: Final = 50_000_000
_QUALITY: Final = 85


class Unfit(StrEnum):
    """Why a file cannot travel."""

    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    UNAVAILABLE = "unavailable"
    UNREADABLE = "unreadable"


class UnfitError(Exception):
    """A file that cannot travel."""

    def __init__(self, reason: Unfit) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


def fit(data: bytes) -> tuple[bytes, str]:
    """Return a file that may travel and its type, or raise UnfitError; takes a while.

    What is there is looked at, whatever it is called. Pictures that are too large, or
    that phones do not show, become JPEG.
    """
    kind = find_content_type(data)
    if len(data) > LARGEST_SOURCE:
        raise UnfitError(Unfit.TOO_LARGE)
    if kind is None:
        raise UnfitError(Unfit.UNREADABLE)
    if kind.startswith("image/") and (kind not in _READY or len(data) > LARGEST):
        return _convert(data), "image/jpeg"
    if len(data) > LARGEST:
        raise UnfitError(Unfit.TOO_LARGE)
    return data, kind


def _convert(data: bytes) -> bytes:
    from PIL import Image

    made = BytesIO()
    try:
        with Image.open(BytesIO(data)) as image:
            _check_pixels(image.width, image.height)
            image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            image.convert("RGB").save(made, "JPEG", quality=_QUALITY)
    except UnfitError:
        raise
    # A broken picture makes the library raise nearly anything.
    except Exception as err:
        raise UnfitError(Unfit.UNREADABLE) from err
    return made.getvalue()


def _check_pixels(width: int, height: int) -> None:
    """Refuse what is small as a file, and fills the memory when it is opened."""
    if width * height > _MOST_PIXELS:
        raise UnfitError(Unfit.TOO_LARGE)
