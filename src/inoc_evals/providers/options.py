"""`-M` arguments of a local model: checked, and as the engine takes them.

engine_options({"batch_size": 64})                # -M batch_size=64
take_thinking({"enable_thinking": True})          # -M enable_thinking=true; taken out
"""

from collections.abc import Mapping
from typing import Any

from inoc_evals.errors import InputError
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
