"""What every method is: a value that says what it is, to an identity and to a record."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class BaseMethod(BaseModel):
    """A method's fields; each kind adds ``kind``, its own, and ``said``, the method in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def identity_fields(self) -> dict[str, Any]:
        """Return what enters the identity of a run."""
        return self.model_dump(mode="json")

    def described(self) -> dict[str, Any]:
        """Return what the record says of it."""
        return self.identity_fields()
