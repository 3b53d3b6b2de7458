"""One record's file, read: the record, or in words what is wrong with it and what to do.

    read_record(store.models / "m.json")     # ModelRecord(name="m", ...)
    # StoreError: .../alias.json: damaged record (it is called 'm' inside); delete that file, or: ...

A file that another was copied to, or whose fields lead elsewhere, is damaged: to remove what it
names would remove another model's adapter.
"""

from pathlib import Path

from pydantic import ValidationError

from inoc_evals.errors import StoreError
from inoc_evals.store.names import is_name
from inoc_evals.store.record import ModelRecord


def read_record(path: Path) -> ModelRecord:
    """Read ``<name>.json``.

    Raises:
        FileNotFoundError: If it is not there.
        StoreError: If it is no readable record, or one of another name.
    """
    try:
        record = ModelRecord.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise
    except UnicodeDecodeError:
        raise _damaged(path, "not UTF-8") from None
    except OSError as error:
        raise _damaged(path, f"cannot be read: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "file"
        raise _damaged(path, f"{where}: {fault['msg']}") from None
    if not is_name(path.stem):
        raise _damaged(path, "its file's name is not one of a model")
    if record.name != path.stem:
        raise _damaged(path, f"it is called {record.name!r} inside")
    return record


def _damaged(path: Path, why: str) -> StoreError:
    how = f", or: inoc models rm {path.stem}" if is_name(path.stem) else ""
    return StoreError(f"{path}: damaged record ({why}); delete that file{how}")
