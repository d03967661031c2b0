from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "generations.office"
    label = "office"
    verbose_name = _("Office")

    def ready(self) -> None:
        """Write audit entries for what operators change in the queue."""
        from generations.jobs.queue import audit_hook  # noqa: PLC0415  imports models, which are loaded from here on
        from generations.office.audit_log import service as audit_log_service  # noqa: PLC0415  as above

        audit_hook.keep_with(audit_log_service.keep)
