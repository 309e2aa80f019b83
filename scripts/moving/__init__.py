"""What `fidelity.py` is made of: the kinds of state that a login can live in, the ways to move them, and the table of what arrived.

Each kind is written by a page, moved by each way into a browser that knows nothing, and looked at there by the page itself.
"""
