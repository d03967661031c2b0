from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "generations.office"
    label = "office"
    verbose_name = _("Office")

    def ready(self) -> None:
        """Keep the log of what operators do in the rooms below."""
        from generations.jobs import deeds  # noqa: PLC0415  both know models, which are there from now on
        from generations.office import audit  # noqa: PLC0415  as above

        deeds.keep_with(audit.keep)
