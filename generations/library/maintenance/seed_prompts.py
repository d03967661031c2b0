"""Prompts of no value: some common words, and twenty thousand rare ones put together from syllables."""

from __future__ import annotations

import random
from itertools import accumulate

WORDS = {
    "kind": "photograph painting watercolour drawing model poster sketch woodcut portrait mosaic",
    "thing": "fox harbour lighthouse mountain teapot castle robot garden balloon forest street bridge dragon "
    "violin market whale comet orchid train cathedral desert island owl kitchen waterfall astronaut bicycle "
    "vineyard glacier lantern carousel",
    "look": "misty golden quiet crowded ancient neon pastel stormy frozen sunlit abandoned tiny towering "
    "overgrown translucent rusty velvet geometric weathered luminous",
    "syllable": "ka lo mi ren tas vel or un shi dra pel ne qua fir zo bra ly mon te gar",
}
KINDS, THINGS, LOOKS, SYLLABLES = (tuple(words.split()) for words in WORDS.values())
PLACES = (
    *("at dawn", "at night", "in the rain", "under a red sky", "by the sea", "in deep snow", "in autumn"),
    *("seen from above", "through a window", "with long shadows", "against a white wall"),
)
UNWANTED = ("text", "watermark", "blurry", "people", "frame", "low quality", "extra fingers", "logo")
CHINESE = ("红色狐狸在雪地", "水墨山水", "夜晚的城市", "金色的秋天", "古老的灯塔", "海边的黎明", "雨中的街道")
RARE = 20_000


class Prompts:
    """Draws them by chance; a rare word is the rarer, the later it stands in the list."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rare = [self.name() for _ in range(RARE)]
        self.weights = list(accumulate(1 / (place + 5) for place in range(RARE)))

    def prompt(self) -> str:
        """A sentence of some ten to thirty words; one in twenty is Chinese."""
        chance = self.chance
        if chance.random() < 0.05:
            return "、".join(chance.sample(CHINESE, 2))
        looks, things = chance.sample(LOOKS, 2), chance.sample(THINGS, 2)
        rare = ", ".join(chance.choices(self.rare, cum_weights=self.weights, k=chance.randint(2, 6)))
        return (
            f"{chance.choice(KINDS)} of a {looks[0]} {things[0]} {chance.choice(PLACES)}, "
            f"a {looks[1]} {things[1]} behind it, {rare}"
        )

    def negative(self) -> str:
        """What must not be seen, for two in five."""
        return ", ".join(self.chance.sample(UNWANTED, 3)) if self.chance.random() < 0.4 else ""

    def name(self) -> str:
        """A word that nobody uses."""
        return "".join(self.chance.choices(SYLLABLES, k=self.chance.randint(2, 4)))
