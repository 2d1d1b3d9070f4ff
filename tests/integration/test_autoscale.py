# SPDX-License-Identifier: GPL-2.0-or-later
"""HorizontalPodAutoscalers with real load: counters of control groups in, pods out."""

import pytest

from harness import container, deployment, never, wait_for

pytestmark = pytest.mark.flags("--hpa-period", "1")


def autoscaler(kind="Deployment", most=3, resource="cpu", **target):
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "scaler"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": "web"},
                     "minReplicas": 1, "maxReplicas": most,
                     "behavior": {"scaleDown": {"stabilizationWindowSeconds": 2}},
                     "metrics": [{"type": "Resource", "resource": {"name": resource, "target": target}}]}}


def worker(orch, *command):
    return container(orch.rootfs, "/bin/probe", *command, resources={
        "requests": {"cpu": "100m", "memory": "1Mi"}, "limits": {"cpu": "100m"}})


def hpa(orch):
    status, o = orch.api("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/scaler",
                         expect=None)
    return o if status == 200 else {"status": {}}


def condition(orch, kind):
    return next((c for c in hpa(orch)["status"].get("conditions", []) if c["type"] == kind), {})


def alive(orch):
    return [p for p in orch.pods(app="web") if not p["metadata"].get("deletionTimestamp")]


@pytest.mark.v2
def test_load_makes_pods_and_idleness_takes_them(orch):
    orch.write("h.yaml", autoscaler(type="Utilization", averageUtilization=20))
    orch.write("web.yaml", deployment("web", 1, worker(orch, "spin", "1000")))
    wait_for(lambda: len(alive(orch)) == 3, 40, "three pods")
    assert condition(orch, "ScalingLimited")["reason"] in ("TooManyReplicas", "DesiredWithinRange")
    assert any(e["reason"] == "SuccessfulRescale" and "cpu resource utilization" in e["message"]
               for e in orch.get("events"))
    assert orch.get("deployments", "web")["spec"]["replicas"] == 3
    # the number of the manifest is where it began: neither plan nor a restart goes back to it
    assert orch.plan()["empty"]
    orch.edit("web.yaml", '"replicas": 1', '"replicas": 2')
    assert orch.plan()["empty"], orch.plan()["text"]
    before = {p["metadata"]["uid"] for p in alive(orch)}
    orch.restart()
    never(lambda: {p["metadata"]["uid"] for p in alive(orch)} != before, 1)
    row = orch.ctl("get", "hpa", "scaler").stdout.splitlines()[1]
    assert "Deployment/web" in row and "/20%" in row
    orch.edit("web.yaml", '"spin"', '"sleep"')
    wait_for(lambda: len(alive(orch)) == 1, 60, "one pod")
    wait_for(lambda: condition(orch, "AbleToScale").get("status") == "True", 10)


def test_memory_of_a_statefulset(orch):
    orch.write("h.yaml", autoscaler("StatefulSet", type="AverageValue", averageValue="1Ki",
                                    resource="memory", most=2))
    d = deployment("web", 1, worker(orch, "sleep"))
    orch.write("web.yaml", {**d, "kind": "StatefulSet",
                            "spec": {**d["spec"], "serviceName": "web"}})
    wait_for(lambda: {p["metadata"]["name"] for p in alive(orch)} == {"web-0", "web-1"}, 30)
    now = hpa(orch)["status"]
    assert now["desiredReplicas"] == 2 and now["lastScaleTime"]


def test_a_life(orch):
    """Made, bounded anew, aimed at another target, past a reboot, deleted."""
    def sizes(**expected):
        wait_for(lambda: {app: len([p for p in orch.pods(app=app)
                                    if not p["metadata"].get("deletionTimestamp")])
                          for app in expected} == expected, 30, f"{expected}")
        orch.wait_settled()
    # memory of one byte each is more than they may use, however many they are
    scaler = autoscaler(type="AverageValue", averageValue="1", resource="memory")
    orch.write("web.yaml", deployment("web", 1, worker(orch, "sleep")))
    orch.write("api.yaml", deployment("api", 1, worker(orch, "sleep")))
    orch.write("h.yaml", scaler)
    sizes(web=3, api=1)
    scaler["spec"]["maxReplicas"] = 2
    orch.write("h.yaml", scaler)
    sizes(web=2, api=1)
    orch.reboot()
    wait_for(lambda: hpa(orch)["status"].get("desiredReplicas") == 2, 20)
    sizes(web=2, api=1)
    assert len([e for e in orch.get("events") if e["reason"] == "SuccessfulRescale"]) == 0
    scaler["spec"]["scaleTargetRef"]["name"] = "api"
    orch.write("h.yaml", scaler)
    sizes(web=1, api=2)
    orch.remove("h.yaml")
    orch.apply(allowDelete=-1)
    sizes(web=1, api=1)


def test_what_is_not_known_scales_nothing(orch):
    orch.write("h.yaml", autoscaler(type="Utilization", averageUtilization=20))
    wait_for(lambda: condition(orch, "AbleToScale").get("reason") == "FailedGetScale", 10)
    orch.write("web.yaml", deployment("web", 2, container(orch.rootfs, "/bin/probe", "sleep")))
    wait_for(lambda: condition(orch, "ScalingActive").get("reason") == "FailedGetResourceMetric", 10)
    assert "missing request for cpu in container main" in condition(orch, "ScalingActive")["message"]
    never(lambda: len(alive(orch)) != 2 and orch.settled(), 3)
