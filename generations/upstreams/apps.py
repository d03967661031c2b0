from django.apps import AppConfig
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generations.providers import i18n


class UpstreamsConfig(AppConfig):
    name = "generations.upstreams"
    label = "upstreams"
    verbose_name = _("Provider accounts")

    def ready(self) -> None:
        """Register gettext with the providers package, which does not depend on Django."""
        i18n.translate_with(gettext)
