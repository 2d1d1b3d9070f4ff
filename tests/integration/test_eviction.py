# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods that use more of the node than they may, or than it has, are evicted: in kubelet's words, never
started again in place, and replaced by their controller."""

import os

import pytest

from harness import container, pod, state, wait_for


def evicted(orch, name, timeout=30):
    def done():
        p = orch.pod(name)
        return p and p["status"].get("reason") == "Evicted" and state(p)[0] == "terminated" and p
    p = wait_for(done, timeout, f"{name} is evicted")
    assert p["status"]["phase"] == "Failed" and not orch.pids(p, "main")
    return p


def limits(**storage):
    return {"limits": {"ephemeral-storage": storage["limit"]}} if storage else {}


def writer(what, **more):
    return container("/", "/bin/sh", "-c", f"{what}; exec sleep 1000", **more)


@pytest.mark.v2
def test_limits_of_ephemeral_storage(orch):
    """Writable layer, logs, and the sum of a pod with its emptyDirs."""
    e = {"name": "e", "mountPath": "/e"}
    orch.write("p.yaml",
               pod("layer", writer("head -c 3M /dev/zero >/var/tmp/f", resources=limits(limit="1Mi"))),
               pod("logs", writer("head -c 3M /dev/zero | tr '\\0' x", resources=limits(limit="1Mi"))),
               pod("sum", writer("head -c 3M /dev/zero >/e/f", resources=limits(limit="2Mi"),
                                 volumeMounts=[e]), volumes=[{"name": "e", "emptyDir": {}}]),
               pod("thin", writer("head -c 300k /dev/zero >/var/tmp/f",
                                  resources=limits(limit="1Mi"))))
    why = {n: evicted(orch, n)["status"]["message"] for n in ("layer", "logs", "sum")}
    one = 'Container main exceeded its local ephemeral storage limit "1Mi". '
    pod_1, pod_2 = (f"Pod ephemeral local storage usage exceeds the total limit of containers {n}Mi. "
                    for n in (1, 2))
    assert why["layer"] in (one, pod_1) and why["logs"] in (one, pod_1) and why["sum"] == pod_2
    assert state(orch.pod("thin"))[0] == "running"
    told = {e["involvedObject"]["name"]: e["message"] for e in orch.get("events")
            if e["reason"] == "Evicted"}
    assert told == why
    left = {p["metadata"]["uid"] for p in orch.pods() if p["metadata"]["name"] != "thin"}
    wait_for(lambda: not left & set(os.listdir(f"{orch.state}/pods")), 10,
             "what they wrote is gone")
    orch.kill9()
    orch.start()
    orch.wait_settled()
    for n in why:
        assert evicted(orch, n)["status"]["message"] == why[n]
    assert orch.log_text(orch.pod("logs"), "main").startswith("xxx")
