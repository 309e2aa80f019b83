"""Run benchmarks, and write what they print into docs/benchmarks.md: `scripts/benchmarks.py [NAME …]`, all of them by default.

The sections of those that are not named stay as they are.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Each benchmark runs ours and the peer in one process run, taking turns, and prints medians; a ratio over 1 means that ours is better.
`.venv/bin/python benchmarks/NAME.py` prints its table, `--json` the rows for programs, `--turns N` takes more turns; `make bench`
runs all of them and writes this page. Ratios hold from machine to machine, times do not; a busy machine makes both rougher.
"""


def benchmarks() -> dict[str, Path]:
    """The programs by name."""
    return {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[a-z]*.py"))}


def sections(page: str) -> dict[str, str]:
    """What the page holds of each benchmark now."""
    return {name: text.strip() for name, text in re.findall(r"<!-- (\w+) -->\n(.*?)(?=\n<!-- \w+ -->\n|\Z)", page, re.DOTALL)}


def section(path: Path) -> str:
    """What it measures, in its own words, and what it prints now."""
    print(f"{path.name} …", file=sys.stderr, flush=True)
    table = subprocess.run([sys.executable, str(path)], check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    words = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").replace("see capture.py", "see below")
    heading, _, rest = table.partition("\n")
    return f"{heading.replace('###', '##')}\n\n{words}\n{rest}"


def main(names: list[str]) -> int:
    """Run them and write the page."""
    known = benchmarks()
    if unknown := set(names) - known.keys():
        print(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    kept = sections(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    for name in names or known:
        kept[name] = section(known[name])
        parts = [f"<!-- {one} -->\n{kept[one]}\n" for one in known if one in kept]
        PAGE.write_text("\n".join([INTRODUCTION, *parts]), encoding="utf-8")  # after each: the next may fail
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
