"""What a status picture shows, read from its pixels: a green sign or a red one."""

from __future__ import annotations

import io

from PIL import Image, ImageChops

_LEAST_SHARE = 0.05
"""Of the picture that must be green or red; less is taken for a picture of something else, or of no status."""
_CLEARLY = 4
"""How many times more of one there must be than of the other."""
_COLOURED = 90  # saturation, 0 to 255, from which a pixel is no grey
_LIT = 50  # brightness likewise, from which it is not black


def read_badge(picture: bytes) -> bool | None:
    """True for green, False for red, None when the picture shows neither clearly.

    Args:
        picture: PNG, or what else Pillow reads.
    """
    with Image.open(io.BytesIO(picture)) as image:
        hue, saturation, brightness = image.convert("RGB").convert("HSV").split()
    coloured = ImageChops.multiply(_above(saturation, _COLOURED), _above(brightness, _LIT))
    counts = hue.histogram(coloured)
    green, red = sum(counts[55:130]), sum(counts[:20]) + sum(counts[235:])
    if green + red < _LEAST_SHARE * hue.width * hue.height:
        return None
    if green >= _CLEARLY * red:
        return True
    return False if red >= _CLEARLY * green else None


def _above(channel: Image.Image, least: int) -> Image.Image:
    return channel.point([0] * least + [255] * (256 - least))
