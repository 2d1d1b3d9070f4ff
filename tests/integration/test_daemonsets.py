# SPDX-License-Identifier: GPL-2.0-or-later
"""DaemonSets and ReplicationControllers on the real kernel: one pod on this node, replaced in the
promised order; so many equal pods."""

import os

import pytest

from harness import container, never, wait_for


def daemonset(name, image, *command, strategy=None, **more):
    spec = {"selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                         "spec": {"containers": [container(image, *command, **more)],
                                  "terminationGracePeriodSeconds": 1}}}
    if strategy:
        spec["updateStrategy"] = strategy
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name}, "spec": spec}


def pods(orch, name):
    return [p for p in orch.pods(app=name) if not p["metadata"].get("deletionTimestamp")]


def one_ready(orch, name, but=None):
    def enough():
        l = orch.pods(app=name)
        return (len(l) == 1 and l[0]["metadata"]["name"] != but and
                any(c["type"] == "Ready" and c["status"] == "True"
                    for c in l[0]["status"].get("conditions", [])) and l[0])
    return wait_for(enough, 20, "one ready pod")


@pytest.mark.subset
def test_one_pod_that_comes_back_and_is_replaced(orch):
    orch.write("d.yaml", daemonset("d", orch.rootfs, "/bin/probe", "sleep"))
    first = one_ready(orch, "d")
    owner = first["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("DaemonSet", "d")
    assert first["metadata"]["name"].startswith("d-")
    status = orch.get("daemonsets", "d")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (1, 1)
    assert orch.plan()["empty"]
    orch.kill9()
    orch.start()
    assert one_ready(orch, "d")["metadata"]["uid"] == first["metadata"]["uid"]
    os.kill(orch.shims()[0], 9)
    back = one_ready(orch, "d", but=first["metadata"]["name"])
    seen = []
    orch.write("d.yaml", daemonset("d", orch.rootfs, "/bin/probe", "sleep", "--stubborn"))
    wait_for(lambda: seen.append(len(orch.pods(app="d"))) or
             all(p["metadata"]["name"] != back["metadata"]["name"] for p in orch.pods(app="d"))
             and pods(orch, "d"), 20, "the pod is replaced")
    assert max(seen) == 1           # the old one goes first
    one_ready(orch, "d", but=back["metadata"]["name"])
    orch.remove("d.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pods(app="d") == [], 15, "it is gone")


def test_with_surge_the_new_pod_comes_first(orch):
    surge = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    ready = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    orch.write("d.yaml", daemonset("d", orch.rootfs, "/bin/probe", "listen", "8080", "one",
                                   strategy=surge, **ready))
    old = one_ready(orch, "d")["metadata"]["name"]
    orch.write("d.yaml", daemonset("d", orch.rootfs, "/bin/probe", "listen", "8080", "two",
                                   strategy=surge, **ready))
    def available():
        return orch.get("daemonsets", "d")["status"].get("numberAvailable", 0)
    gaps = []
    wait_for(lambda: gaps.append(available()) or
             all(p["metadata"]["name"] != old for p in orch.pods(app="d")), 20, "the old pod goes")
    assert min(gaps) == 1


def test_on_delete_waits_for_somebody_to_delete(orch):
    wait = {"type": "OnDelete"}
    orch.write("d.yaml", daemonset("d", orch.rootfs, "/bin/probe", "sleep", strategy=wait))
    old = one_ready(orch, "d")
    orch.write("d.yaml", daemonset("d", orch.rootfs, "/bin/probe", "sleep", "--stubborn",
                                   strategy=wait))
    orch.wait_settled()
    never(lambda: one_ready(orch, "d")["metadata"]["uid"] != old["metadata"]["uid"], 1)
    assert orch.get("daemonsets", "d")["status"].get("updatedNumberScheduled", 0) == 0


def test_replication_controllers(orch):
    def controller(n, *command):
        return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"},
                "spec": {"replicas": n, "template": {
                    "metadata": {"labels": {"app": "rc"}},
                    "spec": {"containers": [container(orch.rootfs, *command)],
                             "terminationGracePeriodSeconds": 1}}}}
    orch.write("rc.yaml", controller(2, "/bin/probe", "sleep"))
    orch.wait_ready(2, app="rc")
    names = {p["metadata"]["name"] for p in orch.pods(app="rc")}
    assert orch.pods(app="rc")[0]["metadata"]["ownerReferences"][0]["kind"] == \
        "ReplicationController"
    orch.write("rc.yaml", controller(3, "/bin/probe", "sleep"))
    orch.wait_ready(3, app="rc")
    assert names < {p["metadata"]["name"] for p in orch.pods(app="rc")}
    orch.write("rc.yaml", controller(1, "/bin/probe", "sleep"))
    wait_for(lambda: len(orch.pods(app="rc")) == 1, 15, "one is left")
    status = orch.get("replicationcontrollers", "rc")["status"]
    assert (status["replicas"], status["readyReplicas"]) == (1, 1)
    orch.kill9()
    orch.start()
    assert orch.plan()["empty"]
