"""SVG of strangers: what acts or loads is gone, what is seen remains, and drawing it ends."""

import base64
import io
import os
import time

import pytest
from PIL import Image as Pillow
from PIL import ImageChops

from generations.library.imaging import svg as imaging_svg
from generations.library.imaging.svg import InvalidSvg, draw_svg, sanitize_svg

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
DOCTYPE = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'


def svg(inside, attributes='viewBox="0 0 200 100"'):
    return f'<?xml version="1.0"?>{DOCTYPE}<svg {NAMESPACE} {attributes}>{inside}</svg>'.encode()


def embedded(encoding):
    target = io.BytesIO()
    Pillow.linear_gradient("L").resize((40, 20)).convert("RGB").save(target, encoding)
    return f"data:image/{encoding};base64,{base64.b64encode(target.getvalue()).decode()}"


def picture(data, longest_side=200):
    return Pillow.open(io.BytesIO(draw_svg(data, longest_side)), formats=["PNG"]).convert("RGBA")


SEEN = {
    "linear gradient": '<linearGradient id="a"><stop stop-color="red"/><stop offset="1" stop-color="blue"/>'
    '</linearGradient><rect width="200" height="100" fill="url(#a)"/>',
    "gradient of a gradient": '<defs><linearGradient id="a"><stop stop-color="lime"/><stop offset=".7"/>'
    '</linearGradient><radialGradient id="b" xlink:href="#a"/></defs>'
    '<circle cx="90" cy="50" r="45" fill="url(#b)"/>',
    "mask": '<mask id="m"><circle cx="60" cy="50" r="40" fill="white"/></mask>'
    '<rect width="200" height="100" fill="teal" mask="url(#m)"/>',
    "clip path": '<clipPath id="c"><path d="M0 0L200 0L100 100z"/></clipPath>'
    '<rect width="200" height="100" fill="teal" clip-path="url(\'#c\')"/>',
    "use and symbol": '<symbol id="s" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4"/></symbol>'
    '<use xlink:href="#s" width="50" height="50"/><use href="#s" x="90" width="80" height="80" fill="red"/>',
    "pattern": '<pattern id="p" width="10" height="10" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" fill="navy"/></pattern><rect width="200" height="100" fill="url(#p)"/>',
    "filter": '<filter id="f"><feGaussianBlur stdDeviation="4"/></filter>'
    '<rect x="40" y="20" width="90" height="50" style="fill:orange;filter:url(#f)"/>',
    "style sheet": "<style>.a{fill:#0a0} rect.b{fill:none;stroke:#00a;stroke-width:8}</style>"
    '<rect class="a" width="60" height="60"/><rect class="b" x="90" y="20" width="60" height="60"/>',
    "style sheet in CDATA": "<style><![CDATA[ #x > circle{fill:purple} ]]></style>"
    '<g id="x"><circle cx="90" cy="50" r="30"/></g>',
    "text": '<text x="10" y="60" font-size="40" font-family="DejaVu Sans">A '
    '<tspan fill="red">fox</tspan> &amp; b</text>',
    "generic font": '<text x="10" y="60" font-size="40" font-family="sans-serif">A fox</text>',
    "even odd": '<path fill-rule="evenodd" d="M10 10h150v80h-150z M30 30h80v30h-80z" transform="rotate(5)"/>',
}
SEEN |= {
    f"embedded {each}": f'<image href="{embedded(each)}" width="200" height="100"/>'
    for each in ("png", "jpeg", "gif", "webp")
}  # fmt: skip


@pytest.mark.parametrize("inside", SEEN.values(), ids=SEEN)
def test_what_is_seen_remains(inside):
    original, cleaned = picture(svg(inside)), picture(sanitize_svg(svg(inside)))
    assert len(original.getcolors(100_000)) > 1  # something is drawn
    difference = ImageChops.difference(original, cleaned)
    assert max(high for _low, high in difference.getextrema()) <= 1


ACTS = {
    "script": "<script>alert(1)</script>",
    "script of another file": '<script href="https://evil.example/x.js"/>',
    "script in capitals": "<SCRIPT>alert(1)</SCRIPT>",
    "handler": '<rect onclick="alert(1)" OnLoad="alert(1)" width="9" height="9"/>',
    "foreign object": '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">'
    '<img src="x" onerror="alert(1)"/></body></foreignObject>',
    "html": '<html:iframe xmlns:html="http://www.w3.org/1999/xhtml" src="javascript:alert(1)"/>',
    "link": '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
    "link elsewhere": '<a href="https://evil.example/"><text>x</text></a>',
    "external use": '<use href="https://evil.example/x.svg#a"/><use xlink:href="//evil.example/x.svg#a"/>',
    "file beside it": '<use href="evil.svg#a"/><image href="evil.png"/><image xlink:href="/evil.png"/>',
    "external image": '<image href="https://evil.example/x.png"/><feImage xlink:href="http://evil.example/x"/>',
    "file": '<image href="file:///etc/evil"/><image href="/etc/evil.png"/>',
    "svg in data": f'<image href="data:image/svg+xml;base64,{base64.b64encode(b"<svg/>").decode()}"/>',
    "html in data": '<a href="data:text/html,&lt;script>alert(1)&lt;/script>"><text>x</text></a>',
    "url in attribute": '<rect fill="url(https://evil.example/x.svg#a)" mask="URL( \'//evil.example/m\' )"/>',
    "url in style": '<rect style="fill:url(http://evil.example/#a);filter:url(evil.svg#f)"/>',
    "url in style sheet": "<style>rect{fill:url(https://evil.example/x)} "
    "@font-face{src:url('evil.woff')}</style>",
    "url with escapes": r"<style>rect{fill:u\72l(https://evil.example/x)}</style>"
    r"<g style='fill:\75rl(//evil.example)'/>",
    "image set": '<style>rect{mask:image-set("https://evil.example/x" 1x)}</style>',
    "import": '<style>@import "https://evil.example/x.css"; rect{fill:red}</style>',
    "import of url": "<style>@IMPORT url(https://evil.example/x.css);</style>",
    "style sheet by instruction": '<?xml-stylesheet href="https://evil.example/x.css"?>',
    "animate": '<rect><animate attributeName="href" to="javascript:alert(1)"/></rect>',
    "set": '<a><set attributeName="xlink:href" to="https://evil.example/"/><text>x</text></a>',
    "other animations": '<animateTransform attributeName="transform"/><animateMotion/><animateColor/>',
    "base": '<g xml:base="https://evil.example/"><use href="#a"/></g>',
}  # fmt: skip


GONE = "evil alert script onclick onload onerror foreignobject iframe animate <set @import data: base= \\"
GONE = [*GONE.split(), "image-set", "stylesheet"]


@pytest.mark.parametrize("inside", ACTS.values(), ids=ACTS)
def test_what_acts_or_loads_is_gone(inside):
    document = sanitize_svg(svg(f"<rect id='kept'/>{inside}"))
    cleaned = document.decode().lower()
    assert 'id="kept"' in cleaned
    assert not [word for word in GONE if word in cleaned]
    assert "evil" not in sanitize_svg(document).decode()


def test_the_root_has_no_handlers_either():
    attributes = (
        'viewBox="0 0 9 9" onload="alert(1)" xml:base="https://evil.example/" style="fill:url(//evil)"'
    )
    cleaned = sanitize_svg(svg("<rect/>", attributes)).decode()
    assert 'viewBox="0 0 9 9"' in cleaned
    assert not any(word in cleaned for word in ("alert", "evil", "onload"))


def test_text_around_what_is_removed_remains():
    inside = "<text>one<set/> two<script>x</script> three<tspan>four</tspan><animate/> five</text>"
    assert "one two three<tspan>four</tspan> five" in " ".join(sanitize_svg(svg(inside)).decode().split())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_encoding_becomes_utf_8(encoding):
    text = (
        f'<?xml version="1.0" encoding="{encoding[:6].rstrip("-")}"?><svg {NAMESPACE}><text>é狐</text></svg>'
    )
    cleaned = sanitize_svg(text.encode(encoding))
    assert "é狐" in cleaned.decode()
    assert cleaned.startswith(b"<?xml version='1.0' encoding='utf-8'?>")


def declaring(entities, inside=""):
    return f"<!DOCTYPE svg [{entities}]><svg {NAMESPACE}>{inside}</svg>".encode()


INVALID = {
    "nothing": b"",
    "html": b"<html><svg></svg></html>",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "gzip": b"\x1f\x8b\x08" + bytes(30),
    "cut off": svg("<g>")[:-10],
    "without namespace": b"<svg/>",
    "too deep": svg("<g>" * 120 + "</g>" * 120),
    "9 MB": svg("<path d='M0 0L1 1'/>" * 450_000),
    "entities": declaring('<!ENTITY a "b">', "&a;"),
    "external entity": declaring('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
    "parameter entity": declaring('<!ENTITY % a SYSTEM "http://evil.example/">%a;'),
}


@pytest.mark.parametrize("data", INVALID.values(), ids=INVALID)
def test_what_is_no_svg_or_out_of_bounds_is_refused(data):
    with pytest.raises(InvalidSvg):
        sanitize_svg(data)
    with pytest.raises(InvalidSvg):
        draw_svg(data, 100)


# Drawing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('viewBox="0 0 200 100"', (400, 200)),
        ('viewBox="0 0 10 40"', (100, 400)),
        ('width="50" height="25"', (400, 200)),  # without a viewBox, as vtracer writes it
        ('width="20pt" height="40pt" viewBox="0 0 20 40"', (200, 400)),
        ('width="100%" height="100%" viewBox="0 0 30 30"', (400, 400)),
        ('viewBox="0 0 100000 1"', (400, 1)),
    ],
)
def test_a_drawing_has_the_longest_side_and_the_shape_of_the_document(attributes, size):
    drawn = picture(sanitize_svg(svg('<rect width="100%" height="100%" fill="red"/>', attributes)), 400)
    # resvg rounds the document's own size to whole pixels before it scales it
    assert all(abs(side - wanted) <= 0.02 * wanted for side, wanted in zip(drawn.size, size, strict=True))
    assert drawn.getpixel((drawn.width // 2, drawn.height // 2)) == (255, 0, 0, 255)


def test_where_nothing_is_drawn_it_is_transparent():
    assert picture(svg('<rect width="100" height="100"/>')).getpixel((150, 50)) == (0, 0, 0, 0)


def test_a_drawing_has_at_most_4096_pixels_a_side():
    assert picture(svg(""), 10**9).size == (4_096, 2_048)


BLURS = '<feTurbulence baseFrequency=".01" numOctaves="10"/><feGaussianBlur stdDeviation="50"/>' * 300
SLOW = svg(f'<filter id="f">{BLURS}</filter><rect width="200" height="100" filter="url(#f)"/>')
LAYERS = svg('<g opacity=".9">' * 95 + '<rect width="200" height="100"/>' + "</g>" * 95)
COPIES = svg(
    "<defs><rect id='a0' width='1' height='1'/>"
    + "".join(f"<g id='a{at + 1}'>" + f"<use href='#a{at}'/>" * 10 + "</g>" for at in range(9))
    + "</defs><use href='#a9'/>"
)


def test_a_drawing_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(imaging_svg, "SECONDS", 1)
    started = time.monotonic()
    with pytest.raises(InvalidSvg, match="too long"):
        draw_svg(sanitize_svg(SLOW), 4_000)
    assert time.monotonic() - started < 10


def test_a_drawing_that_takes_too_much_cpu_is_ended(monkeypatch):
    monkeypatch.setattr(imaging_svg, "SECONDS", 120)
    monkeypatch.setattr(imaging_svg, "CPU_SECONDS", 1)
    before = os.times()
    with pytest.raises(InvalidSvg, match="cannot be drawn"):
        draw_svg(sanitize_svg(SLOW), 4_000)
    assert os.times().children_user - before.children_user < 3


@pytest.mark.parametrize("data", [LAYERS, COPIES], ids=["layers", "copies of copies"])
def test_a_drawing_that_takes_too_much_memory_is_ended_and_ends_nothing_else(data):
    with pytest.raises(InvalidSvg, match="cannot be drawn"):
        draw_svg(sanitize_svg(data), 4_096)


def test_the_process_that_draws_knows_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "only-for-this-test")
    script = tmp_path / "script.py"
    script.write_text("import os; print(dict(os.environ), os.getcwd(), os.listdir())")
    monkeypatch.setattr(imaging_svg, "_PROCESS", script)
    told = draw_svg(svg(""), 100).decode()
    assert "only-for-this-test" not in told
    assert "sdweb-svg-" in told
    assert told.rstrip().endswith("[]")  # its folder is empty


def test_a_drawing_loads_no_file(tmp_path):
    """Also if the document was not sanitised."""
    Pillow.new("RGB", (20, 10), "red").save(tmp_path / "secret.png")
    drawn = picture(svg('<image href="secret.png" width="200" height="100"/>'))
    assert drawn.getcolors() == [(200 * 100, (0, 0, 0, 0))]
