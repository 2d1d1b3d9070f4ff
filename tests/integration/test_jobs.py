# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs and CronJobs on the real kernel: they end, fail, are counted once, and never run again,
whether orchd or the whole machine starts anew."""

import os
import signal

import pytest

from harness import container, is_ready, never, pod, pod_spec, wait_for


def job(name, rootfs, *command, policy="Never", more=None, **spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": {"spec": pod_spec(container(rootfs, *command, **(more or {})),
                                                   restartPolicy=policy)}, **spec}}


def cronjob(name, schedule, template, **spec):
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
            "spec": {"schedule": schedule, "jobTemplate": {"spec": template["spec"]}, **spec}}


def status(orch, name):
    return (orch.get("jobs", name) or {}).get("status") or {}


def condition(orch, name, kind):
    return next((c for c in status(orch, name).get("conditions", [])
                 if c["type"] == kind and c["status"] == "True"), None)


def finished(orch, name, kind, timeout=30):
    return wait_for(lambda: condition(orch, name, kind), timeout, f"job {name} is {kind}")


def pods(orch, name):
    return orch.pods(**{"batch.kubernetes.io/job-name": name})


@pytest.mark.v2
@pytest.mark.subset
def test_a_job_runs_to_its_end_and_never_again(orch):
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "0"))
    finished(orch, "j", "Complete")
    s = status(orch, "j")
    assert s["succeeded"] == 1 and not s.get("active") and s["completionTime"] >= s["startTime"]
    p, = pods(orch, "j")
    assert p["status"]["phase"] == "Succeeded"
    assert p["metadata"]["ownerReferences"][0]["kind"] == "Job"
    assert orch.plan()["empty"]
    orch.kill9()
    orch.start()
    assert orch.plan()["empty"]
    assert [x["metadata"]["uid"] for x in pods(orch, "j")] == [p["metadata"]["uid"]]
    orch.reboot()
    orch.wait_settled()
    assert pods(orch, "j") == []
    assert status(orch, "j") == s
    never(lambda: pods(orch, "j"), 1, "it runs again")
    row = orch.ctl("get", "jobs").stdout.splitlines()[1].split()
    assert row[:3] == ["j", "Complete", "1/1"]
    orch.remove("j.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.get("jobs", "j") is None, 10, "it is gone")
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "0"))
    finished(orch, "j", "Complete")
    assert len(pods(orch, "j")) == 1, "a new Job of that name runs"


@pytest.mark.v2
def test_failures_are_counted_once(orch):
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "3", backoffLimit=1))
    wait_for(lambda: status(orch, "j").get("failed") == 1, 15)
    orch.kill9()
    orch.start()
    never(lambda: status(orch, "j").get("failed") != 1, 2, "restarting counts it again")
    assert finished(orch, "j", "Failed", 30)["reason"] == "BackoffLimitExceeded"
    assert status(orch, "j")["failed"] == 2 and len(pods(orch, "j")) == 2
    first, second = sorted(p["metadata"]["creationTimestamp"] for p in pods(orch, "j"))
    assert first < second
    reasons = [e["reason"] for e in orch.api("/api/v1/namespaces/default/events")["items"]
               if e["involvedObject"]["kind"] == "Job"]
    assert "BackoffLimitExceeded" in reasons and "SuccessfulCreate" in reasons
    assert "Failed" in orch.ctl("get", "jobs").stdout


def test_restarts_in_place_count_as_failures(orch):
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "3", policy="OnFailure",
                             backoffLimit=1))
    assert finished(orch, "j", "Failed", 30)["reason"] == "BackoffLimitExceeded"
    wait_for(lambda: pods(orch, "j") == [], 15, "the pod is stopped")


@pytest.mark.subset
def test_an_indexed_job(orch):
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "$(JOB_COMPLETION_INDEX)",
                             completions=3, parallelism=3, completionMode="Indexed",
                             backoffLimitPerIndex=0))
    assert finished(orch, "j", "Failed")["reason"] == "FailedIndexes"
    s = status(orch, "j")
    assert (s["completedIndexes"], s["failedIndexes"]) == ("0", "1,2")
    assert (s["succeeded"], s["failed"]) == (1, 2)
    codes = {}
    for p in pods(orch, "j"):
        i = p["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]
        assert p["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == i
        assert p["metadata"]["name"].startswith(f"j-{i}-") and p["spec"]["hostname"] == f"j-{i}"
        end = p["status"]["containerStatuses"][0]["state"]["terminated"]
        codes[i] = end["exitCode"]
    assert codes == {"0": 0, "1": 1, "2": 2}
    text = orch.ctl("describe", "job", "j").stdout
    assert "Completed Indexes:" in text and "Pods Statuses:" in text


def test_no_more_than_parallelism_run_at_once(orch):
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "0", completions=6,
                             parallelism=2))
    most = []

    def done():
        most.append(sum(p["status"].get("phase") in ("Pending", "Running")
                        for p in pods(orch, "j")))
        return condition(orch, "j", "Complete")
    wait_for(done, 40, "six have succeeded")
    assert max(most) == 2
    assert status(orch, "j")["succeeded"] == 6


def test_deadline_suspension_and_ttl(orch):
    orch.write("late.yaml", job("late", orch.rootfs, "/bin/probe", "sleep",
                                activeDeadlineSeconds=1))
    assert finished(orch, "late", "Failed", 20)["reason"] == "DeadlineExceeded"
    orch.write("s.yaml", job("s", orch.rootfs, "/bin/probe", "exit", "0", suspend=True,
                             ttlSecondsAfterFinished=1))
    wait_for(lambda: condition(orch, "s", "Suspended"), 10)
    never(lambda: pods(orch, "s"), 0.5)
    orch.write("s.yaml", job("s", orch.rootfs, "/bin/probe", "exit", "0", suspend=False,
                             ttlSecondsAfterFinished=1))
    finished(orch, "s", "Complete")
    wait_for(lambda: pods(orch, "s") == [], 15, "its pods go")
    never(lambda: pods(orch, "s"), 1)
    assert condition(orch, "s", "Complete"), "the record stays"


def test_a_pod_failure_policy(orch):
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "exit", "42", backoffLimit=6,
                             podFailurePolicy={"rules": [
                                 {"action": "FailJob",
                                  "onExitCodes": {"operator": "In", "values": [42]}}]}))
    c = finished(orch, "j", "Failed")
    assert c["reason"] == "PodFailurePolicy" and "exit code 42" in c["message"]
    assert len(pods(orch, "j")) == 1


def test_a_life_of_a_job_that_runs(orch):
    """Scaled up and down, its pods killed, the machine rebooted, suspended, resumed and deleted."""
    def write(**spec):
        orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "sleep",
                                 **{"completions": 9, "backoffLimit": 3, **spec}))

    def wait_ready(n):
        def ready():
            s = status(orch, "j")
            return (s.get("ready", 0), s.get("active", 0), s.get("terminating", 0)) == (n, n, 0)
        wait_for(ready, 30, f"{n} pods")
        return {p["metadata"]["uid"] for p in pods(orch, "j") if is_ready(p)}
    write(parallelism=1)
    first = wait_ready(1)
    write(parallelism=3)
    assert first < wait_ready(3)
    write(parallelism=2)
    two = wait_ready(2)
    assert not status(orch, "j").get("failed"), "what is not needed any more has not failed"
    victim = next(p for p in pods(orch, "j") if p["metadata"]["uid"] in two)
    os.kill(min(orch.pids(victim, "main")), signal.SIGKILL)
    wait_for(lambda: status(orch, "j").get("failed") == 1, 20, "it is counted")
    assert wait_ready(2) != two
    orch.reboot()
    again = wait_ready(2)
    assert not again & two and status(orch, "j")["failed"] == 1
    write(parallelism=2, suspend=True)
    assert wait_ready(0) == set() and condition(orch, "j", "Suspended")
    write(parallelism=2)
    assert not wait_ready(2) & again
    orch.remove("j.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: not pods(orch, "j") and not orch.all_pids(), 20, "nothing is left")


def test_what_has_to_go_for_another_pod_is_no_failure(orch):
    part = {"resources": {"requests": {"cpu": f"{int(os.cpu_count() * 600)}m"}}}
    orch.write("c.yaml", {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                          "metadata": {"name": "high"}, "value": 100})
    orch.write("j.yaml", job("j", orch.rootfs, "/bin/probe", "sleep", more=part, backoffLimit=0,
                             podFailurePolicy={"rules": [
                                 {"action": "Ignore",
                                  "onPodConditions": [{"type": "DisruptionTarget"}]}]}))
    first = wait_for(lambda: status(orch, "j").get("ready") and pods(orch, "j"), 20, "it runs")[0]
    orch.write("h.yaml", pod("high", container(orch.rootfs, "/bin/probe", "sleep", **part),
                             priorityClassName="high"))
    wait_for(lambda: is_ready(orch.pod("high") or {"metadata": {}}), 20, "it has its place")
    wait_for(lambda: len(pods(orch, "j")) == 1 and
             pods(orch, "j")[0]["metadata"]["uid"] != first["metadata"]["uid"], 20,
             "another pod waits")
    assert not status(orch, "j").get("failed") and not condition(orch, "j", "Failed")
    orch.remove("h.yaml")
    wait_for(lambda: status(orch, "j").get("ready"), 20, "it runs again")
    assert not status(orch, "j").get("failed")


def test_another_controller_takes_care_of_a_job(orch):
    orch.write("j.yaml", job("mine", orch.rootfs, "/bin/probe", "exit", "0"),
               job("theirs", orch.rootfs, "/bin/probe", "exit", "0",
                   managedBy="example.com/theirs"))
    finished(orch, "mine", "Complete")
    assert not pods(orch, "theirs") and not status(orch, "theirs")
    orch.wait_settled()


@pytest.mark.subset
def test_a_cronjob_starts_jobs_and_forgets_old_ones(orch):
    orch.write("c.yaml", cronjob("c", "@every 2s", job("", orch.rootfs, "/bin/probe", "exit", "0"),
                                 successfulJobsHistoryLimit=2))
    seen = set()

    def enough():
        seen.update(j["metadata"]["name"] for j in orch.get("jobs"))
        return len(seen) >= 4
    wait_for(enough, 30, "four Jobs")
    jobs = orch.get("jobs")
    assert len(jobs) <= 4
    assert all(j["metadata"]["ownerReferences"][0]["name"] == "c" for j in jobs)
    assert all("batch.kubernetes.io/cronjob-scheduled-timestamp" in j["metadata"]["annotations"]
               for j in jobs)
    wait_for(lambda: orch.get("cronjobs", "c")["status"].get("lastSuccessfulTime"), 10)
    last = orch.get("cronjobs", "c")["status"]["lastScheduleTime"]
    assert "c" in orch.ctl("get", "cronjobs").stdout
    orch.ctl("describe", "cronjob", "c")
    orch.write("c.yaml", cronjob("c", "@every 2s", job("", orch.rootfs, "/bin/probe", "exit", "0"),
                                 successfulJobsHistoryLimit=2, suspend=True))
    wait_for(lambda: orch.get("cronjobs", "c")["spec"]["suspend"], 10)
    wait_for(lambda: len(orch.get("jobs")) == 2, 15, "the last Job has ended, too")
    orch.wait_settled()
    known = sorted(j["metadata"]["name"] for j in orch.get("jobs"))
    orch.reboot()
    orch.wait_settled()
    assert orch.get("cronjobs", "c")["status"]["lastScheduleTime"] >= last
    assert sorted(j["metadata"]["name"] for j in orch.get("jobs")) == known
    assert pods(orch, known[-1]) == []
    orch.remove("c.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: not orch.get("jobs"), 15, "its Jobs go with it")


def test_concurrency(orch):
    for policy in ("Forbid", "Replace"):
        orch.write(f"{policy}.yaml",
                   cronjob(policy.lower(), "@every 2s", job("", orch.rootfs, "/bin/probe", "sleep"),
                           concurrencyPolicy=policy))

    def active(name):
        return [x["name"] for x in
                (orch.get("cronjobs", name) or {}).get("status", {}).get("active", [])]
    first = {n: wait_for(lambda: active(n), 15) for n in ("forbid", "replace")}
    wait_for(lambda: active("replace") and active("replace") != first["replace"], 20,
             "the next Job replaces it")
    assert active("forbid") == first["forbid"]
    assert len(active("replace")) == 1


def test_a_life_of_a_cronjob_that_runs(orch):
    """The pods of its Job killed, its template changed, rebooted while it runs, deleted."""
    def write(*command, **spec):
        orch.write("c.yaml", cronjob("c", "@every 2s",
                                     job("", orch.rootfs, "/bin/probe", *command, backoffLimit=0),
                                     concurrencyPolicy="Forbid", **spec))

    def running():
        return [p for j in orch.get("jobs") for p in pods(orch, j["metadata"]["name"])
                if orch.pids(p, "main") and is_ready(p)]
    write("sleep")
    first, = wait_for(running, 20, "it runs")
    os.kill(min(orch.pids(first, "main")), signal.SIGKILL)
    name = first["metadata"]["ownerReferences"][0]["name"]
    assert finished(orch, name, "Failed")["reason"] == "BackoffLimitExceeded"
    second, = wait_for(lambda: [p for p in running() if p["metadata"]["uid"] !=
                                first["metadata"]["uid"]], 20, "the next Job")
    write("sleep", suspend=True)
    wait_for(lambda: orch.get("cronjobs", "c")["spec"]["suspend"], 10)
    owner = second["metadata"]["ownerReferences"][0]
    orch.reboot()
    third, = wait_for(running, 20, "its Job goes on")
    assert third["metadata"]["ownerReferences"][0] == owner
    assert third["metadata"]["uid"] != second["metadata"]["uid"]
    write("exit", "0")
    never(lambda: len(running()) != 1, 1, "what runs is not touched, and nothing runs beside it")
    os.kill(min(orch.pids(third, "main")), signal.SIGKILL)
    wait_for(lambda: orch.get("cronjobs", "c")["status"].get("lastSuccessfulTime"), 20)
    orch.remove("c.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: not orch.get("jobs") and not orch.all_pids(), 20, "nothing is left")
