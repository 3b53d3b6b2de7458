"""Names and `-M` arguments: which base and adapter `inoc/<name>` means, and how it is run.

base, adapter = resolve_model("my-run@3f2a91")    # a record of the store, at a revision
base, _ = resolve_model("pocket:7")               # a pocket base
base, _ = resolve_model("Qwen/Qwen2.5-0.5B")      # any name with a slash: a base
engine_options({"batch_size": 64})                # -M batch_size=64
"""

from typing import Any

from click import ClickException

from inoc_evals.bases import ResolvedBase, pocket_seed, resolve_base
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.providers.request import Adapter
from inoc_evals.records import Store


def resolve_model(name: str, store: Store | None = None) -> tuple[ResolvedBase, Adapter | None]:
    """Find the model that ``inoc/<name>`` means: a base, or a record's base and adapter.

    Raises:
        InputError: If there is no such model; the message lists those there are.
        StoreError: If the adapter's file or the base is not the one of the record.
    """
    store = store or Store()
    if pocket_seed(name) is not None or "/" in name:
        return resolve_base(name, store), None
    record = store.get(name)
    store.verify_adapter(record)
    base = resolve_base(record.base, store)
    if base.digest != record.base_digest:
        raise StoreError(
            f"model {record.name!r} was trained on {record.base!r} with digest "
            f"{record.base_digest[:12]}; that base now has {base.digest[:12]}: train it again"
        )
    return base, Adapter(record, store.root)


def engine_options(model_args: dict[str, Any]) -> dict[str, Any]:
    """Check the ``-M`` arguments and return them as arguments of ``engine_for``.

    Raises:
        InputError: For one that is unknown or of the wrong type.
    """
    known: dict[str, type] = {"batch_size": int, "device": str, "dtype": str, "threads": int}
    for name, value in model_args.items():
        if name not in known:
            raise InputError(f"-M {name}: unknown; inoc/ models take {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, known[name]):
            raise InputError(f"-M {name}={value!r}: expected {known[name].__name__}")
        if isinstance(value, int) and value < 1:
            raise InputError(f"-M {name}={value}: must be at least 1")
    return model_args


def printable(error: InocError) -> InocError:
    """Return the error as one that Inspect's command line prints in one line.

    Inspect has no public exception for this, but its command line is a click program,
    and click prints a ClickException as "Error: <message>".
    """
    kind = type(error)
    printable: InocError = type(kind.__name__, (kind, ClickException), {})(str(error))
    ClickException.__init__(printable, str(error))  # type: ignore[arg-type]
    return printable
