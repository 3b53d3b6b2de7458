"""An exported model as a repository on the Hugging Face hub, private by default.

push(directory, "lab/my-model", private=True)

The token is the hub library's own affair (``HF_TOKEN``, or ``hf auth login``); it is neither
read nor written here.
"""

from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError, require


def push(directory: Path, repo: str, *, private: bool = True, hub: Any = None) -> str:
    """Upload a directory as a model repository.

    Args:
        directory: What :func:`inoc_evals.publishing.export.export` wrote.
        repo: ``owner/name``; made if it is not there.
        private: Whether it is to be private. One that is there and public is refused then.
        hub: What to use for ``huggingface_hub.HfApi()``.

    Returns:
        Address of the commit.

    Raises:
        InputError: If the hub refuses, or the repository is public and should not be.
    """
    require("train", "huggingface_hub")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    hub = hub or HfApi()
    try:
        hub.create_repo(repo_id=repo, repo_type="model", private=private, exist_ok=True)
        if private and not hub.repo_info(repo_id=repo, repo_type="model").private:
            raise InputError(
                f"{repo} is there and public; say --public if that is meant, or name another"
            )
        commit = hub.upload_folder(
            repo_id=repo,
            repo_type="model",
            folder_path=str(directory),
            commit_message="Upload by inoc-evals",
        )
    except LocalTokenNotFoundError:
        raise InputError("the hub wants a token: set HF_TOKEN, or run: hf auth login") from None
    except HFValidationError as error:
        raise InputError(f"{repo!r} is no name for a repository: {error}") from None
    except HfHubHTTPError as error:
        said = " ".join(str(error).split())
        raise InputError(f"the hub refused to take {repo}: {said}") from None
    return str(commit.commit_url)
