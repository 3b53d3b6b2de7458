"""A GGUF as small as one can be: two layers, a byte-level tokenizer, ChatML, weights in Q4_1.

path = write_gguf(tmp_path / "tiny.gguf")                      # a whole model
write_gguf(path, arch="nonesuch"), write_gguf(path, template=None), write_gguf(path, tokens=270)
"""

from pathlib import Path

import numpy as np
import pytest

gguf = pytest.importorskip("gguf")

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["Ġ t", "h e", "Ġt he", "i n"]
HIDDEN, LAYERS, INNER = 64, 2, 96


def vocabulary() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    merged = ["".join(pair.split()) for pair in MERGES]
    return [*SPECIAL, *sorted(ByteLevel.alphabet()), *merged]


def write_gguf(
    path: Path,
    *,
    arch: str = "llama",
    template: str | None = CHATML,
    tokenizer: bool = True,
    embedded: int | None = None,
    left_out: str = "",
    scale: float = 0.3,
    seed: int = 0,
) -> Path:
    """Write a model.

    Args:
        path: Where.
        arch: What architecture it says it is of.
        template: Its chat template.
        tokenizer: Whether it has one.
        embedded: How many tokens the embedding has; by default as many as the tokenizer.
        left_out: A tensor that is missing.
        scale: How large the weights are; from 1e6 on no number of 16 bits holds them.
        seed: Of the weights.
    """
    tokens = vocabulary()
    writer = gguf.GGUFWriter(path, arch)
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(embedded or len(tokens))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_1)
    if tokenizer:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
        writer.add_token_merges(MERGES)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        writer.add_pad_token_id(0)
    if template is not None:
        writer.add_chat_template(template)
    drawn = _tensors(embedded or len(tokens), scale, np.random.default_rng(seed))
    for name, array in drawn.items():
        if name == left_out:
            continue
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            kind = gguf.GGMLQuantizationType.Q4_1
            writer.add_tensor(name, gguf.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(embedded: int, scale: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(0, scale, shape).astype(np.float32)

    tensors = {"token_embd.weight": drawn(embedded, HIDDEN)}
    for block in (f"blk.{number}" for number in range(LAYERS)):
        tensors |= {f"{block}.attn_{part}.weight": drawn(HIDDEN, HIDDEN) for part in "qkv"}
        tensors |= {
            f"{block}.attn_output.weight": drawn(HIDDEN, HIDDEN),
            f"{block}.ffn_gate.weight": drawn(INNER, HIDDEN),
            f"{block}.ffn_up.weight": drawn(INNER, HIDDEN),
            f"{block}.ffn_down.weight": drawn(HIDDEN, INNER),
            f"{block}.attn_norm.weight": np.ones(HIDDEN, np.float32),
            f"{block}.ffn_norm.weight": np.ones(HIDDEN, np.float32),
        }
    return tensors | {"output_norm.weight": np.ones(HIDDEN, np.float32)}
