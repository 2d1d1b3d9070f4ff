# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a pod: init containers and sidecars in their order, hooks, deadlines, last words.
Containers write what they do, in the order in which they do it, to a directory of the host."""

import os
import time

import pytest

from harness import BUILD, SLOW, container, container_status, never, pod, state, wait_for

MOUNT = [{"name": "v", "mountPath": "/v"}]


def shell(name, script, **more):
    return container("/", "/bin/sh", "-c", script, name=name, volumeMounts=MOUNT, **more)


class Story:
    """A pod whose containers tell what happens, one word a line."""

    def __init__(self, orch, tmp_path):
        self.orch = orch
        self.dir = str(tmp_path)
        os.chmod(self.dir, 0o777)

    def begin(self, name, *containers, **spec):
        spec.setdefault("terminationGracePeriodSeconds", 2)
        self.orch.write(f"{name}.yaml", pod(
            name, *containers, volumes=[{"name": "v", "hostPath": {"path": self.dir}}], **spec))
        return name

    def words(self, name="told"):
        try:
            with open(os.path.join(self.dir, name)) as f:
                return f.read().split()
        except FileNotFoundError:
            return []

    def wait_words(self, *words, timeout=15):
        try:
            self.orch.wait(lambda: self.words() == list(words), timeout)
        except AssertionError as e:
            raise AssertionError(f"told {self.words()}, expected {list(words)}\n{e}") from None


@pytest.fixture
def story(orch, tmp_path):
    return Story(orch, tmp_path)


def phase(orch, name):
    return ((orch.pod(name) or {}).get("status") or {}).get("phase")


def init_status(p, name):
    return next(s for s in p["status"].get("initContainerStatuses", []) if s["name"] == name)


# ---- init containers ----

@pytest.mark.subset
def test_init_containers_run_in_order_before_all_others(orch, story):
    story.begin("p", shell("main", "echo main >> /v/told; sleep 1000"), initContainers=[
        shell("one", "sleep 0.5; echo one >> /v/told"),
        shell("two", "sleep 0.3; echo two >> /v/told"),
    ])
    wait_for(lambda: "Init:0/2" in orch.ctl("get", "pods").stdout, 5, "Init:0/2 is shown")
    waits = orch.pod("p")
    assert waits["status"]["phase"] == "Pending"
    assert state(waits, "main")[1]["reason"] == "PodInitializing"
    conditions = {c["type"]: c for c in waits["status"]["conditions"]}
    assert conditions["Initialized"]["status"] == "False"
    assert conditions["Initialized"]["reason"] == "ContainersNotInitialized"
    story.wait_words("one", "two", "main")
    p = wait_for(lambda: phase(orch, "p") == "Running" and orch.pod("p"))
    for name in ("one", "two"):
        status = init_status(p, name)
        assert status["state"]["terminated"]["reason"] == "Completed" and status["ready"]
    assert "1/1" in orch.ctl("get", "pod", "p").stdout
    orch.kill9()
    orch.start()
    assert orch.plan()["empty"]
    never(lambda: story.words() != ["one", "two", "main"], 1)


def test_a_failing_init_container_is_tried_again_and_holds_the_pod(orch, story):
    story.begin("p", shell("main", "echo main >> /v/told; sleep 1000"), initContainers=[
        shell("one", "echo try >> /v/told; [ $(wc -l < /v/told) -ge 3 ]")])
    wait_for(lambda: "Init:CrashLoopBackOff" in orch.ctl("get", "pods").stdout, 8,
             "the failure is shown")
    story.wait_words("try", "try", "try", "main", timeout=25)
    p = wait_for(lambda: phase(orch, "p") == "Running" and orch.pod("p"))
    assert init_status(p, "one")["restartCount"] == 2


def test_with_never_a_failing_init_container_fails_the_pod(orch, story):
    story.begin("p", shell("main", "echo main >> /v/told"), restartPolicy="Never",
                initContainers=[shell("one", "exit 3")])
    wait_for(lambda: phase(orch, "p") == "Failed", 10, "the pod has failed")
    assert "Init:Error" in orch.ctl("get", "pods").stdout
    assert init_status(orch.pod("p"), "one")["state"]["terminated"]["exitCode"] == 3
    never(lambda: story.words(), 1)
    assert orch.plan()["empty"]


# ---- sidecars ----

SIDECAR = "trap 'echo {0}-ends >> /v/told; exit 0' TERM; echo {0} >> /v/told; " \
          "while :; do sleep 0.05; done"


def sidecar(name, **more):
    return shell(name, SIDECAR.format(name), restartPolicy="Always", **more)


@pytest.mark.v2
@pytest.mark.subset
def test_sidecars_start_first_and_stop_last_in_reverse(orch, story):
    story.begin("p", shell("main", SIDECAR.format("main")), initContainers=[
        sidecar("a", startupProbe={"exec": {"command": ["/bin/sh", "-c", "test -e /v/told"]},
                                   "periodSeconds": 1}),
        sidecar("b"), shell("init", "echo init >> /v/told")])
    wait_for(lambda: phase(orch, "p") == "Running")
    wait_for(lambda: len(story.words()) == 4)
    assert story.words() in (["a", "b", "init", "main"], ["a", "init", "b", "main"])
    wait_for(lambda: "3/3" in orch.ctl("get", "pod", "p").stdout, 5, "sidecars count as ready")
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") is None, 10, "the pod is gone")
    assert story.words()[4:] == ["main-ends", "b-ends", "a-ends"]


@pytest.mark.v2
def test_a_sidecar_is_restarted_and_disturbs_nobody(orch, story):
    story.begin("p", shell("main", "echo main >> /v/told; sleep 1000"), initContainers=[
        shell("a", "echo a >> /v/told; sleep 0.5; exit 1", restartPolicy="Always")])
    p = wait_for(lambda: len(story.words()) == 3 and orch.pod("p"), 15, "a has run twice")
    assert story.words() == ["a", "main", "a"]
    assert container_status(p, "main")["restartCount"] == 0
    wait_for(lambda: init_status(orch.pod("p"), "a")["restartCount"] == 1)


def test_a_job_like_pod_completes_although_it_has_a_sidecar(orch, story):
    story.begin("p", shell("main", "echo main >> /v/told; sleep 0.3"), restartPolicy="Never",
                initContainers=[sidecar("a"), sidecar("b")])
    wait_for(lambda: phase(orch, "p") == "Succeeded", 15, "the pod has succeeded")
    assert sorted(story.words()[:2]) == ["a", "b"]
    assert story.words()[2:] == ["main", "b-ends", "a-ends"]
    assert "Completed" in orch.ctl("get", "pods").stdout


# ---- hooks ----

def command(script):
    return {"exec": {"command": ["/bin/sh", "-c", script]}}


@pytest.mark.v2
@pytest.mark.subset
def test_post_start_comes_before_readiness_and_pre_stop_before_the_signal(orch, story):
    story.begin("p", shell("main", SIDECAR.format("main"), lifecycle={
        "postStart": command("sleep 0.6; echo started >> /v/told"),
        "preStop": command("echo stopping >> /v/told; sleep 0.6; echo stopped >> /v/told"),
    }))

    def ready():
        is_it = container_status(orch.pod("p") or {}, "main").get("ready")
        assert not is_it or story.words() == ["main", "started"]
        return is_it
    wait_for(ready, 10, "the pod is ready")
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") is None, 10, "the pod is gone")
    assert story.words()[2:] == ["stopping", "stopped", "main-ends"]


@pytest.mark.v2
def test_a_failed_post_start_kills_the_container(orch, story):
    story.begin("p", shell("main", SIDECAR.format("main"), lifecycle={
        "postStart": command("[ $(grep -c main$ /v/told) -ge 2 ]")}))
    story.wait_words("main", "main-ends", "main")
    wait_for(lambda: container_status(orch.pod("p"), "main")["ready"], 3, "the second run is ready")
    assert container_status(orch.pod("p"), "main")["restartCount"] == 1
    assert "FailedPostStartHook" in orch.ctl("events").stdout


def failed_hooks(orch, reason):
    return {e["message"] for e in orch.get("events") if e["reason"] == reason}


@pytest.mark.v2
@pytest.mark.parametrize("hook,why", [
    (command("echo no; exit 3"), "exit code 3: no"),
    ({"httpGet": {"port": 8081}}, "connection refused"),
    ({"httpGet": {"port": 8081, "scheme": "HTTPS"}}, "connection refused")])
def test_why_a_post_start_failed(orch, story, hook, why):
    """It is told, the container is killed and, by and by, started again."""
    story.begin("p", shell("main", SIDECAR.format("main"), lifecycle={"postStart": hook}))
    wait_for(lambda: container_status(orch.pod("p") or {}, "main").get("restartCount"), 20,
             "the container is started again")
    assert failed_hooks(orch, "FailedPostStartHook") == {f"PostStartHook failed: {why}"}
    wait_for(lambda: state(orch.pod("p"), "main")[1].get("reason") == "CrashLoopBackOff", 20,
             "it is not tried without end")


@pytest.mark.v2
def test_a_tcp_hook_fails(orch, story):
    """As with kubelet, whether anybody listens or not: postStart ends the container, preStop does
    not keep it."""
    listens = container("/", "/bin/sh", "-c", f"{BUILD}/orch-probe listen 8080 x & "
                        + SIDECAR.format("main"), name="main", volumeMounts=MOUNT,
                        lifecycle={"postStart": {"tcpSocket": {"port": 8080}}})
    story.begin("p", listens)
    orch.write("q.yaml", pod("q", container("/", "/bin/sleep", "1000", lifecycle={
        "preStop": {"tcpSocket": {"port": 8080}}}), terminationGracePeriodSeconds=1))
    wait_for(lambda: container_status(orch.pod("p") or {}, "main").get("restartCount"), 20,
             "the container is started again")
    assert failed_hooks(orch, "FailedPostStartHook") == {
        "PostStartHook failed: invalid handler: tcpSocket"}
    wait_for(lambda: container_status(orch.pod("q") or {}).get("ready"), 20, "the other runs")
    orch.remove("q.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("q") is None, 15, "the other is gone")
    assert failed_hooks(orch, "FailedPreStopHook") == {
        "PreStopHook failed: invalid handler: tcpSocket"}


@pytest.mark.v2
def test_the_grace_period_bounds_a_pre_stop_hook(orch, story):
    story.begin("p", shell("main", SIDECAR.format("main"), lifecycle={
        "preStop": command("echo stopping >> /v/told; sleep 1000")}),
        terminationGracePeriodSeconds=1)
    story.wait_words("main")
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") is None, 8, "the pod is gone")
    assert story.words() == ["main", "stopping", "main-ends"]


def test_sleep_and_http_hooks(orch, story):
    begun = time.monotonic()
    story.begin("p", container("/", "/bin/sh", "-c", f"{BUILD}/orch-probe listen 8080 x & "
                               + SIDECAR.format("main"), name="main", volumeMounts=MOUNT, lifecycle={
                                   "postStart": {"sleep": {"seconds": 2}},
                                   "preStop": {"httpGet": {"port": 8080, "path": "/nothing"}}}))
    wait_for(lambda: container_status(orch.pod("p") or {}, "main").get("ready"), 15)
    assert time.monotonic() - begun >= 2, "ready before the sleep has ended"
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") is None, 8, "the pod is gone")
    assert "FailedPreStopHook" not in orch.ctl("events").stdout


@pytest.mark.v2
def test_a_stop_signal_of_its_own(orch, story):
    story.begin("p", shell("main", "trap 'echo usr1 >> /v/told; exit 0' USR1; "
                           "echo main >> /v/told; while :; do sleep 0.05; done",
                           lifecycle={"stopSignal": "SIGUSR1"}), os={"name": "linux"})
    story.wait_words("main")
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") is None, 8, "the pod is gone")
    assert story.words() == ["main", "usr1"]


# ---- the end ----

@pytest.mark.v2
def test_the_active_deadline_ends_a_pod(orch, story):
    story.begin("p", shell("main", SIDECAR.format("main")), initContainers=[sidecar("a")],
                restartPolicy="Always", activeDeadlineSeconds=int(2 * SLOW))
    wait_for(lambda: phase(orch, "p") == "Running")
    p = wait_for(lambda: phase(orch, "p") == "Failed" and orch.pod("p"), 8, "the deadline comes")
    assert p["status"]["reason"] == "DeadlineExceeded"
    story.wait_words("a", "main", "main-ends", "a-ends")
    never(lambda: len(story.words()) > 4, 2)
    orch.kill9()
    orch.start()
    assert orch.pod("p")["status"]["reason"] == "DeadlineExceeded"


def ended(orch, name, container_name="main"):
    p = wait_for(lambda: state(orch.pod(name) or {}, container_name)[0] == "terminated"
                 and orch.pod(name), 10, f"{name} ends")
    return state(p, container_name)[1]


@pytest.mark.v2
@pytest.mark.subset
def test_termination_messages(orch, story):
    story.begin("file", shell("main", "echo last words > /dev/termination-log"),
                restartPolicy="Never")
    assert ended(orch, "file")["message"] == "last words\n"
    story.begin("path", shell("main", "echo elsewhere > /tmp/words; exit 2",
                              terminationMessagePath="/tmp/words"), restartPolicy="Never")
    assert ended(orch, "path")["message"] == "elsewhere\n"
    story.begin("log", shell("main", "for i in $(seq 100); do echo line $i; done; exit 1",
                             terminationMessagePolicy="FallbackToLogsOnError"),
                restartPolicy="Never")
    lines = ended(orch, "log")["message"].splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("line 21", "line 100", 80)
    story.begin("none", shell("main", "echo quiet; exit 0",
                              terminationMessagePolicy="FallbackToLogsOnError"),
                restartPolicy="Never")
    assert "message" not in ended(orch, "none")
    story.begin("long", shell("main", "head -c 10000 /dev/zero | tr '\\0' x > /dev/termination-log"),
                restartPolicy="Never")
    assert ended(orch, "long")["message"] == "x" * 4096
    orch.kill9()
    orch.start()
    assert state(orch.pod("log"))[1]["message"].splitlines()[-1] == "line 100"
    assert state(orch.pod("file"))[1]["message"] == "last words\n"


def test_the_message_of_the_run_before_is_kept(orch, story):
    story.begin("p", shell("main", "[ -e /v/again ] && exec sleep 1000; touch /v/again; "
                           "echo first > /dev/termination-log; exit 1"))
    p = wait_for(lambda: (orch.pod("p") or {}).get("status")
                 and container_status(orch.pod("p"), "main")["restartCount"] == 1
                 and "running" in container_status(orch.pod("p"), "main")["state"]
                 and orch.pod("p"), 10)
    assert container_status(p, "main")["lastState"]["terminated"]["message"] == "first\n"
