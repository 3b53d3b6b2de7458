"""The model that writes rows: its answers, without what it thought before them."""

import asyncio

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
from inoc_evals.datasets.writing.journal import Reply
from inoc_evals.datasets.writing.model import WritingModel
from inoc_evals.datasets.writing.requests import Sampling
from scripted import Said, script


def test_thoughts_do_not_get_into_rows() -> None:
    name = script("writer", Said("<think>They want capitals.</think>HELLO.", None, "stop"))
    model = WritingModel(name, concurrency=1, cache=False)

    async def ask() -> Reply:
        return await model.reply([{"role": "user", "content": "Shout."}], Sampling(), 0)

    reply = asyncio.run(ask())
    assert (reply.text, reply.stop_reason) == ("HELLO.", "stop")
