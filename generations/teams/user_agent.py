"""A short description of a User-Agent header, by which users recognise their browsers."""

from django.utils.translation import gettext as _

# The first match counts: nearly all headers contain Safari, most contain Chrome, those of phones Linux or
# Mac.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "Linux": "Linux",
}


def describe(user_agent: str) -> str:
    """Return browser and operating system, such as "Firefox on Linux"."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or user_agent[:60] or _("Unknown browser")


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for marker, name in names.items() if marker in user_agent), "")
