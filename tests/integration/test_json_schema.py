# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schema for editors, seen by a validator that is not ours."""

import copy
import glob
import json
import os
import subprocess

import pytest

from harness import BUILD

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def validator():
    import jsonschema       # here, as other machines that read this file lack it
    schema = json.loads(run(f"{BUILD}/orchctl", "explain", "--json-schema"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def documents():
    files = [f for suffix in ("yaml", "json")
             for f in sorted(glob.glob(f"{ROOT}/etc-example/**/*.{suffix}", recursive=True))]
    assert files
    return [json.loads(line) for f in files
            for line in run(f"{BUILD}/tests/tools/yaml-json", f).splitlines()]


def test_example_is_valid(validator):
    for document in documents():
        errors = [e.message for e in validator.iter_errors(document)]
        assert not errors, document


@pytest.mark.parametrize("path, value", [
    (("kind",), "Deploymnt"),           # passed over only when it is a kind that could be
    (("spec", "replicsa"), 3),
    (("spec", "replicas"), -1),
    (("spec", "replicas"), "3"),
    (("spec", "strategy"), {"type": "Rolling"}),
    (("spec", "template", "spec", "containers", 0, "ports"), [{"containerPort": 70000}]),
    (("spec", "template", "spec", "containers", 0, "name"), "Upper"),
    (("spec", "template", "spec", "restartPolicy"), "Sometimes"),
    (("apiVersion",), "v1"),
    (("apiVersion",), "apps/v1beta9"),
])
def test_mistakes_are_seen(validator, path, value):
    good = next(d for d in documents() if d["kind"] == "Deployment")
    bad = copy.deepcopy(good)
    at = bad
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert validator.is_valid(good)
    assert validator.is_valid(bad) == (value == "Deploymnt")


def test_old_versions_are_read(validator):
    old = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
           "metadata": {"name": "h"}, "spec": {"targetCPUUtilizationPercentage": 50}}
    assert validator.is_valid(old)
    assert not validator.is_valid({**old, "apiVersion": "autoscaling/v2"})


def test_list_and_one_kind(validator):
    import jsonschema
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
           "spec": {"containers": [{"name": "c", "image": "rootfs:/"}]}}
    assert validator.is_valid({"apiVersion": "v1", "kind": "List", "items": [pod]})
    one = jsonschema.Draft7Validator(json.loads(run(f"{BUILD}/orchctl", "explain", "--json-schema",
                                                    "pod")))
    assert one.is_valid(pod)
    del pod["spec"]["containers"]
    assert not one.is_valid(pod)
    assert not validator.is_valid({"apiVersion": "v1", "kind": "List", "items": [pod]})
