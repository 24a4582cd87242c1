"""Kill a selection at random moments, and see that the same command brings it to the same end.

    python tests/endurance/kill_anywhere.py --kills 120 --seed 1
    python tests/endurance/kill_anywhere.py --kills 125 --configuration all

A selection over some hundred units of work is started and killed, with SIGKILL, SIGTERM and SIGINT,
at moments spread over its stages (told by the files it has made, not by the clock: machines
differ). After each kill nothing under a final name may be partial; runs go on from where the one
before was killed, and every run that gets to its end must have written, byte for byte, what an
undisturbed run writes. Exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from selection_under_test import (
    CONFIGURATIONS,
    MIXED,
    Configuration,
    Trial,
    at_work,
    exit_code_of,
    finished_by,
    lines_said,
    make_inputs,
    output_of,
    partial_files,
    unfinished,
)

_STAGES = ("fit", "score", "sample", "write")
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
_SAID = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}


class WrongError(Exception):
    """Something was not as it should be."""


def kill_at(trial: Trial, number: signal.Signals, stage: str, results: int, delay: float) -> str:
    """Run, and kill when a stage has so many results and a little later.

    Returns:
        The stage that was at work when it was killed; "" where the run got to its end before.

    Raises:
        WrongError: it failed of itself, or did not end as it should.
    """
    process = trial.start()
    while process.poll() is None and not at_work(trial, process.pid):
        time.sleep(0.0005)
    while process.poll() is None and finished_by(trial)[stage] < results:
        time.sleep(0.0005)
    time.sleep(delay)
    at = ""
    if process.poll() is None:
        process.send_signal(number)
        done = finished_by(trial)
        at = next((name for name in reversed(_STAGES) if done[name]), "start")
    _, said = process.communicate(timeout=300)
    if process.returncode == 0:
        return ""
    if number is signal.SIGKILL:
        if process.returncode != -number:
            raise WrongError(f"exit code {process.returncode} after SIGKILL: {said}")
        return at
    if process.returncode == -number and (trial.out / "_dsir/selection.json").exists():
        return at  # Its work was done: the interpreter was about to end.
    lines = lines_said(said)
    message = f"dsir: error: {_SAID[number]}; run the same command again to continue"
    if process.returncode != exit_code_of(number) or lines != [message]:
        raise WrongError(f"exit code {process.returncode} after {number.name}: {said}")
    left = [path for path in unfinished(trial) if f".tmp-{process.pid}-" in path.name]
    if left:
        raise WrongError(f"{number.name} has left {left}")
    return at


def run(
    folder: Path,
    kills: int,
    seed: int,
    *,
    rows: int = 1500,
    configuration: Configuration = MIXED,
) -> Counter[str]:
    """Kill runs until there were so many kills.

    Returns:
        How many there were, by signal and stage, and how many runs got to their end.

    Raises:
        WrongError: something was not as it should be.
    """
    draw = random.Random(seed)
    make_inputs(folder, rows)
    trial = Trial(folder, configuration=configuration)
    code, said = trial.run()
    if code != 0:
        raise WrongError(f"the undisturbed run failed: {said}")
    expected = output_of(trial)
    results = finished_by(trial)
    tally: Counter[str] = Counter(units=results["score"])
    runs = 0
    while tally["kills"] < kills:
        # A few kills to a run, one stage after the other, so that each is hit as often.
        trial = Trial(folder, f"run-{runs:04d}", configuration)
        runs += 1
        stages = _STAGES if runs % 2 else tuple(draw.choices(_STAGES, k=3))
        for stage in sorted(stages, key=_STAGES.index):
            number = _SIGNALS[(tally["kills"] + runs) % len(_SIGNALS)]
            at = draw.randrange(results[stage])
            killed = kill_at(trial, number, stage, at, draw.random() * 0.02)
            wrong = partial_files(trial, expected)
            if wrong:
                raise WrongError("; ".join(wrong))
            if not killed:
                break
            tally["kills"] += 1
            tally[f"{number.name} {killed}"] += 1
            tally["files left behind"] += len(unfinished(trial))
            if tally["kills"] >= kills:
                break
        code, said = trial.run()
        if code != 0 or lines_said(said):
            raise WrongError(f"the same command again: exit code {code}: {said}")
        if output_of(trial) != expected:
            raise WrongError(f"{trial.out}: differs from the output of an undisturbed run")
        if unfinished(trial):
            raise WrongError(f"left behind for ever: {unfinished(trial)}")
        tally["resumed to the same bytes"] += 1
        shutil.rmtree(folder / trial.name)
    return tally


def main() -> None:
    """Read the command line and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=6000)
    names = [*CONFIGURATIONS, "all"]
    parser.add_argument(
        "--configuration",
        choices=names,
        default="mixed",
        help="what is selected; kills are for each",
    )
    options = parser.parse_args()
    chosen = CONFIGURATIONS if options.configuration == "all" else [options.configuration]
    for name in chosen:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="dsir-kill-") as folder:
            try:
                tally = run(
                    Path(folder),
                    options.kills,
                    options.seed,
                    rows=options.rows,
                    configuration=CONFIGURATIONS[name],
                )
            except (WrongError, subprocess.TimeoutExpired) as error:
                sys.exit(f"{name}, seed {options.seed}: {error}")
        print(f"{name}:")
        for what, count in sorted(tally.items()):
            print(f"{count:6,}  {what}")
        print(f"{time.monotonic() - begun:6.0f}  seconds", flush=True)


if __name__ == "__main__":
    main()
