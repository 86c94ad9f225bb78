"""Tell what a file is by what is in it: what a sender says of it proves nothing."""

import re
from typing import Final

_MAGIC: Final = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
)
"""Where a file says what it is, and how."""
_IN_A_RIFF: Final = frozenset({"image/webp", "audio/wav"})
_BRANDS: Final = (
    (b"heic", "image/heic"),
    (b"heix", "image/heic"),
    (b"mif1", "image/heic"),
    (b"avif", "image/avif"),
    (b"3g", "video/3gpp"),
    (b"M4A", "audio/mp4"),
    (b"qt", "video/quicktime"),
)
"""What the container of films holds, by the beginning of its brand; else it is one."""
_VCARD: Final = re.compile(rb"\s*BEGIN:VCARD\s", re.IGNORECASE)
_BOM: Final = b"\xef\xbb\xbf"
_SUFFIXES: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "audio/mpeg": "mp3",
    "text/vcard": "vcf",
    "video/3gpp": "3gp",
    "video/quicktime": "mov",
}


def find_content_type(data: bytes) -> str | None:
    """Return the type of a picture, a sound, a film, a vCard or a PDF; None for all else."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return next(
            (kind for each, kind in _BRANDS if brand.startswith(each)), "video/mp4"
        )
    for offset, magic, kind in _MAGIC:
        is_riff = kind not in _IN_A_RIFF or data.startswith(b"RIFF")
        if data.startswith(magic, offset) and is_riff:
            return kind
    if _VCARD.match(data.removeprefix(_BOM)):
        return "text/vcard"
    return _find_sound(data[:2])


def suffix_of(content_type: str) -> str:
    """Return what the name of a file of a type ends in."""
    return _SUFFIXES.get(content_type) or content_type.rpartition("/")[2]


def _find_sound(frame: bytes) -> str | None:
    """Tell the sounds that begin with their first frame, without a name before it."""
    if len(frame) < 2 or frame[0] != 0xFF:  # noqa: PLR2004  # the two bytes of a header
        return None
    if frame[1] & 0xF6 == 0xF0:  # noqa: PLR2004  # "ISO/IEC 13818-7", ADTS
        return "audio/aac"
    is_layer_3 = frame[1] & 0xE6 == 0xE2  # noqa: PLR2004  # "ISO/IEC 11172-3"
    return "audio/mpeg" if is_layer_3 else None
