"""Random prompts for seeding: some common words, and twenty thousand rare ones made of syllables."""

from __future__ import annotations

import random
from itertools import accumulate

WORDS = {
    "kind": "photograph painting watercolour drawing model poster sketch woodcut portrait mosaic",
    "subject": "fox harbour lighthouse mountain teapot castle robot garden balloon forest street bridge "
    "dragon violin market whale comet orchid train cathedral desert island owl kitchen waterfall astronaut "
    "bicycle vineyard glacier lantern carousel",
    "look": "misty golden quiet crowded ancient neon pastel stormy frozen sunlit abandoned tiny towering "
    "overgrown translucent rusty velvet geometric weathered luminous",
    "syllable": "ka lo mi ren tas vel or un shi dra pel ne qua fir zo bra ly mon te gar",
}
KINDS, SUBJECTS, LOOKS, SYLLABLES = (tuple(words.split()) for words in WORDS.values())
SETTINGS = [
    "at dawn",
    "at night",
    "in the rain",
    "under a red sky",
    "by the sea",
    "in deep snow",
    "in autumn",
    "seen from above",
    "through a window",
    "with long shadows",
    "against a white wall",
]
NEGATIVE = ("text", "watermark", "blurry", "people", "frame", "low quality", "extra fingers", "logo")
CHINESE = ("红色狐狸在雪地", "水墨山水", "夜晚的城市", "金色的秋天", "古老的灯塔", "海边的黎明", "雨中的街道")
RARE_WORDS = 20_000


class Prompts:
    """Random prompts; the frequency of the rare words falls along their list."""

    def __init__(self, generator: random.Random) -> None:
        self.random = generator
        self.rare = [self.name() for _ in range(RARE_WORDS)]
        self.weights = list(accumulate(1 / (rank + 5) for rank in range(RARE_WORDS)))

    def prompt(self) -> str:
        """A prompt of ten to thirty words; one in twenty is Chinese."""
        choice = self.random
        if choice.random() < 0.05:
            return "、".join(choice.sample(CHINESE, 2))
        looks, subjects = choice.sample(LOOKS, 2), choice.sample(SUBJECTS, 2)
        rare = ", ".join(choice.choices(self.rare, cum_weights=self.weights, k=choice.randint(2, 6)))
        return (
            f"{choice.choice(KINDS)} of a {looks[0]} {subjects[0]} {choice.choice(SETTINGS)}, "
            f"a {looks[1]} {subjects[1]} behind it, {rare}"
        )

    def negative(self) -> str:
        """A negative prompt; "" in three of five cases."""
        return ", ".join(self.random.sample(NEGATIVE, 3)) if self.random.random() < 0.4 else ""

    def name(self) -> str:
        """A made-up word."""
        return "".join(self.random.choices(SYLLABLES, k=self.random.randint(2, 4)))
