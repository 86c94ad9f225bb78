"""What a file is, by what is in it."""

import pytest

from custom_components.virtual_sms.core.content_type import (
    find_content_type,
    suffix_of,
)

KNOWN = {
    b"\xff\xd8\xff\xe0": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"RIFF\0\0\0\0WEBPVP8 ": "image/webp",
    b"RIFF\0\0\0\0WAVEfmt ": "audio/wav",
    b"\0\0\0\x18ftypheic": "image/heic",
    b"\0\0\0\x18ftypmif1": "image/heic",
    b"\0\0\0\x18ftypavif": "image/avif",
    b"\0\0\0\x18ftypisom": "video/mp4",
    b"\0\0\0\x18ftyp3gp4": "video/3gpp",
    b"\0\0\0\x18ftypqt  ": "video/quicktime",
    b"\0\0\0\x18ftypM4A ": "audio/mp4",
    b"OggS": "audio/ogg",
    b"ID3\x04": "audio/mpeg",
    b"\xff\xfb\x90": "audio/mpeg",
    b"\xff\xf1\x50": "audio/aac",
    b"#!AMR\n": "audio/amr",
    b"\x1aE\xdf\xa3": "video/webm",
    b"\x00\x00\x01\xba": "video/mpeg",
    b"%PDF-1.7": "application/pdf",
    b"BEGIN:VCARD\r\nVERSION:3.0": "text/vcard",
    b"\xef\xbb\xbf\r\nbegin:vcard\n": "text/vcard",
}
UNKNOWN = (
    b"",
    b"\xff",
    b"\xff\xff",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"<html><script>alert(1)</script>",
    b"MZ\x90\x00",
    b"PK\x03\x04",
    b"XXXX\0\0\0\0WEBP",
    b"BEGIN:VCARDIAC",
    b"plain words",
)


@pytest.mark.parametrize(("data", "kind"), KNOWN.items(), ids=list(map(repr, KNOWN)))
def test_what_is_known_is_named(data: bytes, kind: str) -> None:
    """Whatever a sender calls it."""
    assert find_content_type(data) == kind


@pytest.mark.parametrize("data", UNKNOWN, ids=list(map(repr, UNKNOWN)))
def test_what_is_not_known_has_no_name(data: bytes) -> None:
    """Markup and programs above all: a browser would run them."""
    assert find_content_type(data) is None


def test_names_end_in_what_a_file_is() -> None:
    """Where the type itself does not say it."""
    assert suffix_of("image/jpeg") == "jpg"
    assert suffix_of("image/webp") == "webp"
    assert suffix_of("text/vcard") == "vcf"
