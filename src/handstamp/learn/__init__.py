"""Learning a site: a person logs in once, handstamp watches and writes the recipe.

What to write is decided by pure functions (`elements`, `steps`, `minimal`, `carriers`, `checks`, `writing`); `recorder` and
`trials` look, `learning` brings them together.
"""

from handstamp.learn.learning import Learned, learn, save_recipe

__all__ = ["Learned", "learn", "save_recipe"]
