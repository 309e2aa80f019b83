"""portside: a stand-in container-terminal portal with a browser login, container lists and pages, and appointments for trucks."""
