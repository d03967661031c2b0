"""The Celery application: queue `calls` is for provider calls, `upkeep` for tasks that must not wait."""

import os

from celery import Celery
from celery.signals import setup_logging
from click import Option

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sdweb.settings")
# Celery runs Django's checks at each start, and looks at none of what they find.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("sdweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "generations.jobs",
        "generations.upstreams",
        "generations.library",
        "generations.credits",
        "generations.office",
        "generations.api",
    ]
)
app.conf.beat_schedule = {
    "old-calls": {
        "task": "generations.api.tasks.forget_old_calls",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "notices": {"task": "generations.office.notice_tasks.tell", "schedule": 10.0, "options": {"expires": 8}},
    "sweep": {"task": "generations.jobs.tasks.sweep", "schedule": 2.0, "options": {"expires": 10}},
    "balances": {
        "task": "generations.jobs.tasks.ask_balances",
        "schedule": 240.0,
        "options": {"expires": 200},
    },
    "forgotten-prompts": {
        "task": "generations.jobs.tasks.forget_prompt_help",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "closed-days": {
        "task": "generations.credits.tasks.close_days",
        "schedule": 600.0,
        "options": {"expires": 500},
    },
    "bulk-actions": {
        "task": "generations.library.tasks.take_up",
        "schedule": 20.0,
        "options": {"expires": 15},
    },
    "house": {
        "task": "generations.library.house_tasks.keep_house",
        "schedule": 600.0,
        "options": {"expires": 500},
    },
    "expired-personal-data": {
        "task": "generations.office.tasks.clear_sessions",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "allowances": {
        "task": "generations.office.tasks.give_allowances",
        "schedule": 180.0,
        "options": {"expires": 150},
    },
}


# `--beat-schedule FILE`: be beat as well.
app.user_options["worker"].add(Option(["--beat-schedule"]))
app.steps["worker"].add("sdweb.beat_thread:BeatThread")


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Keep Celery from configuring logging, which it does unless this signal has a receiver."""
