# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects of every kind that may stand in a file: read, planned, shown as kubectl shows them, and
deleted. Workloads here ask for no pods, so that it does not matter whether anything acts on them."""

import json
import re

import pytest

from harness import wait_for

TEMPLATE = {"metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "c", "image": "rootfs:/"}]}}
JOB = {"parallelism": 0, "template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
SELECTOR = {"matchLabels": {"app": "x"}}
STORAGE = {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"],
           "storageClassName": "fast"}

# apiVersion, kind, the rest, words of the table (AGE left out)
KINDS = [
    ("v1", "Node", {"spec": {"unschedulable": True}},
     "NAME=x STATUS=Unknown,SchedulingDisabled ROLES=<none>"),
    ("scheduling.k8s.io/v1", "PriorityClass", {"value": 10},
     "NAME=x VALUE=10 GLOBAL-DEFAULT=false PREEMPTIONPOLICY=PreemptLowerPriority"),
    ("node.k8s.io/v1", "RuntimeClass", {"handler": "runc"}, "NAME=x HANDLER=runc"),
    ("storage.k8s.io/v1", "StorageClass", {"provisioner": "example.com/disk"},
     "PROVISIONER=example.com/disk RECLAIMPOLICY=Delete VOLUMEBINDINGMODE=Immediate "
     "ALLOWVOLUMEEXPANSION=false"),
    ("networking.k8s.io/v1", "IngressClass", {"spec": {"controller": "example.com/in"}},
     "CONTROLLER=example.com/in PARAMETERS=<none>"),
    ("v1", "LimitRange", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
     "NAME=x"),
    ("v1", "ResourceQuota", {"spec": {"hard": {"pods": "4", "limits.cpu": "2"}}},
     "REQUEST=pods:_0/4 LIMIT=limits.cpu:_0/2"),
    ("v1", "ServiceAccount", {}, "NAME=x"),
    ("v1", "PersistentVolume",
     {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
               "hostPath": {"path": "/tmp/x"}}},
     "CAPACITY=1Gi ACCESS_MODES=RWO,ROX RECLAIM_POLICY=Retain"),
    ("v1", "PersistentVolumeClaim", {"spec": STORAGE}, "NAME=x STORAGECLASS=fast"),
    ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": SELECTOR}},
     "NAME=x POD-SELECTOR=app=x"),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": "50%", "selector": SELECTOR}},
     "MIN_AVAILABLE=50% MAX_UNAVAILABLE=N/A"),
    ("v1", "ReplicationController",
     {"spec": {"replicas": 0, "selector": {"app": "x"}, "template": TEMPLATE}},
     "DESIRED=0 CURRENT=0 READY=0"),
    ("apps/v1", "StatefulSet",
     {"spec": {"replicas": 0, "serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}},
     "NAME=x READY=0/0"),
    ("apps/v1", "DaemonSet",
     {"spec": {"selector": SELECTOR,
               "template": {**TEMPLATE, "spec": {**TEMPLATE["spec"],
                                                 "nodeSelector": {"no": "such-node"}}}}},
     "NAME=x NODE_SELECTOR=no=such-node"),
    ("batch/v1", "Job", {"spec": JOB}, "NAME=x COMPLETIONS=0/1"),
    ("batch/v1", "CronJob",
     {"spec": {"schedule": "0 4 1 1 *", "suspend": True, "jobTemplate": {"spec": JOB}}},
     "SCHEDULE=0_4_1_1_* TIMEZONE=<none> SUSPEND=True ACTIVE=0"),
    ("autoscaling/v2", "HorizontalPodAutoscaler",
     {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "x"},
               "minReplicas": 1, "maxReplicas": 3,
               "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {
                   "type": "Utilization", "averageUtilization": 80}}}]}},
     "REFERENCE=StatefulSet/x TARGETS=cpu:_<unknown>/80% MINPODS=1 MAXPODS=3"),
    ("networking.k8s.io/v1", "Ingress",
     {"spec": {"ingressClassName": "x", "rules": [{"host": "a.example.com", "http": {"paths": [
         {"path": "/", "pathType": "Prefix",
          "backend": {"service": {"name": "x", "port": {"number": 80}}}}]}}]}},
     "CLASS=x HOSTS=a.example.com PORTS=80"),
    ("v1", "PodTemplate", {"template": TEMPLATE}, "CONTAINERS=c IMAGES=rootfs:/ POD_LABELS=app=x"),
]


def manifest(api, kind, rest, _):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, **rest}


def write_all(orch):
    orch.write("all.yaml", *[manifest(*k) for k in KINDS])
    orch.wait_settled()
    wait_for(lambda: orch.ctl("get", "ing", check=False).stdout, what="the objects")


def table(text):
    """The first row of kubectl's table as {column: cell}."""
    head, row = text.splitlines()[:2]
    at = [m.start() for m in re.finditer(r"\S+(?: \S+)*", head)] + [max(len(head), len(row))]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(at, at[1:])}


def expected(words):
    return {k.replace("_", " "): v.replace("_", " ")
            for k, v in (w.split("=", 1) for w in words.split())}


@pytest.mark.subset
def test_every_kind_is_shown(orch):
    write_all(orch)
    assert "Nothing to do" in orch.ctl("plan").stdout
    for api, kind, rest, words in KINDS:
        got = table(orch.ctl("get", kind.lower(), "x").stdout)
        for column, cell in expected(words).items():
            assert got.get(column) == cell, (kind, column, got)
        assert "AGE" in got or kind in ("LimitRange", "PodTemplate"), (kind, got)
        o = json.loads(orch.ctl("get", kind, "x", "-o", "json").stdout)
        assert (o["apiVersion"], o["kind"], o["metadata"]["name"]) == (api, kind, "x")
        assert o["metadata"]["uid"] and o["metadata"]["creationTimestamp"]
        assert f"kind: {kind}\n" in orch.ctl("get", kind, "x", "-o", "yaml").stdout
        described = orch.ctl("describe", kind, "x").stdout
        assert re.search(r"^Name:\s+x$", described, re.M), described
    names = orch.ctl("api-resources", "-o", "name").stdout.split()
    assert "statefulsets.apps" in names and "ingresses.networking.k8s.io" in names


def kept(orch, kind):
    return "kept and shown only" in orch.ctl("explain", kind).stdout


@pytest.mark.subset
@pytest.mark.flags("--sync", "manual")
def test_plan_change_and_delete(orch):
    orch.write("all.yaml", *[manifest(*k) for k in KINDS])
    wanted = f"Plan: {len(KINDS)} to create"
    text = wait_for(lambda: wanted in (t := orch.ctl("plan").stdout) and t, what=wanted)
    for _, kind, _, _ in KINDS:
        effect = re.search(rf"^\+ {kind.lower()}/x  all.yaml:\d+\n    (.*)$", text, re.M)[1]
        assert ("kept, not acted on" in effect) == kept(orch, kind), (kind, effect)
    orch.ctl("apply", "--no-wait")
    orch.write("all.yaml", *[manifest(*k) for k in KINDS
                             if k[1] not in ("PersistentVolumeClaim", "LimitRange")])
    text = wait_for(lambda: "limitrange/x" in (t := orch.ctl("plan").stdout) and t)
    assert "- limitrange/x" in text and "persistentvolumeclaim/x would go" in text
    orch.ctl("apply", "--no-wait", check=False)
    assert "not found" in orch.ctl("get", "limitrange", "x", check=False).stderr
    assert orch.ctl("get", "pvc", "x").stdout
    orch.ctl("apply", "--no-wait", "--allow-delete")
    assert "not found" in orch.ctl("get", "pvc", "x", check=False).stderr


def test_kubectl_gets_every_kind(kube):
    write_all(kube)
    for api, kind, rest, words in KINDS:
        out = kube.kubectl("get", kind.lower(), "x", "-o", "name").stdout.strip()
        group = f".{api.split('/')[0]}" if "/" in api else ""
        assert out == f"{kind.lower()}{group}/x"
    got = table(kube.kubectl("get", "cronjobs").stdout)
    assert got["SCHEDULE"] == "0 4 1 1 *"
