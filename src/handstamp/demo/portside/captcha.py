"""An image captcha of portside's own: five characters, turned and crossed by lines."""

from __future__ import annotations

import hmac
import io
import math
import random
import secrets

from PIL import Image, ImageDraw, ImageFont

LENGTH = 5
ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"
"""Without the characters that people mix up: B and 8, I and 1, O and 0, S and 5, Z and 2."""
SIZE = (220, 72)

_PAPER = (238, 244, 247)
_INKS = [(16, 58, 84), (13, 97, 108), (94, 53, 20), (61, 46, 94)]
_FONT_SIZE = 40


def new_answer() -> str:
    """A random answer."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def same_answer(expected: str | None, typed: str) -> bool:
    """Whether the person read it right; capitals and spaces around do not matter."""
    if not expected:
        return False
    return hmac.compare_digest(expected.encode(), typed.strip().upper().encode("utf-8", "surrogatepass"))


def draw(answer: str) -> bytes:
    """The picture as PNG; the same answer always gives the same picture."""
    chance = random.Random(answer)  # noqa: S311  (the picture's looks are no secret, its answer comes from `secrets`)
    image = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(image)
    _waves(pen, chance, count=4)
    room = (SIZE[0] - 24) / len(answer)
    for index, character in enumerate(answer):
        _character(image, character, left=int(12 + index * room), chance=chance)
    _specks(pen, chance, count=260)
    _waves(pen, chance, count=1)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _character(image: Image.Image, character: str, *, left: int, chance: random.Random) -> None:
    tile = Image.new("L", (56, 56), 0)
    ImageDraw.Draw(tile).text((28, 28), character, font=ImageFont.load_default(size=_FONT_SIZE), fill=255, anchor="mm")
    turned = tile.rotate(chance.uniform(-24, 24), resample=Image.Resampling.BICUBIC)
    image.paste(chance.choice(_INKS), (left - 8, 8 + chance.randint(-7, 7)), turned)


def _waves(pen: ImageDraw.ImageDraw, chance: random.Random, *, count: int) -> None:
    for _ in range(count):
        middle, height, length = chance.uniform(12, SIZE[1] - 12), chance.uniform(4, 16), chance.uniform(60, 150)
        start = chance.uniform(0, math.tau)
        points = [(x, middle + height * math.sin(start + x * math.tau / length)) for x in range(0, SIZE[0] + 4, 4)]
        pen.line(points, fill=chance.choice(_INKS), width=2)


def _specks(pen: ImageDraw.ImageDraw, chance: random.Random, *, count: int) -> None:
    for _ in range(count):
        pen.point((chance.randrange(SIZE[0]), chance.randrange(SIZE[1])), fill=chance.choice(_INKS))
