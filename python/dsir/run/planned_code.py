"""Kernels and functions of the user in planned runs.

A plan says which code it needs, where that was, and its digests. A worker imports what its own call
names (--kernels) and nothing else: whoever may write to a work directory could otherwise run code
as everybody who starts a worker there.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from dsir.errors import DsirError, SettingError, WorkdirError
from dsir.model.carried_features import named_parts
from dsir.model.estimator import parts_needed
from dsir.model.own_part import MissingPartError, OwnPart
from dsir.remote import Folder
from dsir.settings.plan import Plan

_CODE = "code"


def sealed_code(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """Return what a plan has to hold of the code that it needs: nothing if it needs none.

    Raises:
        SettingError: other processes could not import some of it.
    """
    scorer, combine = plan.fit.scorer, plan.combine
    parts = list(named_parts(plan.fit.features)) + ([] if scorer is None else [scorer])
    for model in () if combine is None else combine.models:
        parts += parts_needed(model.estimator)
    needed = {part.digest: _described(part) for part in parts}
    return {_CODE: list(needed.values())} if needed else {}


def _described(part: OwnPart) -> dict[str, str]:
    if part.source is None:
        raise SettingError(
            f"{part.argument}: {part!r} is at the top of no module that workers could import; "
            f"define it in a file, and name it as {part.argument}=FILE.py:{part.name}"
        )
    return {"kind": part.kind, "name": part.name, "digest": part.digest, "source": part.source}


def sources_in(described: Mapping[str, Any]) -> list[str]:
    """Return the files and modules that a plan needs, as it names them."""
    return list(dict.fromkeys(str(one["source"]) for one in described.get(_CODE, [])))


def refused_code(
    folder: Folder, described: Mapping[str, Any], error: DsirError
) -> SettingError | WorkdirError | None:
    """Return the error for a worker that lacks code of the plan; None if that is not the reason.

    Args:
        folder: the work directory.
        described: the plan.
        error: what was raised when the plan was opened.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, MissingPartError):
        cause = cause.__cause__
    if cause is None:
        return None
    sources = sources_in(described)
    if cause.another is not None:
        return WorkdirError(
            f"{folder}: was planned with other code than this worker has: {cause}; or plan again"
        )
    options = " ".join(f"--kernels {shlex.quote(source)}" for source in sources)
    return SettingError(
        f"{folder}: was planned with code of {', '.join(sources)}, which a worker imports only if "
        f"its call says so: {options}"
    )
