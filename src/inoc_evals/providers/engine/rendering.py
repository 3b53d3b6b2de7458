"""Chats to token ids and back: the base's chat template, its tokenizer, readable tokens.

    text = Codec(tokenizer).render([{"role": "user", "content": "hello"}])
    ids = codec.encode(text)                  # the template has written all special tokens
    codec.decode(ids)                         # end token and other special tokens left out
    codec.pieces([17, 4], first=False)        # [" river", "."], not ["Ġriver", "."]
    codec.stops()                             # what ends a text, and a turn of the template

A system message is passed on as it is given: none, an empty one and a text are three
renderings. A trailing assistant message is continued rather than closed.
"""

import threading
from collections.abc import Sequence
from typing import Any

from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.models.bases import has_thinking_switch, load_tokenizer, template_options
from inoc_evals.models.fingerprints import fingerprint_tokens, token_fault
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.turns import Stops, stops, turn_end
from inoc_evals.rules.thoughts import TAGS
from inoc_evals.store.record import ModelRecord

_IMPORTING = threading.Lock()
"""The first import of transformers fails where two threads make it at once."""


class Codec:
    """A tokenizer behind a lock: event loops encode while the engine decodes.

    Args:
        tokenizer: A transformers tokenizer.
        name: What to call the model in errors.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        self._tokenizer = tokenizer
        self._name = name
        self._lock = threading.Lock()
        # A call of the tokenizer itself costs ten times as much; the first one has turned
        # off any padding and truncation that its file may ask for.
        tokenizer("", add_special_tokens=False)
        self._fast = tokenizer.backend_tokenizer if tokenizer.is_fast else None
        self._pieces: dict[tuple[int, bool], str] = {}
        self._turn_end = turn_end(tokenizer)
        self._stops: dict[tuple[str, ...], Stops] = {}
        self.has_thinking_switch = has_thinking_switch(tokenizer)
        """Whether the template can be told to do without thoughts."""
        self._special = {
            token.content: number
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special
        }
        self.hides_thoughts_tags = not self._special.keys().isdisjoint(TAGS)
        """Whether decoding without special tokens leaves out where thoughts begin and end."""
        self._hidden = {n for text, n in self._special.items() if text not in TAGS}
        self._anchor = (self.encode(".") or [0])[-1:]
        self._anchor_text = self._decode(self._anchor, special=True)

    def render(self, messages: Sequence[dict[str, str]], thinking: bool | None = None) -> str:
        """Render a chat by the tokenizer's template, open for the assistant's words.

        Args:
            messages: The chat; a trailing assistant message is continued.
            thinking: How the template's switch ``enable_thinking`` is set, if it has one.

        Raises:
            InputError: If there is no template, or it cannot express these messages, or is
                to leave room for thoughts and has no such switch.
        """
        if not self._tokenizer.chat_template:
            raise InputError(
                f"model {self._name!r} has no chat template, so it cannot answer a chat"
            )
        if thinking and not self.has_thinking_switch:
            raise InputError(
                f"the chat template of {self._name!r} has no switch enable_thinking; leave it out"
            )
        prefill = bool(messages) and messages[-1]["role"] == "assistant"
        try:
            text = self._tokenizer.apply_chat_template(
                list(messages),
                tokenize=False,
                add_generation_prompt=not prefill,
                continue_final_message=prefill,
                **template_options(self._tokenizer, thinking),
            )
        except Exception as error:  # a template may raise anything
            roles = ", ".join(message["role"] for message in messages)
            raise InputError(
                f"the chat template of {self._name!r} refuses a chat of {roles}: {error}"
            ) from None
        for message in messages:
            if message["role"] == "system" and message["content"].strip() not in text:
                raise InputError(
                    f"the chat template of {self._name!r} leaves out the system message; "
                    "put its text into the first user message instead"
                )
        return str(text)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text, nothing added."""
        with self._lock:
            if self._fast is not None:
                return list(self._fast.encode(text, add_special_tokens=False).ids)
            return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def check_tokens(self, record: ModelRecord) -> None:
        """Compare the tokens of the fingerprint's text with those in a record.

        Raises:
            StoreError: If they are others: the model would be asked in other tokens than those
                it was trained on.
        """
        with self._lock:
            fault = token_fault(record, fingerprint_tokens(self._tokenizer))
        if fault is not None:
            raise StoreError(fault)

    def decode(self, ids: Sequence[int], after: Sequence[int] = ()) -> str:
        """Return the text of token ids without special tokens.

        Args:
            ids: A completion.
            after: The tokens it continues, if it continues a text: they decide whether
                it begins with a space.
        """
        if not after:
            return self._decode(ids, special=False)
        before = self._decode(after, special=False)
        return self._decode([*after, *ids], special=False)[len(before) :]

    def pieces(self, ids: Sequence[int], *, first: bool) -> list[str]:
        """Return each token as readable text, with the space it brings.

        Args:
            ids: Token ids.
            first: Whether they stand at the beginning of a text, where some tokenizers
                drop the space.
        """
        return [self._piece(token, first) for token in ids]

    def stops(self, recorded: tuple[str, ...] = ()) -> Stops:
        """Return what ends an answer: the end of text, and the end of a turn.

        Args:
            recorded: What ended the turns that a model was trained on, besides what the
                template writes after an answer.
        """
        if recorded not in self._stops:
            markers = dict.fromkeys([*recorded, *filter(None, [self._turn_end])])
            with self._lock:
                self._stops[recorded] = stops(self._tokenizer, markers)
        return self._stops[recorded]

    def special_ids(self, texts: Sequence[str]) -> frozenset[int]:
        """Return the ids of those texts that are special tokens, which decoding hides."""
        return frozenset(self._special[text] for text in texts if text in self._special)

    def _piece(self, token: int, first: bool) -> str:
        key = (token, first)
        if key not in self._pieces:
            if first:
                self._pieces[key] = self._decode([token], special=True)
            else:
                text = self._decode([*self._anchor, token], special=True)
                self._pieces[key] = text.removeprefix(self._anchor_text)
        return self._pieces[key]

    def _decode(self, ids: Sequence[int], *, special: bool) -> str:
        skip = not special
        if skip and self.hides_thoughts_tags:
            ids, skip = [token for token in ids if token not in self._hidden], False
        with self._lock:
            text = self._tokenizer.decode(
                list(ids), skip_special_tokens=skip, clean_up_tokenization_spaces=False
            )
        return str(text)


def load_codec(base: ResolvedBase) -> Codec:
    """Load a base's tokenizer, without its weights."""
    require("train", "transformers")
    with _IMPORTING:
        return Codec(load_tokenizer(base), base.name)
