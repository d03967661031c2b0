"""Pictures drawn from words: what the sandbox answers instead of a model's work."""

from generations.sandbox.art.studio import Wish, draw, mark

__all__ = ["Wish", "draw", "mark"]
