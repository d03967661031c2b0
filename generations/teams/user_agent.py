"""What a browser calls itself, in two words: enough for a person to know which of theirs it is."""

from django.utils.translation import gettext as _

# The first that occurs is it: nearly all say Safari, most say Chrome, phones say Linux or Mac as well.
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


def name(user_agent: str) -> str:
    """As a person would say it: Firefox on Linux."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or user_agent[:60] or _("Unknown browser")


def _first(known: dict[str, str], user_agent: str) -> str:
    return next((word for sign, word in known.items() if sign in user_agent), "")
