# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods that use more of the node than they may, or than it has, are evicted: in kubelet's words, never
started again in place, and replaced by their controller."""

import os

import pytest

from harness import Orch, container, deployment, pod, state, wait_for


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


# ---- the node is short of something ----

def node(orch):
    n = orch.get("nodes", "node1", ns=None)
    return n, {c["type"]: c["status"] for c in n["status"]["conditions"]}


def events(orch, reason):
    return [e for e in orch.get("events", ns=None) if e["reason"] == reason]


@pytest.mark.v2
@pytest.mark.flags("--eviction-pressure-transition-period", "1s")
def test_memory_pressure(orch):
    """All but a share of memory is asked to be free, which is not: one pod after the other goes, those
    without requests first, until the setting is another one."""
    big = {"requests": {"memory": "64Mi"}}
    orch.write("p.yaml", pod("asks", container(orch.rootfs, "/bin/probe", "sleep", resources=big)),
               pod("free", container(orch.rootfs, "/bin/probe", "sleep")))
    orch.write("d.yaml", deployment("d", 1, container(orch.rootfs, "/bin/probe", "sleep")))
    orch.wait_ready(3)
    orch.wait_settled()
    _, before = node(orch)
    assert before["MemoryPressure"] == "False" and before["Ready"] == "True"
    member, = orch.pods(app="d")
    orch.restart("--eviction-hard", "memory.available<99.99%")
    first = evicted(orch, "free")
    assert first["status"]["message"].startswith("The node was low on resource: memory. Threshold ")
    assert "request is 0, has larger consumption of memory. " in first["status"]["message"]
    wait_for(lambda: not orch.get("pods", member["metadata"]["name"]), 30, "the Deployment's goes")
    evicted(orch, "asks")
    n, now = node(orch)
    assert now["MemoryPressure"] == "True"
    assert [t["key"] for t in n["spec"]["taints"]] == ["node.kubernetes.io/memory-pressure"]
    order = [e["involvedObject"]["name"] for e in sorted(
        events(orch, "Evicted"), key=lambda e: int(e["metadata"]["resourceVersion"]))]
    assert order.index("asks") == 2, order	# what it uses is within its request
    new, = orch.pods(app="d")
    wait_for(lambda: "memory-pressure" in str(orch.pods(app="d")[0]["status"]["conditions"]), 10)
    assert new["status"]["phase"] == "Pending" and not orch.pids(new, "main")
    assert events(orch, "EvictionThresholdMet")
    orch.restart()
    orch.wait_ready(1, app="d")
    assert node(orch)[1]["MemoryPressure"] == "False"
    assert not orch.pids(evicted(orch, "free"), "main")


@pytest.mark.v2
def test_disk_pressure(rootfs):
    """On a file system of its own: what fills it is evicted and gone, and when there is room again,
    pods come back."""
    orch = Orch(rootfs, ("--eviction-hard", "nodefs.available<40%",
                         "--eviction-pressure-transition-period", "3s"))
    try:
        orch.ns.run("mount", "-t", "tmpfs", "-o", "size=64m", "none", orch.state)
        orch.start()
        orch.write("d.yaml", deployment(
            "thin", 1, container(orch.rootfs, "/bin/probe", "sleep")))
        orch.wait_ready(1)
        fat = container("/", "/bin/sh", "-c", "head -c 50M /dev/zero >/e/f; exec sleep 1000",
                        volumeMounts=[{"name": "e", "mountPath": "/e"}])
        orch.write("p.yaml", pod("fat", fat, volumes=[{"name": "e", "emptyDir": {}}]))
        p = evicted(orch, "fat", 40)
        assert p["status"]["message"].startswith(
            "The node was low on resource: ephemeral-storage. Threshold quantity: 26843545, available: ")
        assert node(orch)[1]["DiskPressure"] == "True"
        orch.write("late.yaml", pod("late", container(orch.rootfs, "/bin/probe", "sleep")))
        wait_for(lambda: orch.pod("late") and
                 "untolerated taint {node.kubernetes.io/disk-pressure: }" in
                 str(orch.pod("late")["status"]["conditions"]), 10)
        wait_for(lambda: node(orch)[1]["DiskPressure"] == "False", 40, "what it wrote is gone")
        wait_for(lambda: state(orch.pod("late"))[0] == "running", 10)
        assert len(orch.pods(app="thin")) == 1
        assert [e["involvedObject"]["name"] for e in events(orch, "Evicted")] == ["fat"]
    finally:
        orch.take_down()
        orch.ns.run("umount", orch.state)
        orch.close()


def test_soft_threshold(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep", "--stubborn")))
    wait_for(lambda: state(orch.pod("p") or {})[0] == "running")
    orch.restart("--eviction-soft", "pid.available<99.99%",
                 "--eviction-soft-grace-period", "pid.available=3s",
                 "--eviction-max-pod-grace-period", "1")
    wait_for(lambda: node(orch)[1]["PIDPressure"] == "True", 10)
    assert state(orch.pod("p"))[0] == "running"
    p = evicted(orch, "p")
    assert "low on resource: pids." in p["status"]["message"]
    assert state(p)[1]["exitCode"] == 137
