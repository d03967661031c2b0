from django.apps import AppConfig
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generations.providers import i18n


class UpstreamsConfig(AppConfig):
    name = "generations.upstreams"
    label = "upstreams"
    verbose_name = _("Upstreams")

    def ready(self) -> None:
        """Lend the room below, which knows no Django, the language of whoever reads."""
        i18n.translate_with(gettext)
