# SPDX-License-Identifier: GPL-2.0-or-later
"""StatefulSets on the real kernel: names, order, partition, revisions."""

import os

import pytest

from harness import container, never, wait_for

READY = {"readinessProbe": {"exec": {"command": ["/bin/probe", "exists", "/bin/probe"]},
                            "periodSeconds": 1}}


def statefulset(name, replicas, image, *command, template=None, **spec):
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
            "spec": {"replicas": replicas, "serviceName": f"{name}-svc",
                     "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"terminationGracePeriodSeconds": 1,
                                           "containers": [container(image, *command,
                                                                    **(template or READY))]}},
                     **spec}}


def names(orch, name):
    return sorted(p["metadata"]["name"] for p in orch.pods(app=name))


def hashes(orch, name):
    return {p["metadata"]["name"]: p["metadata"]["labels"]["controller-revision-hash"]
            for p in orch.pods(app=name)}


@pytest.mark.subset
def test_pods_come_in_order_and_keep_their_names(orch):
    orch.write("s.yaml", statefulset("s", 3, orch.rootfs, "/bin/probe", "sleep"))
    seen = set()
    wait_for(lambda: seen.add(tuple(names(orch, "s"))) or
             ((orch.get("statefulsets", "s") or {}).get("status") or {}).get("availableReplicas") == 3, 30,
             "three pods are available")
    assert seen <= {(), ("s-0",), ("s-0", "s-1"), ("s-0", "s-1", "s-2")}
    p = orch.pod("s-1")
    assert p["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
    assert p["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "s-1"
    assert (p["spec"]["hostname"], p["spec"]["subdomain"]) == ("s-1", "s-svc")
    assert "s-1" in orch.exec("s-1", "/bin/probe", "read", "/etc/hostname").stdout
    assert orch.plan()["empty"]
    shim = next(s for s in orch.shims()
                if p["metadata"]["uid"] in open(f"/proc/{s}/cmdline").read())
    os.kill(shim, 9)
    wait_for(lambda: (orch.pod("s-1") or p)["metadata"]["uid"] != p["metadata"]["uid"], 30,
             "the same name with another uid")
    wait_for(lambda: orch.get("statefulsets", "s")["status"].get("availableReplicas") == 3, 20)
    orch.write("s.yaml", statefulset("s", 1, orch.rootfs, "/bin/probe", "sleep"))
    gone = []
    wait_for(lambda: gone.append(tuple(names(orch, "s"))) or names(orch, "s") == ["s-0"], 20)
    assert ("s-0", "s-2") not in gone
    orch.kill9()
    orch.start()
    assert orch.plan()["empty"]


def test_a_new_template_rolls_from_the_top_down_to_the_partition(orch):
    def write(partition, *command):
        orch.write("s.yaml", statefulset("s", 3, orch.rootfs, *command, updateStrategy={
            "rollingUpdate": {"partition": partition}}))

    def complete(n):
        s = (orch.get("statefulsets", "s") or {}).get("status") or {}
        return s.get("updatedReplicas") == n and s.get("availableReplicas") == 3
    write(0, "/bin/probe", "sleep")
    wait_for(lambda: complete(3), 30)
    old = set(hashes(orch, "s").values())
    assert len(old) == 1
    write(2, "/bin/probe", "sleep", "--stubborn")
    wait_for(lambda: complete(1), 20, "only the pod above the partition is new")
    now = hashes(orch, "s")
    assert {now["s-0"], now["s-1"]} == old and now["s-2"] not in old
    status = orch.get("statefulsets", "s")["status"]
    assert status["currentRevision"] != status["updateRevision"]
    # one that comes back below the partition is made from the old template
    orch.kill9()
    orch.start()
    uid = orch.pod("s-0")["metadata"]["uid"]
    os.kill(next(s for s in orch.shims() if uid in open(f"/proc/{s}/cmdline").read()), 9)
    wait_for(lambda: (orch.pod("s-0") or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid, 30)
    assert {hashes(orch, "s")["s-0"]} == old
    wait_for(lambda: complete(1), 20)
    write(0, "/bin/probe", "sleep", "--stubborn")
    wait_for(lambda: complete(3), 30, "all are new")
    assert len(orch.api("/apis/apps/v1/namespaces/default/controllerrevisions")["items"]) == 2
    status = orch.get("statefulsets", "s")["status"]
    assert status["currentRevision"] == status["updateRevision"]


def test_a_pod_of_a_bad_template_is_replaced_by_a_good_one(orch):
    never_ready = {"readinessProbe": {"exec": {"command": ["/bin/probe", "exit", "1"]},
                                      "periodSeconds": 1}}
    orch.write("s.yaml", statefulset("s", 2, orch.rootfs, "/bin/probe", "sleep"))
    wait_for(lambda: ((orch.get("statefulsets", "s") or {}).get("status") or {})
             .get("availableReplicas") == 2, 20)
    orch.write("s.yaml", statefulset("s", 2, orch.rootfs, "/bin/probe", "sleep",
                                     template=never_ready))
    wait_for(lambda: len(set(hashes(orch, "s").values())) == 2, 15, "s-1 is of the bad template")
    never(lambda: orch.get("statefulsets", "s")["status"].get("readyReplicas", 0) != 1, 1.5)
    orch.write("s.yaml", statefulset("s", 2, orch.rootfs, "/bin/probe", "sleep"))
    wait_for(lambda: (orch.get("statefulsets", "s")["status"].get("availableReplicas") == 2
                      and len(set(hashes(orch, "s").values())) == 1), 20, "it is replaced")


def test_parallel_pods_do_not_wait_for_each_other(orch):
    never_ready = {"readinessProbe": {"exec": {"command": ["/bin/probe", "exit", "1"]},
                                      "periodSeconds": 1}}
    orch.write("s.yaml", statefulset("s", 3, orch.rootfs, "/bin/probe", "sleep",
                                     template=never_ready, podManagementPolicy="Parallel",
                                     ordinals={"start": 5}))
    wait_for(lambda: names(orch, "s") == ["s-5", "s-6", "s-7"], 10, "all are there at once")


def test_history_undo_and_restart(orch):
    def write(cause, *command):
        o = statefulset("s", 2, orch.rootfs, *command)
        o["metadata"]["annotations"] = {"kubernetes.io/change-cause": cause}
        orch.write("s.yaml", o)
        orch.apply()
    write("first", "/bin/probe", "sleep")
    orch.ctl("rollout", "status", "sts/s")
    first = set(hashes(orch, "s").values())
    write("second", "/bin/probe", "sleep", "--stubborn")
    wait_for(lambda: not first & set(hashes(orch, "s").values()), 20)
    assert "rolling update complete 2 pods" in orch.ctl("rollout", "status", "sts/s").stdout
    lines = orch.ctl("rollout", "history", "statefulset/s").stdout.split("\n")
    assert lines[0] == "statefulset.apps/s "
    assert [line.split() for line in lines[2:4]] == [["1", "first"], ["2", "second"]]
    assert "--stubborn" in orch.ctl("rollout", "history", "sts/s", "--revision=2").stdout
    assert orch.ctl("rollout", "undo", "sts/s").stdout == "statefulset.apps/s rolled back\n"
    wait_for(lambda: set(hashes(orch, "s").values()) == first, 30, "the first template is back")
    orch.ctl("rollout", "status", "sts/s")
    assert "held" in orch.ctl("plan").stdout
    orch.kill9()
    orch.start()
    orch.wait_settled()
    assert set(hashes(orch, "s").values()) == first
    before = {p["metadata"]["uid"] for p in orch.pods(app="s")}
    orch.ctl("rollout", "restart", "sts/s")
    wait_for(lambda: not before & {p["metadata"]["uid"] for p in orch.pods(app="s")}, 30, "restarted")
    orch.ctl("rollout", "status", "sts/s")
    r = orch.ctl("rollout", "pause", "sts/s", check=False)
    assert r.returncode == 1 and "not supported" in r.stderr


def test_claims_go_with_the_pods_that_are_one_too_many(orch):
    def claims():
        return sorted(c["metadata"]["name"] for c in orch.get("persistentvolumeclaims"))
    templates = [{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}]
    def db(n):
        return statefulset("db", n, orch.rootfs, "/bin/probe", "sleep", volumeClaimTemplates=templates,
                           persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})
    orch.write("db.yaml", db(2))
    orch.wait_ready(2, app="db")
    assert claims() == ["data-db-0", "data-db-1"]
    orch.write("db.yaml", db(1))
    wait_for(lambda: claims() == ["data-db-0"] and names(orch, "db") == ["db-0"], 20)
    orch.restart()
    orch.wait_settled()
    assert claims() == ["data-db-0"]
