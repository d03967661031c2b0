"""What a Content-Security-Policy without `unsafe-inline` blocks."""

from __future__ import annotations

import re


def csp_violations(page: str) -> list[str]:
    """Return the inline styles, scripts and handlers in a page."""
    without_texts = re.sub(r"<textarea.*?</textarea>", "", page, flags=re.DOTALL)
    return (
        re.findall(r"<[^>]+\sstyle\s*=", without_texts)
        + re.findall(r"<[^>]+\son[a-z]+\s*=", without_texts)
        + re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", without_texts)
        + re.findall(r"<style", without_texts)
        + re.findall(r"hx-on|hx-vals='js|javascript:", without_texts)
    )
