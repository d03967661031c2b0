"""The models of jobs: batches, generations, attempts, prices and model rules."""

from generations.jobs.models.generation import Attempt, Batch, BatchInput, Generation, GenerationQuerySet
from generations.jobs.models.price import ModelRule, Price
from generations.jobs.models.status import (
    BLOCKED,
    MOVES,
    NO_ACCOUNT,
    PAUSED,
    UNFINISHED,
    VIRTUAL_COST,
    Outcome,
    Status,
)
from generations.teams.models import Visibility

__all__ = [
    "BLOCKED",
    "MOVES",
    "NO_ACCOUNT",
    "PAUSED",
    "UNFINISHED",
    "VIRTUAL_COST",
    "Attempt",
    "Batch",
    "BatchInput",
    "Generation",
    "GenerationQuerySet",
    "ModelRule",
    "Outcome",
    "Price",
    "Status",
    "Visibility",
]
