# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of each kind of workload on the real kernel: created, scaled, its pods killed, updated,
undone, the machine rebooted, deleted."""

import os
import signal

import pytest

from harness import container, is_ready, wait_for

TEMPLATED = ("ReplicaSet", "ReplicationController", "Deployment", "StatefulSet", "DaemonSet")
ROLLS = ("Deployment", "StatefulSet", "DaemonSet")


def workload(orch, kind, replicas, version):
    template = {"metadata": {"labels": {"app": "w"}},
                "spec": {"terminationGracePeriodSeconds": 1,
                         "containers": [container(orch.rootfs, "/bin/probe", "sleep",
                                                  env=[{"name": "VERSION", "value": version}])]}}
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": "Pod", **template,
                "metadata": {"name": "w", "labels": {"app": "w"}}}
    spec = {"template": template}
    if kind == "ReplicationController":
        spec["selector"] = {"app": "w"}
    else:
        spec["selector"] = {"matchLabels": {"app": "w"}}
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    if kind == "StatefulSet":
        spec["serviceName"] = "w"
    api = "v1" if kind == "ReplicationController" else "apps/v1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "w"}, "spec": spec}


def versions(orch):
    return sorted(p["spec"]["containers"][0]["env"][0]["value"] for p in orch.pods(app="w")
                  if not p["metadata"].get("deletionTimestamp"))


def wait_versions(orch, *expected):
    def as_expected():
        return versions(orch) == sorted(expected) and all(is_ready(p) for p in orch.pods(app="w"))
    try:
        orch.wait(as_expected, 40, f"pods of {expected}")
    except AssertionError as e:
        raise AssertionError(f"{e}\n{versions(orch)}") from None
    orch.wait_settled()


def kill_one(orch):
    p = orch.pods(app="w")[0]
    pid = min(orch.pids(p, "main"))
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid not in orch.pids(orch.pods(app="w")[0], "main"), 10, "it is gone")


@pytest.mark.parametrize("kind", ("Pod",) + TEMPLATED)
def test_a_life(orch, kind):
    one = kind in ("Pod", "DaemonSet")
    n, more, fewer = (1, 1, 1) if one else (2, 3, 2)
    orch.write("w.yaml", workload(orch, kind, n, "a"))
    wait_versions(orch, *["a"] * n)
    orch.write("w.yaml", workload(orch, kind, more, "a"))
    wait_versions(orch, *["a"] * more)
    orch.write("w.yaml", workload(orch, kind, fewer, "a"))
    wait_versions(orch, *["a"] * fewer)
    names = {p["metadata"]["name"] for p in orch.pods(app="w")}
    kill_one(orch)
    wait_versions(orch, *["a"] * fewer)
    assert {p["metadata"]["name"] for p in orch.pods(app="w")} == names	# restarted in place
    orch.write("w.yaml", workload(orch, kind, fewer, "b"))
    if kind in ROLLS + ("Pod",):
        wait_versions(orch, *["b"] * fewer)
    else:				# what they have already stays
        orch.wait_settled()
        assert versions(orch) == ["a"] * fewer
    if kind in ROLLS:
        orch.ctl("rollout", "undo", f"{kind.lower()}/w")
        wait_versions(orch, *["a"] * fewer)
    before, before_uids = versions(orch), {p["metadata"]["uid"] for p in orch.pods(app="w")}
    orch.reboot()
    after = before if kind in ROLLS + ("Pod",) else ["b"] * fewer
    wait_versions(orch, *after)
    assert not before_uids & {p["metadata"]["uid"] for p in orch.pods(app="w")}
    orch.remove("w.yaml")
    orch.ctl("apply", "--allow-delete")
    wait_for(lambda: not orch.pods(app="w") and not orch.all_pids(), 20, "nothing is left")
