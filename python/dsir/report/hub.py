"""Pushes a selection to Hugging Face's hub: its rows, and its card as README.md."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from dsir.errors import SettingError, StoreError
from dsir.output.folder import DATA_FOLDER
from dsir.remote import RemotePath
from dsir.report.card import card_of
from dsir.report.gather import selection_facts


def push_to_hub(
    folder: Path | RemotePath,
    repo: str,
    *,
    private: bool,
    token: str | None,
    endpoint: str | None,
) -> str:
    """Push the rows and the card of a selection in one commit; see `Selection.to_hub`."""
    if isinstance(folder, RemotePath):
        raise SettingError(f"to_hub(): {folder} is in a store; copy it to this machine first")
    hub = _imported()
    facts = selection_facts(folder, quick=True)
    parts = sorted(one for one in (folder / DATA_FOLDER).iterdir() if one.is_file())
    content: list[tuple[str, Any]] = [("README.md", card_of(facts).encode("utf-8", "replace"))]
    content += [(f"{DATA_FOLDER}/{part.name}", str(part)) for part in parts]
    adds = [
        hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=data) for name, data in content
    ]
    api = hub.HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        done = api.create_commit(
            repo,
            adds,
            commit_message=f"Select {facts.metrics['rows']['selected']:,} rows with dsir",
            repo_type="dataset",
        )
    except (hub.errors.HfHubHTTPError, hub.errors.HFValidationError, OSError) as error:
        said = " ".join(str(error).split())
        raise StoreError(f"to_hub({repo!r:.100}): {said:.400}", path=repo) from error
    return str(done.repo_url)


def _imported() -> Any:
    try:
        hub = importlib.import_module("huggingface_hub")
        importlib.import_module("huggingface_hub.errors")
    except ImportError as error:
        raise SettingError("to_hub() needs huggingface_hub: pip install 'dsir[remote]'") from error
    return hub
