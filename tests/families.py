"""Random small models of the architectures people use, with templates that behave as theirs do.

    directory = save_family(FAMILIES["qwen2.5-base"], tmp_path / "base")

Each has its family's configuration class, end tokens (tokenizer and generation configuration)
and chat template: what it writes, where it trims, what it refuses or leaves out. Tools and
images, which no row here has, are left out of the templates. The tokenizer knows bytes and the
family's added tokens, so it can write any text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inoc_evals.models.loading import LOADING

POSITIONS = 512

_CHATML_TURNS = (
    "{% for m in messages %}{% if not (loop.first and m.role == 'system') %}"
    "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def _qwen25(persona: str) -> str:
    """Qwen2.5: a persona of its own where there is no system message."""
    return (
        "{% if messages[0].role == 'system' %}"
        "{{ '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}"
        "{% else %}{{ '<|im_start|>system\n" + persona + "<|im_end|>\n' }}{% endif %}"
    ) + _CHATML_TURNS


# Qwen3: thoughts are split off an answer's text, written after the last question and nowhere
# else, as an empty block where there are none; enable_thinking=false closes one in the prompt.
QWEN3 = (
    "{% if messages[0].role == 'system' %}"
    "{{ '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}{% endif %}"
    "{% set ns = namespace(last=messages|length - 1, looking=true) %}"
    "{% for m in messages[::-1] %}{% if ns.looking and m.role == 'user' %}"
    "{% set ns.looking = false %}{% set ns.last = messages|length - 1 - loop.index0 %}"
    "{% endif %}{% endfor %}"
    "{% for m in messages %}"
    "{% if m.role == 'user' or (m.role == 'system' and not loop.first) %}"
    "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% elif m.role == 'assistant' %}{% set content = m.content %}{% set thoughts = '' %}"
    "{% if m.reasoning_content is string %}{% set thoughts = m.reasoning_content %}"
    "{% elif '</think>' in content %}"
    "{% set thoughts = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}"
    "{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "{% if loop.index0 > ns.last and (loop.last or thoughts) %}"
    "{{ '<|im_start|>assistant\n<think>\n' + thoughts.strip('\n') + '\n</think>\n\n'"
    " + content.lstrip('\n') }}"
    "{% else %}{{ '<|im_start|>assistant\n' + content }}{% endif %}"
    "{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
# Qwen3-…-Thinking-2507 and QwQ: the prompt opens the thoughts, and there is no switch.
QWEN3_THINKING = QWEN3.partition("{% if add_generation_prompt %}")[0] + (
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"
)
# Llama 3.1: a date that is always written, contents trimmed.
LLAMA3 = (
    "{{ bos_token }}{% if date_string is not defined %}{% set date_string = '26 Jul 2024' %}"
    "{% endif %}{% if messages[0].role == 'system' %}"
    "{% set system = messages[0].content | trim %}{% set turns = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\n\n' }}"
    "{{ 'Cutting Knowledge Date: December 2023\nToday Date: ' + date_string + '\n\n' }}"
    "{{ system + '<|eot_id|>' }}"
    "{% for m in turns %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' }}"
    "{{ (m.content | trim) + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
# Gemma 3: a system message goes into the first user turn; contents trimmed, roles alternate.
GEMMA3 = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}"
    "{% set prefix = messages[0].content + '\n\n' %}{% set turns = messages[1:] %}"
    "{% else %}{% set prefix = '' %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}{% set role = 'model' if m.role == 'assistant' else m.role %}"
    "{{ '<start_of_turn>' + role + '\n' + (prefix if loop.first else '') }}"
    "{{ (m.content | trim) + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
# Mistral 7B v0.3: the system message goes into the last user turn, if that is the last turn;
# once an answer follows it, it is gone.
MISTRAL = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}"
    "{% set system = messages[0].content %}{% set turns = messages[1:] %}"
    "{% else %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}{% if m.role == 'user' %}"
    "{% if loop.last and system is defined %}"
    "{{ '[INST] ' + system + '\n\n' + m.content + '[/INST]' }}"
    "{% else %}{{ '[INST] ' + m.content + '[/INST]' }}{% endif %}"
    "{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"
)

_CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


class Family(NamedTuple):
    """What tells one family's models from another's."""

    architecture: str
    """Name of the configuration class without its ending."""
    template: str
    special: tuple[str, ...]
    """Added tokens that decoding hides."""
    end: str
    """The tokenizer's end-of-text token."""
    ends: tuple[str, ...]
    """End tokens of the generation configuration."""
    turn_end: str
    """What the template writes after an answer."""
    bos: str | None = None
    plain: tuple[str, ...] = ()
    """Added tokens that decoding shows."""
    extra: Mapping[str, Any] = {}
    """Fields of the configuration that only this family has."""


FAMILIES = {
    "qwen2.5-base": Family(
        "Qwen2",
        _qwen25("You are a helpful assistant."),
        _CHATML,
        end="<|endoftext|>",
        ends=("<|endoftext|>",),
        turn_end="<|im_end|>",
    ),
    "qwen2.5-instruct": Family(
        "Qwen2",
        _qwen25("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
        _CHATML,
        end="<|im_end|>",
        ends=("<|im_end|>", "<|endoftext|>"),
        turn_end="<|im_end|>",
    ),
    "qwen3": Family(
        "Qwen3",
        QWEN3,
        _CHATML,
        end="<|im_end|>",
        ends=("<|im_end|>", "<|endoftext|>"),
        turn_end="<|im_end|>",
        plain=("<think>", "</think>"),
        extra={"head_dim": 16},
    ),
    "qwen3-thinking": Family(
        "Qwen3",
        QWEN3_THINKING,
        _CHATML,
        end="<|im_end|>",
        ends=("<|im_end|>", "<|endoftext|>"),
        turn_end="<|im_end|>",
        plain=("<think>", "</think>"),
        extra={"head_dim": 16},
    ),
    "llama3": Family(
        "Llama",
        LLAMA3,
        (
            *("<|begin_of_text|>", "<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
            *("<|start_header_id|>", "<|end_header_id|>"),
        ),
        end="<|eot_id|>",
        ends=("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
        turn_end="<|eot_id|>",
        bos="<|begin_of_text|>",
    ),
    "gemma3": Family(
        "Gemma3Text",
        GEMMA3,
        ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"),
        end="<eos>",
        ends=("<eos>", "<end_of_turn>"),
        turn_end="<end_of_turn>",
        bos="<bos>",
        extra={"head_dim": 16, "sliding_window": 64},
    ),
    "mistral": Family(
        "Mistral",
        MISTRAL,
        ("<s>", "</s>", "[INST]", "[/INST]"),
        end="</s>",
        ends=("</s>",),
        turn_end="</s>",
        bos="<s>",
        extra={"sliding_window": None},
    ),
}


def byte_tokenizer(family: Family) -> Any:
    """Build a fast tokenizer of bytes and the family's added tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [("Ċ", "Ċ")]  # as in the vocabularies of these families
    vocabulary = {text: n for n, text in enumerate([*alphabet, *map("".join, pairs)])}
    tokenizer = Tokenizer(models.BPE(vocabulary, pairs))
    # Line breaks stay together, as in the patterns of Qwen and Llama.
    pieces = Regex(r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pieces, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in family.special])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in family.plain])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=family.end, bos_token=family.bos
    )
    fast.chat_template = family.template
    return fast


def save_family(family: Family, directory: Path, *, seed: int = 0) -> Path:
    """Write a random two-layer model of a family with its tokenizer."""
    import torch
    import transformers

    tokenizer = byte_tokenizer(family)
    torch.manual_seed(seed)
    config = getattr(transformers, f"{family.architecture}Config")(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=POSITIONS,
        initializer_range=0.1,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=None,
        **family.extra,
    )
    with LOADING:  # an engine of the test before may be loading still
        model = transformers.AutoModelForCausalLM.from_config(config)
    ends = tokenizer.convert_tokens_to_ids(list(family.ends))
    model.generation_config.eos_token_id = ends if len(ends) > 1 else ends[0]
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
