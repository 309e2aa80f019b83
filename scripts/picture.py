"""Draws what a command prints as the picture in the README: `scripts/picture.py docs/images/demo.svg -- .venv/bin/handstamp demo`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 92


def main(target: str, *command: str) -> None:
    """Run `command` as on a terminal and draw what it leaves on it."""
    shown = subprocess.run(command, stdout=subprocess.PIPE, env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}, check=True, text=True).stdout
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text(f"$ make {Path(command[-1]).name}", style="bold"))
    console.print(Text.from_ansi(re.sub(r"\x1b\[\?[0-9]+[hl]", "", shown)))
    drawn = console.export_svg(title="handstamp")
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)  # fonts from elsewhere: a picture asks nobody
    Path(target).write_text(re.sub(r"<!--.*?-->", "", drawn), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], *sys.argv[3:])
