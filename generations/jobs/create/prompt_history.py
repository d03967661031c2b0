"""The prompts that a member has sent before."""

from __future__ import annotations

from generations.jobs.models import Batch
from generations.teams.models import Membership

MAX_PROMPTS = 50
MAX_BATCHES = 1_000  # that are read for them


def of_member(member: Membership) -> list[str]:
    """The last different prompts that the member sent from the page, newest first; one query."""
    sent = Batch.objects.filter(member=member, token=None).order_by("-id")
    prompts: dict[str, None] = {}
    for prompt in sent.values_list("parameters__prompt", flat=True)[:MAX_BATCHES].iterator(chunk_size=200):
        if prompt:  # without one: of a model that takes none, or erased
            prompts[str(prompt)] = None
        if len(prompts) == MAX_PROMPTS:
            break
    return list(prompts)
