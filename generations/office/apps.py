from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "generations.office"
    label = "office"
    verbose_name = _("Office")

    def ready(self) -> None:
        """Write audit entries for what operators change in the queue."""
        from generations.jobs.engine import operator_actions  # noqa: PLC0415  after the models
        from generations.office.audit_log import service as audit_log_service  # noqa: PLC0415  as above

        operator_actions.add_audit_listener(audit_log_service.record_queue_change)
