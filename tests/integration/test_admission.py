# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked before a pod is made: LimitRanges and ResourceQuotas, as control groups, events and
clients of the API see it."""

import pytest

from harness import IS_V2, configmap, container, deployment, is_ready, never, pod, wait_for


def limit_range(name, *limits):
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name},
            "spec": {"limits": list(limits)}}


def quota(name, **hard):
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name},
            "spec": {"hard": {k.replace("__", "."): v for k, v in hard.items()}}}


def sleeper(orch, **resources):
    return container(orch.rootfs, "/bin/probe", "sleep",
                     **({"resources": resources} if resources else {}))


def refusals(orch):
    return [(e["involvedObject"]["kind"], e["message"]) for e in orch.get("events")
            if e["reason"] == "FailedCreate"]


@pytest.mark.v2
def test_limit_range_reaches_the_kernel(orch):
    orch.write("a.yaml", limit_range("r", {"type": "Container", "default": {"memory": "64Mi"},
                                           "max": {"memory": "100Mi"}}),
               pod("plain", sleeper(orch)))
    plain, = orch.wait_ready(1)
    assert plain["spec"]["containers"][0]["resources"]["limits"]["memory"] == "64Mi"
    name = "memory.max" if IS_V2 else "memory.limit_in_bytes"
    assert int(orch.cgroup_file(plain, "main", "memory", name)) == 64 << 20
    orch.wait_settled()
    assert orch.plan()["empty"]


def test_limit_range_refuses_and_what_runs_stays(orch):
    orch.write("a.yaml", deployment("web", 1, sleeper(orch, limits={"memory": "200Mi"})))
    before, = orch.wait_ready(1)
    orch.write("r.yaml", limit_range("r", {"type": "Container", "max": {"memory": "100Mi"}}))
    orch.write("p.yaml", pod("large", sleeper(orch, limits={"memory": "150Mi"})))
    wait_for(lambda: any(k == "Pod" and "maximum memory usage per Container is 100Mi, but limit is "
                         "150Mi" in m for k, m in refusals(orch)), 10, "the pod is refused")
    assert orch.pod("large") is None
    orch.edit("a.yaml", '"replicas": 1', '"replicas": 2')
    wait_for(lambda: any(c["type"] == "ReplicaFailure" and c["reason"] == "FailedCreate"
                         for c in orch.get("deployments", "web")["status"]["conditions"]), 10)
    assert [p["metadata"]["uid"] for p in orch.pods(app="web")] == [before["metadata"]["uid"]]
    r = orch.ctl("validate", orch.config, check=False)
    assert r.returncode == 3
    assert "p.yaml:" in r.stderr + r.stdout
    assert "spec.containers[0].resources: forbidden by a LimitRange" in r.stderr + r.stdout
    orch.remove("r.yaml")
    orch.wait_ready(2, app="web")
    wait_for(lambda: is_ready(orch.pod("large") or {"metadata": {}}), 10)


def test_quota_bounds_pods_and_shows_what_is_used(orch):
    orch.write("a.yaml", quota("q", pods="2", requests__cpu="1", configmaps="1"),
               deployment("web", 3, sleeper(orch, requests={"cpu": "400m"})), configmap("one"))
    orch.wait_ready(2, app="web")
    wait_for(lambda: any(
        'is forbidden: exceeded quota: q, requested: pods=1' in m and k == "ReplicaSet"
        for k, m in refusals(orch)), 10, "the third pod is refused")
    used = wait_for(lambda: orch.get("resourcequotas", "q")["status"].get("used"), 10)
    assert used == {"pods": "2", "requests.cpu": "800m", "configmaps": "1"}
    orch.write("b.yaml", configmap("two"))
    wait_for(lambda: "exceeded quota: q, requested: configmaps=1" in str(orch.status()["messages"]),
             10, "the second ConfigMap is refused")
    assert orch.get("configmaps", "two") is None
    orch.restart()
    orch.wait_ready(2, app="web")
    assert orch.get("configmaps", "one") and orch.get("configmaps", "two") is None
    text = orch.ctl("describe", "quota", "q").stdout
    assert "requests.cpu" in text and "800m" in text
    text = orch.ctl("describe", "namespace", "default").stdout
    assert "Resource Quotas" in text and "No LimitRange resource." in text
    # a pod that is killed for good makes room only when it is gone; never more than two
    orch.edit("a.yaml", '"400m"', '"450m"')
    never(lambda: sum(not p["metadata"].get("deletionTimestamp") for p in orch.pods(app="web")) > 2, 1)
    orch.edit("a.yaml", '"pods": "2"', '"pods": "9"')
    orch.edit("a.yaml", '"requests.cpu": "1"', '"requests.cpu": "4"')
    orch.wait_ready(3, app="web")


def test_quota_bounds_what_controllers_make(orch):
    def condition():
        c, = [c for c in orch.get("deployments", "web")["status"]["conditions"]
              if c["type"] == "Progressing"]
        return c
    orch.write("q.yaml", quota("q", **{"count/replicasets.apps": "1", "count/jobs.batch": "0"}))
    orch.write("a.yaml", deployment("web", 2, sleeper(orch)))
    before = {p["metadata"]["uid"] for p in orch.wait_ready(2, app="web")}
    orch.write("a.yaml", deployment("web", 2, container(orch.rootfs, "/bin/probe", "sleep", "9")))
    refused = wait_for(lambda: condition()["reason"] == "ReplicaSetCreateError" and condition(), 10)
    assert refused["status"] == "False"
    assert 'replicasets.apps "web-' in refused["message"]
    assert "exceeded quota: q" in refused["message"]
    assert any(e["reason"] == "ReplicaSetCreateError" and
               e["involvedObject"]["kind"] == "Deployment" for e in orch.get("events"))
    never(lambda: {p["metadata"]["uid"] for p in orch.pods(app="web")} != before, 1)
    orch.write("c.yaml", {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"},
        "spec": {"schedule": "@every 1s", "concurrencyPolicy": "Forbid", "jobTemplate": {
            "spec": {"template": {"spec": {"restartPolicy": "Never",
                                           "containers": [sleeper(orch)]}}}}}})
    wait_for(lambda: any(k == "CronJob" and 'Error creating job: jobs.batch "c-' in m
                         for k, m in refusals(orch)), 15, "no Job may be made")
    assert not orch.get("jobs")
    assert "lastScheduleTime" not in orch.get("cronjobs", "c").get("status", {})
    orch.remove("q.yaml")
    wait_for(lambda: len(orch.get("jobs")) == 1, 15, "the Job that is due")
    wait_for(lambda: not before & {p["metadata"]["uid"] for p in orch.pods(app="web")}, 20,
             "the rollout goes on")
    orch.wait_ready(2, app="web")
