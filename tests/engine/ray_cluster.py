"""A Ray cluster of two small nodes on this machine, for tests."""

from __future__ import annotations

import http.client
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# A node. Its object store is small, because /dev/shm may be.
SMALL = {"num_cpus": 1, "object_store_memory": 80 << 20, "memory": 2 << 30}
# A lost node is noticed within a second or two, not after twenty.
_QUICK = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
}


_AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def served_store() -> Iterator[str | None]:
    """Serve S3 on loopback to this process and to nodes that start later; gives a bucket's URL."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        yield None
        return
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _AWS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        connection = http.client.HTTPConnection(host, port, timeout=120)
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/d/us-east-1/s3/aws4"}
        connection.request("PUT", "/nodes", None, signed)
        assert connection.getresponse().status == 200
        connection.close()
        yield "s3://nodes"
    server.stop()


@contextmanager
def two_nodes() -> Iterator[Any]:
    """Run a cluster of two nodes with a core each, and connect to it."""
    import ray
    from ray.cluster_utils import Cluster

    head = {**SMALL, "include_dashboard": False, "_system_config": _QUICK}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**SMALL)
        # Where workers find the stages of the tests, and dsir where the tests find it.
        paths = [str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        here = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, paths))}}
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env=here,
        )
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
