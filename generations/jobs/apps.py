from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "generations.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        """Erase the requests of images that are deleted for good."""
        from generations.jobs import erasure  # noqa: PLC0415  after the models
        from generations.library.trash import purge as trash_purge  # noqa: PLC0415  as above

        trash_purge.add_listener(erasure.erase_deleted)
