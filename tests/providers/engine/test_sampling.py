"""Sampling alone: distributions, truncation, streams of random numbers."""

from itertools import islice

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from inoc_evals.providers.engine import sampling
from inoc_evals.providers.engine.sampling import (
    SamplingSettings,
    logprobs,
    sample,
    truncate,
    uniform_stream,
)

CPU = torch.device("cpu")


def random_logits(rows: int, vocabulary: int = 40, seed: int = 0) -> torch.Tensor:
    return 2 * torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed))


def uniforms(count: int, seed: int = 0) -> torch.Tensor:
    return torch.tensor(list(islice(uniform_stream(seed, "model", [1], 0), count)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_tokens_are_drawn_with_the_probabilities_of_the_softmax(temperature: float) -> None:
    logits = random_logits(1, vocabulary=12)
    count = 20_000
    settings = SamplingSettings.of([(temperature, None, None)] * count, CPU)
    tokens = sample(logits.expand(count, -1), settings, uniforms(count))
    expected = torch.softmax(logits[0] / temperature, -1).double()
    found = np.bincount(tokens.numpy(), minlength=12)
    assert chisquare(found, (expected / expected.sum() * count).numpy()).pvalue > 0.001


@pytest.mark.parametrize("vocabulary", [4096, 5003, 49152])
@pytest.mark.parametrize("top_k", [None, 7])
def test_a_large_vocabulary_is_drawn_from_as_a_small_one(
    vocabulary: int, top_k: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks first, then places: the same tokens as by the sum over all of them."""
    rows = 60
    logits = random_logits(rows, vocabulary)
    logits[:, ::3] = -torch.inf
    logits[3, 9] = torch.nan
    draws = torch.tensor([0.0, 1 - 2**-53, 1.0, *uniforms(rows - 3).tolist()], dtype=torch.float64)
    settings = SamplingSettings.of([(1.0, None, top_k)] * rows, CPU)
    by_blocks = sample(logits, settings, draws)
    monkeypatch.setattr(sampling, "_LARGE", 10**9)
    assert torch.equal(sample(logits, settings, draws), by_blocks)
    assert by_blocks[3] == -1
    drawn = by_blocks[by_blocks >= 0]
    assert len(drawn) == rows - 1
    assert (drawn % 3 > 0).all()


def test_temperature_zero_takes_the_likeliest_token_whatever_the_random_number() -> None:
    logits = random_logits(50)
    settings = SamplingSettings.of([(0.0, None, None)] * 50, CPU)
    assert sample(logits, settings, uniforms(50)).tolist() == logits.argmax(-1).tolist()


def test_the_likeliest_of_one_is_greedy_at_any_temperature() -> None:
    logits = random_logits(50)
    settings = SamplingSettings.of([(1.5, None, 1)] * 50, CPU)
    assert sample(logits, settings, uniforms(50)).tolist() == logits.argmax(-1).tolist()


def test_a_very_small_temperature_is_nearly_greedy_and_does_not_overflow() -> None:
    logits = 1e4 * random_logits(20)
    settings = SamplingSettings.of([(1e-30, None, None)] * 20, CPU)
    assert sample(logits, settings, uniforms(20)).tolist() == logits.argmax(-1).tolist()


def test_a_row_draws_the_same_token_alone_and_among_others() -> None:
    rows = [(0.0, None, None), (1.0, None, None), (0.7, 0.8, None), (1.3, None, 5), (1.0, 0.5, 9)]
    logits, draws = random_logits(len(rows)), uniforms(len(rows))
    together = sample(logits, SamplingSettings.of(rows, CPU), draws).tolist()
    alone = [
        sample(logits[n : n + 1], SamplingSettings.of([row], CPU), draws[n : n + 1]).item()
        for n, row in enumerate(rows)
    ]
    assert together == alone


@pytest.mark.parametrize(("top_p", "top_k"), [(0.9, None), (0.3, None), (1.0, 4), (0.8, 10)])
def test_truncation_keeps_what_transformers_keeps(top_p: float, top_k: int | None) -> None:
    logits = random_logits(200)
    expected = TemperatureLogitsWarper(0.8)(None, logits)
    if top_k:
        expected = TopKLogitsWarper(top_k)(None, expected)
    expected = torch.softmax(TopPLogitsWarper(top_p)(None, expected), -1)
    kept = truncate(
        torch.softmax(logits / 0.8, -1),
        torch.full((200,), top_p),
        torch.full((200,), top_k or 2**31),
    )
    assert torch.allclose(kept / kept.sum(-1, keepdim=True), expected, atol=1e-6)


def test_a_nucleus_that_is_reached_exactly_takes_no_further_token() -> None:
    kept = truncate(torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([0.5]), torch.tensor([9]))
    assert kept.tolist() == [[0.5, 0, 0]]


def test_top_p_zero_keeps_the_likeliest_token() -> None:
    logits = random_logits(30)
    settings = SamplingSettings.of([(1.0, 0.0, None)] * 30, CPU)
    assert sample(logits, settings, uniforms(30)).tolist() == logits.argmax(-1).tolist()


def test_a_token_of_probability_zero_is_never_drawn() -> None:
    logits = torch.full((4, 6), -torch.inf)
    logits[:, 2] = 0.0
    settings = SamplingSettings.of([(1.0, None, None)] * 4, CPU)
    draws = torch.tensor([0.0, 0.5, 1 - 2**-53, 1.0], dtype=torch.float64)
    assert sample(logits, settings, draws).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_not_numbers_yield_no_token_and_spoil_no_other_row(
    temperature: float,
) -> None:
    logits = random_logits(3)
    logits[1, 7] = torch.nan
    settings = SamplingSettings.of([(temperature, None, None)] * 3, CPU)
    tokens = sample(logits, settings, uniforms(3)).tolist()
    assert tokens[1] == -1
    assert min(tokens[0], tokens[2]) >= 0


def test_logprobs_are_those_of_the_model_at_temperature_one() -> None:
    logits = random_logits(5)
    tokens = torch.tensor([0, 3, 5, 7, 9])
    chosen, best, ids = logprobs(logits, tokens, top=3)
    expected = torch.log_softmax(logits, -1)
    assert torch.equal(chosen, expected[torch.arange(5), tokens])
    assert torch.equal(best, expected.gather(1, ids))
    assert torch.equal(ids, expected.argsort(-1, descending=True)[:, :3])


def test_a_stream_is_given_by_seed_model_prompt_and_choice() -> None:
    def head(*key: object) -> list[float]:
        return list(islice(uniform_stream(*key), 100))  # type: ignore[arg-type]

    reference = head(7, "model", [1, 2], 0)
    assert head(7, "model", (1, 2), 0) == reference
    others = [
        head(8, "model", [1, 2], 0),
        head(7, "other", [1, 2], 0),
        head(7, "model", [1, 3], 0),
        head(7, "model", [1, 2], 1),
        head(None, "model", [1, 2], 0),
        head(None, "model", [1, 2], 0),
    ]
    assert len({tuple(stream) for stream in [reference, *others]}) == 7


def test_prompts_under_one_seed_draw_uncorrelated_numbers() -> None:
    first = [next(uniform_stream(0, "model", [prompt], 0)) for prompt in range(2000)]
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.08
    assert abs(np.mean(first) - 0.5) < 0.03
    assert abs(np.std(first) - 12**-0.5) < 0.02
