"""Other tools' files <-> storage states: read with auto-detection, written with notes on what a format cannot say.

Pure: bytes in, values out, and the other way round; only `read_installed` looks at the disk. Errors name file and place and
never a value.
"""

from handstamp.formats.age import open_with, seal_to
from handstamp.formats.attributes import completed
from handstamp.formats.catalog import READABLE, WRITABLE, read, read_tree, write, write_tree
from handstamp.formats.installed import read_installed
from handstamp.formats.intake import Imported
from handstamp.formats.outlet import Written
from handstamp.formats.preview import Change, Preview, preview
from handstamp.formats.tree import WrittenTree

__all__ = [
    "READABLE",
    "WRITABLE",
    "Change",
    "Imported",
    "Preview",
    "Written",
    "WrittenTree",
    "completed",
    "open_with",
    "preview",
    "read",
    "read_installed",
    "read_tree",
    "seal_to",
    "write",
    "write_tree",
]
