"""The engine: one thread a base, which batches whatever requests are in flight.

    engine = engine_for(base, device="cpu", dtype="auto")     # one per base in the process
    engine.submit(request)                                    # from any thread

    loop:  take new requests -> choose a group -> let pending ones join its batch
           -> some steps of that batch -> the next group

Requests of the base and of several adapters run in one group (grouping.py) as far as one forward
pass can be of them all; groups take turns, so that none starves. An adapter that cannot be loaded
fails its own requests only, and a step that fails those of its group; a thread that ends answers
everyone who waits.
"""

import atexit
import threading
import time
from collections import deque

import torch

from inoc_evals.errors import InocError, InputError
from inoc_evals.models.collector import undisturbed
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.openmp import workers_let_go
from inoc_evals.providers.engine.grouping import Group, Room
from inoc_evals.providers.engine.rendering import Codec, load_codec
from inoc_evals.providers.engine.request import Completion, Request
from inoc_evals.providers.engine.weights import Weights, default_device

DEFAULT_ROWS = 256
_STATIC_ROWS = 64
_TURN_STEPS = 64
_LONGEST_TURN_STEPS = 256
_QUIET_SECONDS = 0.003
_GATHER_SECONDS = 0.1
_STREAM_GAP = 0.012
"""Requests that come one by one, as Inspect begins its samples, are no further apart."""
_STREAM_SECONDS = 1.0
"""How long those of a stream are waited for, where a step takes less than they are apart."""
_STREAM_ROWS = 128
"""With so many rows a small model's step is as good as it gets."""
_CPU_CACHE_BYTES = 4 * 2**30
_PREFILLS_SHARE = 8
"""One part in so many of the cache's memory is for prompts that may be asked again, at most."""
_LEAST_PREFILLS = 96 * 2**20
"""Bytes of it that there are for a small base, too; a larger one has a quarter of its weights'."""
_SMALL_PARAMETERS = 5_000_000


class Engine:
    """Serves a base and its adapters from one thread; start with :func:`engine_for`.

    Args:
        base: The base model.
        device: A torch device.
        dtype: See :meth:`inoc_evals.providers.engine.weights.Weights.load`.
        threads: CPU threads of a forward pass; by default PyTorch's number, or one for a
            model so small that dividing its work costs more than it saves.
    """

    def __init__(
        self, base: ResolvedBase, *, device: str, dtype: str, threads: int | None = None
    ) -> None:
        self.base = base
        self.max_rows = DEFAULT_ROWS
        self.error: Exception | None = None
        """What stopped the engine for good, e.g. a base that cannot be loaded."""
        self._device, self._dtype, self._threads = device, dtype, threads
        self._codec: Codec | None = None
        self._codec_lock = threading.Lock()
        self._wake = threading.Condition()
        self._incoming: deque[Request] = deque()
        self._groups: deque[Group] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._cache_tokens = 0
        self._small = False
        self._came = 0.0
        self._stream = False

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopping

    @property
    def running(self) -> int:
        """Number of completions being decoded."""
        return sum(group.running for group in list(self._groups))

    @property
    def _busy(self) -> bool:
        return bool(self._incoming) or any(
            group.pending or group.starting or group.running for group in list(self._groups)
        )

    @property
    def codec(self) -> Codec:
        """The base's tokenizer; the first use loads it."""
        with self._codec_lock:
            if self._codec is None:
                self._codec = load_codec(self.base)
            return self._codec

    def submit(self, request: Request) -> None:
        """Queue a request; its ``deliver`` is called when it is done or has failed."""
        with self._wake:
            if self.error is None:
                now = time.monotonic()
                # Of one client that waits for each answer there is nothing else under way.
                self._stream = now - self._came < _STREAM_GAP and self._busy
                self._came = now
                self._incoming.append(request)
                if self._thread is None:
                    name = f"inoc-engine-{self.base.name}"
                    self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                    self._thread.start()
                self._wake.notify()
                return
        request.answer(self.error)

    def stop(self, timeout: float = 5.0) -> None:
        """Let the thread end after the step it is at; what is unanswered fails."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    # ---- the engine's thread ---------------------------------------------------------

    def _run(self) -> None:
        error: BaseException = InocError("the engine was stopped")
        try:
            weights = self._load()
            with torch.inference_mode():
                while self._work_arrives():
                    with undisturbed(), workers_let_go():
                        while (self._incoming or self._groups) and not self._stopping:
                            self._collect(weights)
                            self._turn(weights)
        except BaseException as caught:
            error = caught
        finally:
            self._fail_all(error)

    def _fail_all(self, error: BaseException) -> None:
        known = error if isinstance(error, Exception) else InocError(f"engine ended by {error!r}")
        with self._wake:
            self.error = known
            waiting = [*self._incoming]
            self._incoming.clear()
        for group in self._groups:
            group.fail(known)
        self._groups.clear()
        for request in waiting:
            request.answer(known)

    def _load(self) -> Weights:
        weights = Weights.load(self.base, device=self._device, dtype=self._dtype, codec=self.codec)
        if torch.device(self._device).type == "cuda":
            free, _ = torch.cuda.mem_get_info(weights.model.device)
            cache_bytes = free * 8 // 10
        else:
            cache_bytes = _CPU_CACHE_BYTES
        enough = max(_LEAST_PREFILLS, weights.model.get_memory_footprint(return_buffers=False) // 4)
        weights.prefills.most = min(cache_bytes // _PREFILLS_SHARE, enough)
        self._cache_tokens = (cache_bytes - weights.prefills.most) // weights.cache_bytes_per_token
        threads = self._threads
        self._small = weights.model.num_parameters() < _SMALL_PARAMETERS
        if threads is None and self._small:
            threads = 1
        if threads is not None:
            _use_threads(threads)
        return weights

    def _work_arrives(self) -> bool:
        """Wait for requests, and a moment for others made together with them. False: end."""
        with self._wake:
            while not self._incoming and not self._stopping:
                self._wake.wait()
            deadline = time.monotonic() + _GATHER_SECONDS
            seen = 0
            while seen < len(self._incoming) < self.max_rows and time.monotonic() < deadline:
                seen = len(self._incoming)
                self._wake.wait(_QUIET_SECONDS)
            return not self._stopping

    def _wait_for_stream(self, group: Group) -> None:
        """Let a stream of requests come together before a small model's next step.

        Such a step takes about as long whatever the rows, and takes the interpreter from those
        who make the requests: 600 of Inspect's samples took 1,000 steps of 4 rows, not 100.
        """
        if not self._small:
            return
        with self._wake:
            deadline = time.monotonic() + _STREAM_SECONDS
            seen = -1
            while self._stream and seen < len(self._incoming) and not self._stopping:
                seen, rows = len(self._incoming), group.running + len(group.pending)
                if rows + seen >= min(_STREAM_ROWS, self.max_rows) or time.monotonic() > deadline:
                    break
                self._wake.wait(_STREAM_GAP)
            self._stream = False

    def _collect(self, weights: Weights) -> None:
        """Sort new requests into groups; an adapter is loaded and checked when it is first asked."""
        with self._wake:
            new = list(self._incoming)
            self._incoming.clear()
        failed: dict[str, Exception] = {}
        for request in new:
            if not self._acceptable(request, weights):
                continue
            if request.owner not in failed:
                try:
                    rank = weights.rank(request.adapter)
                except Exception as error:
                    failed[request.owner] = error
                else:
                    self._group_of(request, rank).add(request, rank)
                    continue
            request.answer(failed[request.owner])

    def _group_of(self, request: Request, rank: int | None) -> Group:
        """Return the group that an owner's requests are in, or else can join, or else a new one."""
        taking = [group for group in self._groups if group.takes(request.owner, rank)]
        known = [group for group in taking if request.owner in group.ranks]
        if not taking:
            self._groups.append(Group())
            return self._groups[-1]
        return (known or taking)[0]

    def _acceptable(self, request: Request, weights: Weights) -> bool:
        """Answer at once what cannot be decoded."""
        context = weights.limits.context
        if max(request.prompt_ids, default=-1) >= weights.vocabulary or not request.prompt_ids:
            request.answer(
                InputError(f"base {self.base.name!r}: prompt is empty or has unknown token ids")
            )
        elif context is not None and len(request.prompt_ids) >= context:
            values = () if request.logprobs else None
            request.answer(Completion("", (), "model_length", values))
        return not request.answered

    def _turn(self, weights: Weights) -> None:
        """Run some steps of the group whose turn it is, then put it behind the others."""
        if not self._groups:
            return
        group = self._groups[0]
        self._decode(group, weights)
        self._groups.remove(group)
        if group.pending or group.running:
            self._groups.append(group)

    def _decode(self, group: Group, weights: Weights) -> None:
        """Run a turn; a step that fails fails its rows."""
        try:
            self._steps(group, weights)
        except torch.OutOfMemoryError:
            weights.prefills.clear()
            rows = group.running + len(group.starting)
            group.fail_started(
                InocError(f"out of memory with {rows} completions in flight; set -M batch_size")
            )
        except Exception as error:
            group.fail_started(error)

    def _steps(self, group: Group, weights: Weights) -> None:
        """Run a turn: rows join for some steps, then most finish before others take over.

        Were all groups kept half done, each would hold a cache of full size.
        """
        most = 0
        for number in range(_LONGEST_TURN_STEPS):
            if self._stopping:
                return
            self._wait_for_stream(group)
            if self._incoming:
                self._collect(weights)
            others = len(self._groups) > 1
            if number < _TURN_STEPS or not others:
                self._admit(group, weights)
            elif group.running <= most // 4:
                break
            if group.batch is None or not group.batch.rows:
                return
            most = max(most, group.running)
            group.batch.step()
        if group.batch is not None:
            group.batch.lanes.trim()

    def _admit(self, group: Group, weights: Weights) -> None:
        """Let pending requests join the group's batch."""
        if not group.pending:
            return
        # What the others hold is taken already, little or much: a turn's end gives back the rest.
        others = (other.held for other in self._groups if other is not group)
        tokens = max(0, self._cache_tokens - sum(others))
        rows = self.max_rows if weights.plain else min(self.max_rows, _STATIC_ROWS)
        room = Room(rows, tokens, weights.limits.context)
        group.starting = group.joining(room)
        if group.starting:
            if group.batch is None:
                group.batch = weights.batch()
            group.batch.lanes.most, group.batch.lanes.most_rows = tokens, rows
            for request in group.starting:
                if request.prompt_logprobs:
                    weights.activate(request.adapter)
                    request.prompt_values = weights.logprobs(request.prompt_ids)
            group.batch.admit(group.starting)
            group.starting = ()


def _use_threads(number: int) -> None:
    """Set the CPU threads of this thread's forward passes, and of no other thread's."""
    default = torch.get_num_threads()
    torch.set_num_threads(number)
    # That also became the default of threads to come, a later training among them.
    restore = threading.Thread(target=torch.set_num_threads, args=[default])
    restore.start()
    restore.join()


_engines: dict[tuple[str, str, str, str], Engine] = {}
_engines_lock = threading.Lock()


def engine_for(
    base: ResolvedBase,
    *,
    device: str | None = None,
    dtype: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
) -> Engine:
    """Return the process's engine for a base on a device; whoever asks shares it.

    Args:
        base: The base model.
        device: A torch device; by default CUDA if there is one, else the CPU.
        dtype: See :meth:`inoc_evals.providers.engine.weights.Weights.load`.
        threads: CPU threads; counts for the first to ask.
        batch_size: Most completions decoded together; sets it for all who share.
    """
    device = device or default_device()
    key = (base.path, base.digest, device, dtype)
    with _engines_lock:
        engine = _engines.get(key)
        if engine is None or engine.error is not None:
            engine = Engine(base, device=device, dtype=dtype, threads=threads)
            _engines[key] = engine
        if batch_size is not None:
            engine.max_rows = batch_size
    return engine


# Also at exit: an interpreter that goes while a thread is inside PyTorch crashes.
@atexit.register
def close_engines() -> None:
    """Stop all engines and let go of their weights; the next request loads them anew."""
    with _engines_lock:
        engines = list(_engines.values())
        _engines.clear()
    for engine in engines:
        engine.stop()
