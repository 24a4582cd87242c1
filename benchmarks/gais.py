"""GAIS: seconds of an epoch, a graph and a whole selection; each run is a process of its own.

Usage: python -m benchmarks.gais [--rows N ...] [--columns D] [--graph NAME] [--only NAME ...]
       [--peers] [--threads N] [--json FILE]

To see the growth with the number of rows: --only select --rows 125000 250000 500000 1000000
--columns 50, and the same with --graph lsh.

The data are random: 16 columns by default, two classes in a ring. `cpu` is the processor time of
all threads of the process; the peak is its own VmHWM. --peers trains the same two layers on the
same graph in torch_geometric, which has to be installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import machine

_START = """
import json, sys, time
import numpy as np
rows, columns, threads, graph = *map(int, sys.argv[1:4]), sys.argv[4]
random = np.random.default_rng(0)
x = random.normal(size=(rows, columns)).astype("f4")
y = (np.abs(x[:, :2]).sum(axis=1) > 1.5).astype(np.int32)
EPOCHS = 20
"""
_GRAPH = """
from dsir import _core
from dsir.graph import neighbours
found = neighbours(x, k=10, method=graph, labels=y, threads=threads)
offsets, ends = found.undirected()
"""
_END = """
status = open("/proc/self/status").read()
peak = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps({**result, "peak_mb": round(peak * 1024 / 1e6)}))
"""
_PROGRAMS = {
    "select": """
from dsir.graph import GAIS
begun, cpu = time.perf_counter(), time.process_time()
gais = GAIS(graph=graph, n_jobs=threads).fit(x, y)
result = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu,
          "kept": len(gais.sample_indices_), "epochs": len(gais.history_)}
""",
    "epoch": _GRAPH
    + """
from dsir.gais.attention_training import Training, train_network
nodes = _core.AttentionGraph(offsets, ends)
begun, cpu = time.perf_counter(), time.process_time()
train_network(nodes, x, y, 2, Training(epochs=EPOCHS, held_out=0.0, threads=threads))
result = {"seconds": (time.perf_counter() - begun) / EPOCHS,
          "cpu": (time.process_time() - cpu) / EPOCHS, "edges": len(ends)}
""",
    "neighbours": """
from dsir.graph import neighbours
begun, cpu = time.perf_counter(), time.process_time()
found = neighbours(x, k=10, method=graph, labels=y, threads=threads)
result = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
if rows <= 20000:
    result["recall"] = found.recall(neighbours(x, k=10, threads=threads))
""",
}
_PEER = (
    _GRAPH
    + """
import torch
from torch_geometric.nn import GATConv
torch.set_num_threads(threads)
edges = torch.tensor(np.stack([ends, np.repeat(np.arange(rows), np.diff(offsets))])).long()
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = GATConv(columns, 8, heads=4, dropout=0.2, add_self_loops=False)
        self.second = GATConv(32, 2, heads=4, concat=False, dropout=0.2, add_self_loops=False)
    def forward(self, nodes):
        hidden = torch.nn.functional.elu(self.first(nodes, edges))
        return self.second(torch.nn.functional.dropout(hidden, 0.2, self.training), edges)
net, nodes, labels = Net(), torch.tensor(x), torch.tensor(y).long()
adam = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=5e-4)
begun, cpu = time.perf_counter(), time.process_time()
for _ in range(EPOCHS):
    adam.zero_grad()
    torch.nn.functional.cross_entropy(net(nodes), labels).backward()
    adam.step()
result = {"seconds": (time.perf_counter() - begun) / EPOCHS,
          "cpu": (time.process_time() - cpu) / EPOCHS, "edges": len(ends)}
"""
)


def run_once(program: str, rows: int, columns: int, threads: int, graph: str) -> dict[str, Any]:
    """Run a program in a process of its own."""
    command = [sys.executable, "-c", _START + program + _END]
    command += [str(rows), str(columns), str(threads), graph]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run, print every run, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[20_000])
    parser.add_argument("--columns", type=int, default=16)
    parser.add_argument("--graph", default="minibatch")
    parser.add_argument("--only", nargs="*", choices=list(_PROGRAMS), default=list(_PROGRAMS))
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    programs = {name: _PROGRAMS[name] for name in options.only}
    programs |= {"epoch, torch_geometric": _PEER} if options.peers else {}
    result: dict[str, Any] = {"machine": machine.describe()}
    for rows in options.rows:
        for name, program in programs.items():
            found = run_once(program, rows, options.columns, options.threads, options.graph)
            result[f"{name} {rows}"] = found
            print(name, rows, found, flush=True)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
