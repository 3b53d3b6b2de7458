"""What Inspect asks of a provider, handed on to one of Inspect's own.

    class ServedAPI(Forwarding, MeaningAPI): ...      # self.inner answers, self.backend says who

Only what must be the same whoever serves a model is answered here.
"""

from abc import abstractmethod

from inspect_ai.model import GenerateConfig, ModelAPI, RetryDecision
from tenacity.wait import WaitBaseT

from inoc_evals.errors import InocError
from inoc_evals.providers.resolve import Backend
from inoc_evals.providers.translation import DEFAULT_MAX_TOKENS


class Forwarding(ModelAPI):
    """A model's view of the provider that serves it."""

    backend: Backend

    @property
    @abstractmethod
    def inner(self) -> ModelAPI:
        """Inspect's provider."""

    async def count_text_tokens(self, text: str) -> int:
        """Count tokens as the provider does."""
        return await self.inner.count_text_tokens(text)

    async def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, where the provider tells them."""
        return await self.inner.tokenize(text)

    def canonical_name(self) -> str:
        """Return the name under which Inspect knows prices and context windows."""
        return self.inner.canonical_name()

    def input_tokens_name(self) -> str:
        """Return the name under which Inspect knows the context window."""
        return self.inner.input_tokens_name()

    def max_tokens(self) -> int | None:
        """Return how many tokens are sampled when the request does not say."""
        return DEFAULT_MAX_TOKENS if self.backend == "vllm" else self.inner.max_tokens()

    def max_tokens_for_config(self, config: GenerateConfig) -> int | None:
        """Return the same for a request."""
        return self.inner.max_tokens_for_config(config)

    def max_connections(self) -> int:
        """Return how many requests may be in flight."""
        return self.inner.max_connections()

    def connection_key(self) -> str:
        """Return what shares a limit: the server, or the key."""
        return f"{self.backend}:{self.inner.connection_key()}"

    def should_retry(self, ex: BaseException) -> bool | RetryDecision:
        """Retry what the provider would; a wrong model stays wrong."""
        if isinstance(ex, InocError) or not isinstance(ex, Exception):
            return False
        return self.inner.should_retry(ex)

    def retry_wait(self) -> WaitBaseT | None:
        """Return how long to wait before a request is made again."""
        return self.inner.retry_wait()

    def is_auth_failure(self, ex: Exception) -> bool:
        """Say whether the credentials were refused."""
        return self.inner.is_auth_failure(ex)

    async def refresh_credentials(self) -> None:
        """Read the credentials again."""
        await self.inner.refresh_credentials()

    def collapse_user_messages(self) -> bool:
        """Say whether neighboring user messages become one; as the local engine, vLLM: no."""
        return self.backend == "openai" and self.inner.collapse_user_messages()

    def collapse_assistant_messages(self) -> bool:
        """Say whether neighboring assistant messages become one."""
        return self.backend == "openai" and self.inner.collapse_assistant_messages()

    def collapse_system_messages(self) -> bool:
        """Say whether system messages become one."""
        return self.backend == "openai" and self.inner.collapse_system_messages()

    def tools_required(self) -> bool:
        """Say whether tools must be described wherever they were called."""
        return self.inner.tools_required()
