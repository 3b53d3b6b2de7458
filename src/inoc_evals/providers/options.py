"""`-M` arguments of a local model: checked, and as the engine takes them.

engine_options({"batch_size": 64})                # -M batch_size=64
take_thinking({"enable_thinking": True})          # -M enable_thinking=true; taken out
served_dtype(meaning, {})                         # "bfloat16" where a CPU is faster with it
"""

from collections.abc import Mapping
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.models.cpu_precision import cpu_dtype
from inoc_evals.providers.meaning import Meaning
from inoc_evals.store.record import ModelRecord


def take_thinking(arguments: dict[str, Any]) -> dict[str, bool]:
    """Take ``enable_thinking`` out of the ``-M`` arguments and return it, if it is there.

    Raises:
        InputError: If it is neither true nor false.
    """
    given = arguments.pop("enable_thinking", None)
    if given is not None and not isinstance(given, bool):
        raise InputError(f"-M enable_thinking={given!r}: expected true or false")
    return {} if given is None else {"enable_thinking": given}


def thinking_of(record: ModelRecord | None, asked: Mapping[str, bool]) -> bool | None:
    """Return how a template's switch ``enable_thinking`` is set for a model.

    As ``-M`` says, else as the model was trained, and off for a base. None leaves it to the
    template: so were models trained of which the record says nothing.
    """
    trained = record.thinking if record is not None else False
    return asked.get("enable_thinking", trained)


def engine_options(model_args: dict[str, Any]) -> dict[str, Any]:
    """Check the ``-M`` arguments and return them as arguments of ``engine_for``.

    Raises:
        InputError: For one that is unknown or of the wrong type.
    """
    known: dict[str, type] = {"batch_size": int, "device": str, "dtype": str, "threads": int}
    for name, value in model_args.items():
        if name not in known:
            raise InputError(
                f"-M {name}: unknown; inoc/ models take {', '.join(known)}, enable_thinking, backend"
            )
        if isinstance(value, bool) or not isinstance(value, known[name]):
            raise InputError(f"-M {name}={value!r}: expected {known[name].__name__}")
        if isinstance(value, int) and value < 1:
            raise InputError(f"-M {name}={value}: must be at least 1")
    return model_args


def served_dtype(meaning: Meaning, options: Mapping[str, Any]) -> str:
    """Return the data type that a model is served in: what ``-M`` asks for, else what is best here.

    On a CPU that is bfloat16 for a base that is stored in it, if the processor is faster with it
    and rows stay independent of each other (engine/steady.py), and float32 for an adapter that
    was trained in float32. ``auto`` leaves it to the engine, as does a GPU.
    """
    from inoc_evals.providers.engine.steady import steady_here
    from inoc_evals.providers.engine.weights import default_device

    asked, device = options.get("dtype", "auto"), options.get("device") or default_device()
    if asked != "auto" or device != "cpu" or meaning.base is None:
        return str(asked)
    record = meaning.record
    if record is not None and record.metrics.get("dtype", "float32") == "float32":
        return "auto"
    return "bfloat16" if cpu_dtype(meaning.base) == "bfloat16" and steady_here() else "auto"
