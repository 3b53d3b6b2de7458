"""The tokens of an answer after its prompt, as inference has them: none of both.

    before, own = answer_tokens(tokenizer, rendered_prompt, "    return 1<|im_end|>")

A tokenizer may join the prompt's last line break with an indentation. At inference the prompt's
tokens are there first, and the answer has tokens of its own.
"""

from typing import Any


def answer_tokens(tokenizer: Any, prompt: str, answer: str) -> tuple[list[int], list[int]] | None:
    """Return the tokens of a rendered prompt, and those of what stands after it.

    Args:
        tokenizer: A transformers tokenizer.
        prompt: Rendered text, which holds its special tokens already.
        answer: The rendered text after it.

    Returns:
        Both; None if the answer by itself is tokenized as another text, as by a tokenizer that
        puts a space before any.
    """

    def tokens(text: str) -> list[int]:
        # Adding special tokens would double Llama's BOS.
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    before, whole = tokens(prompt), tokens(prompt + answer)
    if whole[: len(before)] == before:
        return before, whole[len(before) :]
    own = tokens(answer)
    said = tokenizer.decode(own, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return (before, own) if said == answer else None
