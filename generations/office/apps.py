from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "generations.office"
    label = "office"
    verbose_name = _("Office")

    def ready(self) -> None:
        """Keep the log of what operators do in the rooms below."""
        from generations.jobs.queue import audit_hook  # noqa: PLC0415  both know models, which are there from now on
        from generations.office.audit_log import service as audit_log_service  # noqa: PLC0415  as above

        audit_hook.keep_with(audit_log_service.keep)
