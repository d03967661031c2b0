"""Which scene and which light a prompt asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

WORDS = re.compile(r"[a-z]+")

# Words that decide a scene; the first line of each weighs three times the second.
SCENES: dict[str, tuple[str, str]] = {
    "aurora": ("aurora borealis polar northern", "lights arctic night star stars"),
    "planet": (
        "planet saturn jupiter galaxy cosmos asteroid spaceship nebula",
        "space orbit moon ring rings star",
    ),
    "city": (
        "city skyline skyscraper street downtown neon tokyo traffic bridge",
        "building buildings tower window windows rain urban bridge lights road cafe car crowd crowded square",
    ),
    "flower": (
        "flower dahlia rose lotus blossom bloom petal petals peony chrysanthemum tulip",
        "bouquet spring",
    ),
    "leaves": (
        "botanical leaf leaves fern herb plant plants foliage gouache berries",
        "garden green jungle nature",
    ),
    "paper": ("paper papercut layered collage cutout origami", "cut sheet sheets card craft shadows"),
    "ink": (
        "ink marble silk liquid fluid abstract smoke swirl fabric satin watercolor oil",
        "wave flow texture paint gradient wallpaper",
    ),
    "spheres": (
        "sphere spheres ball balls ceramic marble marbles product glass bubble pearl",
        "glossy round studio floor still object toy fruit apple orange",
    ),
    "tiles": ("tile tiles pattern mosaic ornament azulejo kaleidoscope mandala", "geometric seamless repeat"),
    "balloons": ("balloon balloons airship", "flying festival kite sky"),
    "dunes": ("dune dunes desert sahara sand", "dry camel heat ridge"),
    "sea": (
        "sea ocean beach coast wave waves sail sailing boat boats ship harbour lighthouse",
        "water lake shore island blue",
    ),
    "ridges": (
        "mountain mountains ridge ridges alps forest valley hills fir firs cliff landscape castle",
        "mist fog tree trees morning hill wood woods river scenery snow wilderness",
    ),
}
PALETTES: dict[str, str] = {
    "dawn": "dawn sunrise first early morning warm pastel",
    "dusk": "dusk sunset evening twilight violet magenta",
    "mist": "mist misty fog foggy muted calm ink pale haze",
    "night": "night midnight dark aurora stars moon moonlight space galaxy black",
    "gold": "gold golden sand desert honey amber sunny yellow noon",
    "winter": "winter snow snowy ice cold frozen arctic white",
    "rose": "rose pink blush romantic peach coral",
    "ember": "fire ember lava red hot volcano warm sunset autumn orange",
    "forest": "forest green jungle moss garden nature",
    "blue": "blue ocean sea sky clear summer azure",
    "spring": "spring fresh meadow bright cheerful blossom flowers child cute",
    "mono": "monochrome grey gray charcoal pencil noir sketch minimal",
    "violet": "violet purple lavender magic fantasy dream mystic neon cyberpunk",
    "teal": "teal turquoise emerald lagoon tropical cyan",
}
FITTING: dict[str, tuple[str, ...]] = {
    "aurora": ("night", "night", "violet"),
    "planet": ("night", "dusk", "ember", "violet", "teal"),
    "city": ("dusk", "night", "violet", "ember"),
    "flower": ("rose", "ember", "dawn", "spring", "dusk", "teal"),
    "leaves": ("forest", "night", "spring", "teal", "rose"),
    "paper": ("ember", "teal", "dawn", "rose", "blue", "gold"),
    "ink": ("rose", "blue", "teal", "ember", "violet", "mono", "gold"),
    "spheres": ("rose", "blue", "spring", "gold", "teal", "winter"),
    "tiles": ("blue", "gold", "teal", "ember", "spring"),
    "balloons": ("mist", "dawn", "blue", "spring"),
    "dunes": ("gold", "dawn", "ember", "rose"),
    "sea": ("dusk", "blue", "dawn", "teal", "gold"),
    "ridges": ("dawn", "mist", "dusk", "rose", "winter", "forest", "teal", "gold", "blue"),
}
STRONG = 3


def choose(prompt: str, random: np.random.Generator) -> tuple[str, str]:
    """The scene and the palette for a prompt; chance decides what its words leave open."""
    found = WORDS.findall(prompt.lower())
    scenes = {scene: _weight(found, *words) for scene, words in SCENES.items()}
    scene = _heaviest(scenes) or str(random.choice(list(SCENES)))
    palettes = {name: _weight(found, "", words) for name, words in PALETTES.items()}
    return scene, _heaviest(palettes) or str(random.choice(FITTING[scene]))


def _weight(found: list[str], strong: str, weak: str) -> float:
    """How much the words speak for something; earlier words a little more."""
    known = dict.fromkeys(weak.split(), 1) | dict.fromkeys(strong.split(), STRONG)
    return sum(known.get(word, 0) * (1 - min(place, 40) / 200) for place, word in enumerate(found))


def _heaviest(weights: Mapping[str, float]) -> str:
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] else ""
