"""portside, the container-terminal portal that `handstamp demo` stands in for: its recipe, and what can be done there."""
