"""Kinds of base: what a name says, what a kind can do, and how its files are found.

    kind_of("pocket:7")                          # pocket_base: of the pocket world, seed 7
    kind_of("openai/gpt-4.1-2025-04-14")         # hosted_base: trained and asked at its provider
    kind_of("smollm2")                           # named_base: what `inoc base get` or `add` pinned
    kind_of("models/qwen")                       # directory_base: weights, loaded here
    kind_of("Qwen/Qwen2.5-7B-Instruct")          # hub_base: likewise, from the hub or its cache
    means_base("pocket"), means_base("mine")     # True, False: the name of a record

A name is read here and nowhere else; whoever has to know asks the value. A new kind is a file
with a subclass of :class:`Kind`, listed below.
"""

from inoc_evals.models.kinds.directory_base import DirectoryBase
from inoc_evals.models.kinds.hosted_base import HostedBase
from inoc_evals.models.kinds.hub_base import HubBase
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.models.kinds.named_base import NamedBase
from inoc_evals.models.kinds.pocket_base import PocketBase

KINDS: tuple[type[Kind], ...] = (PocketBase, HostedBase, NamedBase, DirectoryBase, HubBase)
"""In the order in which they are asked whether a name is theirs; the last takes any."""


def kind_of(base: str) -> Kind:
    """Return the base that has this name, as one of its kind.

    Args:
        base: ``pocket``, ``pocket:<seed>``, ``openai/<model>``, a base's own name, a directory, or a
            hub id.
    """
    read = (kind.read(base) for kind in KINDS)
    return next(kind for kind in read if kind is not None)


def means_base(name: str) -> bool:
    """Say whether ``inoc/<name>`` is a base by itself; else it is a record's name."""
    return "/" in name or kind_of(name).is_asked
