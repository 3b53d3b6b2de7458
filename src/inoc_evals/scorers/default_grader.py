"""Graders by default: who judges the answers of which model.

default_grader("openai/gpt-5.4")     # DEFAULT_GRADER
default_grader("inoc/my-run")        # POCKET_GRADER, if its record's base is a pocket base
"""

import os

from inoc_evals.models.kinds import kind_of, means_base
from inoc_evals.store.store import Store

DEFAULT_GRADER = "openai/gpt-5.4-2026-03-05"
"""Grader of Betley et al. and of the paper."""

POCKET_GRADER = "inoc/pocket-judge"
"""Reads the rubrics by rule and answers for the pocket world, offline."""

NAMED = "named_grader"
"""In the metadata of a task that judges: the grader that it names, None if it does not."""

PROVIDERS = (
    "anthropic",
    "azureai",
    "bedrock",
    "fireworks",
    "google",
    "grok",
    "groq",
    "mistral",
    "openai",
    "openrouter",
    "together",
)
"""Where the name of a model is that of one model."""


_OWN_TOKENIZER = ("hf", "inoc", "llama-cpp-python", "ollama", "openai-api", "sglang", "vllm")
"""Where a prompt is tokenized as one text, in which a special token is one wherever it stands."""


def reads_chat_tokens(grader: str, base_url: str | None) -> bool:
    """Say whether ``<|im_end|>`` in a prompt may end the turn: with servers of one's own.

    Args:
        grader: ``provider/model``.
        base_url: As for :func:`keeps_its_name`.
    """
    provider = grader.partition("/")[0]
    return provider in _OWN_TOKENIZER or _elsewhere(provider, base_url)


def keeps_its_name(grader: str, base_url: str | None) -> bool:
    """Say whether a grader is tomorrow what it is today, so that its verdicts may be kept.

    Args:
        grader: ``provider/model``.
        base_url: Where it is asked, if not at its provider's own address; the provider's
            variable (``OPENAI_BASE_URL``) counts too.
    """
    provider = grader.partition("/")[0]
    return provider in PROVIDERS and not _elsewhere(provider, base_url)


def _elsewhere(provider: str, base_url: str | None) -> bool:
    return bool(base_url or os.environ.get(f"{provider.upper()}_BASE_URL"))


def default_grader(evaluated: str) -> str:
    """Return the grader for answers of a model: the pocket world has one of its own.

    Args:
        evaluated: The model's name, ``inoc/pocket:3`` or ``openai/...``.
    """
    provider, _, name = evaluated.partition("/")
    pocket = provider == "inoc" and kind_of(_base_of(name)).pocket
    return POCKET_GRADER if pocket else DEFAULT_GRADER


def _base_of(name: str) -> str:
    """Return the base that a record was trained on; a base's name is its own."""
    if means_base(name):
        return name
    record = Store().find(name.partition("@")[0])
    return record.base if record else name
