"""The models of jobs: batches, generations, attempts, prices, model rules, saved prompts, prompt help."""

from generations.jobs.models.attempt import Attempt
from generations.jobs.models.generation import (
    Batch,
    BatchInput,
    Generation,
    GenerationQuerySet,
    PreparedMove,
)
from generations.jobs.models.price import ModelRule, Price
from generations.jobs.models.prompt_help import HelpStatus, HelpTask, PromptHelp
from generations.jobs.models.saved_prompt import SavedPrompt
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
from generations.jobs.models.style import Style
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
    "HelpStatus",
    "HelpTask",
    "ModelRule",
    "Outcome",
    "PreparedMove",
    "Price",
    "PromptHelp",
    "SavedPrompt",
    "Status",
    "Style",
    "Visibility",
]
