"""Screenshots with a strip below that says when, who, where, and what it is about."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIZE = 14  # pixels of a letter
_LINE = 20
_MARGIN = 8
_LEAST_WIDTH = 480
_BACK, _INK = (24, 28, 36), (240, 240, 240)


def stamped(png: bytes, lines: Iterable[str]) -> bytes:
    """The picture, untouched, above a strip with `lines`; what does not fit in one is cut. A small picture gets room at its side.

    Args:
        png: a PNG.
        lines: of text.
    """
    lines = [line for line in lines if line]
    with Image.open(BytesIO(png)) as picture:
        width = max(picture.width, _LEAST_WIDTH)
        whole = Image.new("RGB", (width, picture.height + _LINE * len(lines) + _MARGIN), _BACK)
        whole.paste(picture.convert("RGB"), (0, 0))
    draw = ImageDraw.Draw(whole)
    font = ImageFont.load_default(_SIZE)
    for number, line in enumerate(lines):
        top = whole.height - _LINE * (len(lines) - number) - _MARGIN // 2
        draw.text((_MARGIN, top), _fitting(line, draw, font, width - 2 * _MARGIN), fill=_INK, font=font)
    out = BytesIO()
    whole.save(out, "PNG")
    return out.getvalue()


def _fitting(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(f"{text}…", font=font) > width:
        text = text[:-1]
    return f"{text}…"
