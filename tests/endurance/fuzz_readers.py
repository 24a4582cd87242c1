"""Files that were changed: every reader gives what it promises, or an error of dsir.

    python tests/endurance/fuzz_readers.py --seconds 60
    python tests/endurance/fuzz_readers.py --only parquet --atheris --seconds 60

A good file is changed at random (bytes flipped, cut out, put in, numbers replaced), and read. What
may come out stands with each case: an error of `dsir.errors`, or an answer that is still right. A
crash, any other exception, more than `LARGEST_BYTES` of memory, or an input that takes longer than
`LONGEST_SECONDS` is a finding; the input that brought it about is kept.

Every case runs in a process of its own, so that a crash is seen and does not end the run. Without
--atheris changes are drawn from a seed, and the same seed gives the same inputs; with it atheris
(if installed) is led by the branches that it reaches in dsir.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz_cases import Case

LONGEST_SECONDS = 30
LARGEST_BYTES = 1 << 30
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_TEXT = (b"{", b"[" * 3000, b'"', b"}", b"null", b"1e999", b"\\u0000", b"\\ud800", b"../", b"\n")


def changed(seeds: list[bytes], source: random.Random) -> bytes:
    """Change a good file in a few places."""
    data = bytearray(source.choice(seeds))
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        at = source.randrange(len(data) + 1)
        length = min(len(data) - at, source.choice((1, 2, 4, 8, 30, 1000)))
        kind = source.randrange(9)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << source.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = source.randbytes(source.choice((1, 4, 100)))
        elif kind == 4:
            data[at:at] = data[at : at + length]
        elif kind == 5:
            width = source.choice((1, 2, 4, 8))
            number = source.choice(_INTERESTING) & ((1 << 8 * width) - 1)
            data[at : at + width] = number.to_bytes(width, "little")
        elif kind == 6:
            other = source.choice(seeds)
            start = source.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + length]
        elif kind == 7:
            data[at : at + source.choice((0, 1))] = source.choice(_TEXT)
        else:
            del data[at:]
    return bytes(data)


def peak_bytes() -> int:
    """The most memory that this process has had, without what its parent had when it was started.

    That is in `getrusage`, and the parent may be a long run of tests.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run_inputs(case: Case, name: str, seed: int, inputs: int | None, seconds: float) -> None:
    """Check changed files until there were enough; prints how many were read and refused."""
    from dsir.errors import DsirError

    source = random.Random(f"{name} {seed}")
    end = time.monotonic() + seconds
    tried = read = refused = 0
    while time.monotonic() < end and (inputs is None or tried < inputs):
        data = changed(case.seeds, source)
        keep(data)
        faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
        try:
            read += case.check(data)
        except DsirError:
            refused += 1
        tried += 1
        peak = peak_bytes()
        if peak > LARGEST_BYTES:
            raise MemoryError(f"{peak:,} bytes at most")
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps({"tried": tried, "read": read, "refused": refused}))


def run_atheris(case: Case, seconds: float, folder: Path) -> None:
    """Let atheris look for inputs."""
    import atheris

    from dsir.errors import DsirError

    def check(data: bytes) -> None:
        keep(data)
        try:
            case.check(data)
        except DsirError:
            return

    for number, seed in enumerate(case.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={int(seconds)}",
        f"-timeout={LONGEST_SECONDS}",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/",
    ]
    longest = 2 * max(map(len, case.seeds))
    atheris.Setup([sys.argv[0], *options, f"-max_len={longest}", str(folder)], check)
    atheris.Fuzz()


def keep(data: bytes) -> None:
    """Keep the input for who finds this process dead."""
    _input_path().write_bytes(data)


def _input_path() -> Path:
    return Path(tempfile.gettempdir()) / "input"


def run_case(
    name: str,
    *,
    seed: int = 0,
    inputs: int | None = None,
    seconds: float = 60,
    atheris: bool = False,
) -> dict[str, int]:
    """Run a case in a process of its own.

    Returns:
        How many inputs were tried, read and refused (nothing for atheris, which tells itself).

    Raises:
        AssertionError: something was found; the message says what, and where the input is.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", name, "--seed", str(seed)]
        command += [
            "--seconds",
            str(seconds),
            *([] if inputs is None else ["--inputs", str(inputs)]),
        ]
        done = subprocess.run(
            [*command, *(["--atheris"] if atheris else [])],
            env={"TMPDIR": folder, "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 10 * LONGEST_SECONDS,
        )
        if done.returncode == 0:
            if atheris:
                print(done.stderr[-600:])
            return {} if atheris else json.loads(done.stdout.splitlines()[-1])
        kept = Path(tempfile.gettempdir()) / f"dsir-found-{name}-{seed}"
        if (Path(folder) / "input").exists():
            shutil.copy(Path(folder) / "input", kept)
        raise AssertionError(
            f"{name}: ended with {done.returncode}; the input is {kept}\n{done.stderr[-4000:]}"
        )


def main() -> None:
    """Run what the command line asks for."""
    if "--atheris" in sys.argv and "--child" in sys.argv:
        import atheris

        watched = atheris.instrument_imports(include=["dsir"])
    else:
        watched = nullcontext()
    with watched:
        from fuzz_kinds import CASES

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each case")
    parser.add_argument("--inputs", type=int, help="stop a case after so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(CASES), action="append")
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--again", type=Path, help="an input that was kept; with --only")
    parser.add_argument("--child", choices=sorted(CASES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.again is not None:
        print(CASES[options.only[0]](Path(tempfile.mkdtemp())).check(options.again.read_bytes()))
        return
    if options.child is None:
        found_something = False
        for name in options.only or CASES:
            begin = time.monotonic()
            try:
                found: object = run_case(
                    name,
                    seed=options.seed,
                    inputs=options.inputs,
                    seconds=options.seconds,
                    atheris=options.atheris,
                )
            except AssertionError as error:
                found, found_something = error, True
            print(f"{name:<12} {time.monotonic() - begin:6.0f} s {found}", flush=True)
        raise SystemExit(found_something)
    work = Path(tempfile.mkdtemp())
    case = CASES[options.child](work)
    if options.atheris:
        run_atheris(case, options.seconds, Path(tempfile.mkdtemp()))
    else:
        run_inputs(case, options.child, options.seed, options.inputs, options.seconds)


if __name__ == "__main__":
    main()
