"""How templates of pages are written: lines are short enough to read and compare. Mails keep their own."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 120


def test_no_line_of_a_template_is_longer_than_120_characters():
    templates = sorted((ROOT / "templates").rglob("*.html"))
    too_long = [
        f"{path.relative_to(ROOT)}:{number}: {len(line)} characters"
        for path in templates
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST
    ]
    assert len(templates) > 100
    assert too_long == []
