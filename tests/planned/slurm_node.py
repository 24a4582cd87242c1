"""A Slurm cluster of one node on loopback, of Debian's slurm-wlm, for the time of a block."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "sinfo")
_PATIENCE = 60.0  # Seconds in which the node has to be idle.

_CONF = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SchedulerParameters=sched_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_PATHS) is None]


@contextmanager
def slurm_node(folder: Path) -> Iterator[dict[str, str]]:
    """Run the cluster during a block; gives the environment in which its commands find it.

    Raises:
        RuntimeError: it does not come up; the message has the logs.
    """
    host = platform.node().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    ports = {name: _free_port() for name in ("controller", "node")}
    conf = folder / "slurm.conf"
    conf.write_text(_CONF.format(host=host, user=getpass.getuser(), folder=folder, **ports))
    environment = {**os.environ, "PATH": _PATHS, "SLURM_CONF": str(conf)}
    munged = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munged += [f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid"]
    munged += [f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"]
    with ExitStack() as stack:
        for command in (munged, ["slurmctld", "-D", "-f", conf], ["slurmd", "-D", "-f", conf]):
            stack.enter_context(_running(command, environment))
            time.sleep(0.5)
        _wait_for_node(folder, environment)
        yield environment


@contextmanager
def _running(command: list[object], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [str(word) for word in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_node(folder: Path, environment: dict[str, str]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        told = subprocess.run(
            ["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True
        )
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.3)
    logs = [path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.log"))]
    raise RuntimeError("\n".join(["the node of Slurm does not come up", told.stderr, *logs]))


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
