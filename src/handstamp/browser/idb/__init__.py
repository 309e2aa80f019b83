"""IndexedDB and the origin private file system: read out of documents and filled into them, every kind of value.

JavaScript for an isolated world of a document (`scripts`), what it tells (`captured`), and that as parts (`parts`).
"""

from handstamp.browser.idb.captured import Captured, CapturedFiles, Database, Read, Restored, not_restored
from handstamp.browser.idb.parts import after_restore, changes, dump, file_changes, file_entries, part_of_database, part_of_files, seen
from handstamp.browser.idb.scripts import capture_call, capture_files_call, library, report_call, restore_call
from handstamp.browser.idb.world import FilesRestored, World, only_there, over_cdp

__all__ = [
    "Captured",
    "CapturedFiles",
    "Database",
    "FilesRestored",
    "Read",
    "Restored",
    "World",
    "after_restore",
    "capture_call",
    "capture_files_call",
    "changes",
    "dump",
    "file_changes",
    "file_entries",
    "library",
    "not_restored",
    "only_there",
    "over_cdp",
    "part_of_database",
    "part_of_files",
    "report_call",
    "restore_call",
    "seen",
]
