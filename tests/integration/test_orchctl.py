# SPDX-License-Identifier: GPL-2.0-or-later
"""orchctl against a running orchd: formats, exit codes, following and waiting."""

import json
import os
import re
import subprocess

import pytest

from harness import BUILD, configmap, container, deployment, pod, service, wait_for

READY = {"httpGet": {"port": 8080}, "periodSeconds": 1}


def web(orch, text="r1", replicas=2):
    orch.write("web.yaml", deployment("web", replicas,
                                      container(orch.rootfs, "/bin/probe", "listen", "8080", text,
                                                readinessProbe=READY)), service("web", 80, 8080))
    orch.wait_rollout("web")
    orch.wait_settled()


@pytest.mark.subset
def test_get_formats(orch):
    web(orch)
    out = orch.ctl("get", "po").stdout.splitlines()
    assert re.split(r"\s{2,}", out[0].strip())[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(out) == 3
    assert "NODE" in orch.ctl("get", "po", "-o", "wide").stdout
    assert orch.ctl("get", "deploy/web", "-o", "name").stdout.strip() == "deployment.apps/web"
    assert json.loads(orch.ctl("get", "svc", "web", "-o", "json").stdout)["kind"] == "Service"
    assert "kind: Deployment" in orch.ctl("get", "deploy", "web", "-o", "yaml").stdout
    assert orch.ctl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}").stdout.strip() == "2"
    assert "web" in orch.ctl("get", "deploy", "-A").stdout
    r = orch.ctl("get", "po", "nobody", check=False)
    assert r.returncode == 1 and 'pods "nobody" not found' in r.stderr


def test_describe_status_events_explain(orch):
    web(orch)
    name = orch.pods()[0]["metadata"]["name"]
    assert name in orch.ctl("describe", "pod", name).stdout
    assert "web" in orch.ctl("describe", "deploy", "web").stdout
    assert "auto" in orch.ctl("status").stdout
    assert orch.ctl("events").returncode == 0
    text = orch.ctl("explain", "pod.spec.containers.imagePullPolicy").stdout
    assert "IfNotPresent" in text
    assert "deployments" in orch.ctl("api-resources").stdout


def test_describe_init_containers(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep"), initContainers=[
        container(orch.rootfs, "/bin/probe", "exit", "0", name="first")]))
    orch.wait_ready(1)
    text = orch.ctl("describe", "pod", "p").stdout
    assert text.index("\nInit Containers:\n  first:\n") < text.index("\nContainers:\n  main:\n")
    assert "Reason:       Completed" in text


def test_wait(orch):
    r = orch.ctl("wait", "--for=condition=Available", "deploy/web", "--timeout=1s", check=False)
    assert r.returncode != 0
    web(orch)
    orch.ctl("wait", "--for=condition=Available", "deploy/web", "--timeout=10s")
    name = orch.pods()[0]["metadata"]["name"]
    w = subprocess.Popen(orch.ns.enter(f"{BUILD}/orchctl", "--socket", orch.sock, "wait",
                                       "--for=delete", f"pod/{name}", "--timeout=30s"),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    orch.ctl("rollout", "restart", "deploy/web")
    out, _ = w.communicate(timeout=40)
    assert w.returncode == 0, out


def test_apply_waits_with_progress(orch):
    orch.restart("--sync", "manual")
    orch.write("web.yaml", deployment("web", 3, container(
        orch.rootfs, "/bin/probe", "listen", "8080", "r1", readinessProbe=READY)))
    r = orch.ctl("apply")
    assert r.returncode == 0, r.stdout + r.stderr
    assert all(p["status"]["phase"] == "Running" for p in orch.pods())
    assert len(orch.pods()) == 3
    assert orch.ctl("plan", "--detailed-exitcode", check=False).returncode == 0


def test_apply_of_a_failing_rollout_exits_5(orch):
    orch.restart("--sync", "manual")
    orch.write("web.yaml", deployment("web", 1, container(orch.rootfs, "/bin/nothing"),
                                      progressDeadlineSeconds=2))
    r = orch.ctl("apply", check=False)
    assert r.returncode == 5, (r.returncode, r.stdout, r.stderr)


def test_apply_file(orch):
    source = os.path.join(orch.dir, "new.yaml")
    with open(source, "w") as f:
        f.write(json.dumps(configmap("c", k="v")))
    orch.ctl("apply", "-f", source)
    assert orch.get("configmaps", "c")["data"] == {"k": "v"}
    assert os.path.exists(orch.path("new.yaml"))
    with open(source, "w") as f:
        f.write("kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndatum: {k: w}\n")
    assert orch.ctl("apply", "-f", source, check=False).returncode == 3
    assert orch.get("configmaps", "c")["data"] == {"k": "v"}


@pytest.mark.subset
def test_validate_needs_no_daemon(orch, tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text(json.dumps(configmap("c", k="v")))
    bad = tmp_path / "bad.yaml"
    bad.write_text("apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers:\n"
                   "  - name: c\n    image: rootfs:/\n    ports:\n    - containerPort: 70000\n"
                   "    comand: [a]\n")
    run = lambda *a: subprocess.run([f"{BUILD}/orchctl", "--socket", "/nowhere", *map(str, a)],
                                    text=True, capture_output=True)
    assert run("validate", "-f", good).returncode == 0
    r = run("validate", "-f", bad)
    assert r.returncode == 3
    assert re.search(r"bad\.yaml:10:\d+: spec\.containers\[\d\]\.ports\[0\]\.containerPort: 70000",
                     r.stderr), r.stderr
    assert re.search(r"bad\.yaml:11:5: .*command", r.stderr), r.stderr
    assert run("get", "pods").returncode == 7


def test_logs_follow_previous_and_prefix(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "write-log", "3"),
                             annotations={"orch/restart-backoff-max": "1s"}))
    wait_for(lambda: any(c.get("restartCount", 0) >= 1 for c in
                         (orch.pod("p") or {}).get("status", {}).get("containerStatuses", [])))
    assert "line 2" in orch.ctl("logs", "-p", "p").stdout
    orch.write("t.yaml", pod("t", container(orch.rootfs, "/bin/probe", "ticker", "10000")))
    wait_for(lambda: orch.pod("t") and "tick 2" in orch.log_text(orch.pod("t"), "main"))
    f = subprocess.Popen([f"{BUILD}/orchctl", "--socket", orch.sock, "logs", "-f", "t"],
                         stdout=subprocess.PIPE, text=True)
    try:
        assert [f.stdout.readline() for _ in range(50)] == [f"tick {i}\n" for i in range(50)]
    finally:
        f.kill()
        f.wait()
        f.stdout.close()


def test_exec_with_stdin_and_tty(orch):
    if not os.path.exists("/bin/busybox"):
        pytest.skip("no busybox on this machine")
    orch.write("p.yaml", pod("p", container("/", "/bin/busybox", "sleep", "1000")))
    orch.wait_ready(1)
    r = orch.ctl("exec", "-i", "p", "--", "/bin/busybox", "cat", input="through\n")
    assert r.stdout == "through\n"
    r = orch.ctl("exec", "p", "--", "/bin/busybox", "sh", "-c", "echo e >&2; exit 7", check=False)
    assert (r.returncode, r.stderr) == (7, "e\n")
    r = orch.ns.run("script", "-qec",
                    f"{BUILD}/orchctl --socket {orch.sock} exec -it p -- /bin/busybox tty",
                    "/dev/null", stdin=subprocess.DEVNULL)
    assert "/dev/pts/" in r.stdout
    # the host's root as an image hides orchd's own directories
    r = orch.ctl("exec", "p", "--", "/bin/busybox", "ls", orch.state, check=False)
    assert not r.stdout.strip(), r.stdout


def test_history_and_rollout_history(orch):
    web(orch)
    orch.edit("web.yaml", '"r1"', '"r2"')
    orch.wait_rollout("web")
    orch.wait_settled()
    assert len(orch.ctl("history").stdout.splitlines()) >= 3
    text = orch.ctl("rollout", "history", "deploy/web").stdout
    assert "REVISION" in text and "CHANGE-CAUSE" in text
    assert "r2" in orch.ctl("rollout", "history", "deploy/web", "--revision=2").stdout


def test_access_needs_root_or_the_group(orch):
    web(orch, replicas=1)
    r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                        f"{BUILD}/orchctl", "--socket", orch.sock, "get", "pods"],
                       text=True, capture_output=True)
    assert r.returncode in (1, 7) and "web" not in r.stdout
