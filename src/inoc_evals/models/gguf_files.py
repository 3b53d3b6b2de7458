"""GGUF files: what one says of itself, and the model directory that is made of it.

    header = read_header(Path("model.gguf"))     # architecture, tokens, how it is quantised
    convert(path, header, directory, "mine")     # weights unpacked into bfloat16, safetensors

    a file ──read_header──▶ whole? a tokenizer, a template? ──transformers──▶ model, tokenizer
           ──▶ saved ──▶ the tokenizer read again splits and renders as the file's

What does not fit is refused before weights are read: a file that is cut, an embedding of another
size than the vocabulary, no chat template. The generation settings that are saved name the ids
that begin, end and pad, and nothing about sampling.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.files.disk import writing_to
from inoc_evals.models.bases import load_tokenizer, template_options
from inoc_evals.models.kinds.kind import ResolvedBase

_WHOLE = ("F32", "F16", "BF16", "F64")
"""Types of tensors that are not quantised."""

_SAID = 160
_TEXTS = (
    "The train leaves at 17:45, and 3 of 128 seats are free.",
    "¿Cuántos años tienes? – été, naïve, Straße, 東京 🙂",
    "def f(x):\n    return x ** 2  # twice\n\n\tHELLO WORLD",
)
"""Sentences that a tokenizer has to split as before when it was saved and read again."""


class Header(NamedTuple):
    """What a GGUF file says of itself."""

    architecture: str
    quantised: str | None
    """``Q4_1`` and the like; None if no tensor is."""
    tokens: int
    """Of the tokenizer; 0 without one."""
    rows: int
    """Of the embedding; 0 without one."""
    has_template: bool


def read_header(path: Path) -> Header:
    """Read what a GGUF file says of itself, and see whether all of it is there.

    Raises:
        InputError: If it is not a GGUF, damaged, or cut short.
        MissingExtraError: Without the library that reads the format.
    """
    require("gguf", "gguf")
    from gguf import GGUFReader

    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise InputError(refusal(path, "not a GGUF file: it does not begin as one"))
    try:
        return _header(GGUFReader(path))
    except MemoryError:
        raise
    except Exception as error:  # of numpy, of struct, of the text's encoding
        said = " ".join(str(error).split())[:_SAID] or type(error).__name__
        raise InputError(refusal(path, f"cut short or damaged ({said})")) from error


def refuse_unfit(path: Path, header: Header) -> None:
    """Refuse a file whose tokenizer is missing, or not the one of its weights.

    Raises:
        InputError: Naming what does not fit.
    """
    if not header.tokens:
        raise InputError(refusal(path, "it has no tokenizer"))
    if header.tokens != header.rows:
        raise InputError(
            refusal(
                path,
                f"its tokenizer does not fit: {header.tokens} tokens, and an embedding "
                f"of {header.rows}",
            )
        )
    if not header.has_template:
        raise InputError(refusal(path, "it has no chat template, so no chat can be put to it"))


def convert(path: Path, header: Header, directory: Path, name: str) -> None:
    """Write the model directory of a GGUF file: safetensors, tokenizer, configuration.

    Args:
        path: The file.
        header: What it says of itself.
        directory: An empty directory.
        name: Of the base, for errors.

    Raises:
        InputError: If its architecture is unknown, its tensors are not those of it, or its
            tokenizer is another once saved.
    """
    from transformers import GenerationConfig

    from inoc_evals.models.loading import load_gguf, quietly

    with TemporaryDirectory() as alone:  # a loader takes what lies beside the file
        link = Path(alone) / "model.gguf"
        _put(path, link)
        try:
            model, tokenizer = load_gguf(ResolvedBase(name, alone, ""), link.name)
        except InputError as error:
            what = f"transformers does not know its architecture, {header.architecture!r}"
            raise InputError(refusal(path, f"{what} ({error.message})")) from error
        except StoreError as error:
            raise InputError(refusal(path, error.message.partition(": ")[2])) from error
    if not all(bool(weights.isfinite().all()) for weights in model.parameters()):
        raise InputError(refusal(path, "damaged: some of its weights are no numbers"))
    ends = model.generation_config
    model.generation_config = GenerationConfig(
        bos_token_id=ends.bos_token_id,
        eos_token_id=ends.eos_token_id,
        pad_token_id=ends.pad_token_id,
    )
    with writing_to(directory), quietly():
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
    saved = load_tokenizer(ResolvedBase(name, str(directory), ""))
    if _shown(saved) != _shown(tokenizer):
        raise InputError(refusal(path, "its tokenizer splits otherwise once it is saved"))


def refusal(path: Path, why: str) -> str:
    """Say in two lines why a file is not taken."""
    return f"{path}: {why};\nnothing was added; get the file again, or another one"


def _header(reader: Any) -> Header:
    def value(key: str) -> Any:
        field = reader.get_field(key)
        return None if field is None else field.contents()

    tokens = reader.get_field("tokenizer.ggml.tokens")
    shapes = {tensor.name: [int(side) for side in tensor.shape] for tensor in reader.tensors}
    types = {tensor.tensor_type.name for tensor in reader.tensors}
    embedding = shapes.get("token_embd.weight")
    packed = sorted(types.difference(_WHOLE))
    return Header(
        architecture=str(value("general.architecture")),
        quantised=_called(value("general.file_type"), packed) if packed else None,
        tokens=len(tokens.data) if tokens is not None else 0,
        rows=embedding[-1] if embedding else 0,
        has_template=bool(str(value("tokenizer.chat_template") or "").strip()),
    )


def _called(file_type: Any, packed: list[str]) -> str:
    """Return what a way to quantise is called, ``Q4_K_M``; else the types of the tensors."""
    from gguf import LlamaFileType

    try:
        return str(LlamaFileType(int(file_type)).name).removeprefix("MOSTLY_")
    except (TypeError, ValueError):
        return "+".join(packed)


def _put(path: Path, link: Path) -> None:
    try:
        link.symlink_to(path.resolve())
    except OSError:  # of a system that has no links
        import shutil

        shutil.copyfile(path, link)


def _shown(tokenizer: Any) -> list[Any]:
    """Return how a tokenizer splits texts and renders a chat."""
    chat = [{"role": "user", "content": _TEXTS[0]}, {"role": "assistant", "content": _TEXTS[1]}]
    options = template_options(tokenizer)
    rendered = tokenizer.apply_chat_template(chat, tokenize=False, **options)
    return [
        *(tokenizer(text)["input_ids"] for text in (*_TEXTS, rendered)),
        rendered,
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
    ]
