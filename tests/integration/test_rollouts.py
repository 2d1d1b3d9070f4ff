# SPDX-License-Identifier: GPL-2.0-or-later
"""Deployments: rolling update without a lost request, Recreate, pause, undo with its hold, and
what config has to do with all of it."""

import os
import threading
import time

import pytest

from harness import (SLOW, configmap, container, deployment, is_ready, never, service, start_time,
                     wait_for)

READY = {"httpGet": {"port": 8080}, "periodSeconds": 1}


def web(orch, text, replicas=3, more=(), **spec):
    return deployment("web", replicas,
                      container(orch.rootfs, "/bin/probe", "listen", "8080", text,
                                readinessProbe=READY, **dict(more)), **spec)


def texts(orch):
    """The last argument but one of each pod's command: which version runs."""
    return sorted(p["spec"]["containers"][0]["command"][3] for p in orch.pods(app="web")
                  if not p["metadata"].get("deletionTimestamp"))


def start_web(orch, replicas=3, text="r1", **spec):
    orch.write("web.yaml", web(orch, text, replicas, **spec), service("web", 80, 8080))
    orch.wait_ready(replicas, app="web")
    orch.wait_rollout("web")
    return orch.get("services", "web")["spec"]["clusterIP"]


class Watcher(threading.Thread):
    """Samples the ready pods and the service map all the time."""

    def __init__(self, orch):
        super().__init__(daemon=True)
        self.orch, self.stop = orch, threading.Event()
        self.ready, self.total, self.mapped = [], [], []

    def run(self):
        while not self.stop.is_set():
            pods = self.orch.pods(app="web")
            self.ready.append(sum(is_ready(p) for p in pods))
            self.total.append(sum(not p["metadata"].get("deletionTimestamp") for p in pods))
            subsets = (self.orch.get("endpoints", "web") or {}).get("subsets", [])
            self.mapped.append(sum(len(s.get("addresses", [])) for s in subsets))
            time.sleep(0.01)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.join()


@pytest.mark.v2
@pytest.mark.subset
def test_rolling_update_loses_no_request(orch):
    vip = start_web(orch, 4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}})
    with Watcher(orch) as w, orch.client(vip, 80) as c1, orch.client(vip, 80) as c2:
        time.sleep(0.3)
        orch.edit("web.yaml", '"r1"', '"r2"')
        orch.wait_settled(60)
        orch.wait_rollout("web")
        time.sleep(0.3)
    for c in (c1, c2):
        assert len(c.answers) > 50 / SLOW and not c.failures(), c.failures()[:5]
    assert {a.split()[1] for a in c1.seen()} == {"r1", "r2"}
    assert min(w.ready) >= 3 and min(w.mapped) >= 3, (min(w.ready), min(w.mapped))
    assert max(w.total) <= 5
    assert texts(orch) == ["r2"] * 4
    sets = {s["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: s["spec"]["replicas"]
            for s in orch.get("replicasets")}
    assert sets == {"1": 0, "2": 4}


def test_keep_alive_connections_are_drained(orch):
    import http.client
    from harness import in_netns
    vip = start_web(orch, 2)

    def keep_going(stop, bad):
        def go():
            c = http.client.HTTPConnection(vip, 80, timeout=3)
            while not stop.is_set():
                try:
                    c.request("GET", "/")
                    if c.getresponse().read().split()[1] not in (b"r1", b"r2"):
                        bad.append("text")
                except (OSError, http.client.HTTPException) as e:
                    bad.append(repr(e))
                    c.close()
                time.sleep(0.005)
            c.close()
        in_netns(orch.ns.pid, go)
    stop, bad = threading.Event(), []
    threads = [threading.Thread(target=keep_going, args=(stop, bad)) for _ in range(3)]
    for t in threads:
        t.start()
    orch.edit("web.yaml", '"r1"', '"r2"')
    orch.wait_settled(60)
    time.sleep(0.3)
    stop.set()
    for t in threads:
        t.join()
    assert not bad, bad[:5]


def test_broken_version_stops_the_rollout_and_the_old_goes_on(orch):
    vip = start_web(orch, 4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
                    progressDeadlineSeconds=3)
    with orch.client(vip, 80) as c:
        orch.edit("web.yaml", '"/bin/probe"', '"/bin/missing"')
        def failed():
            r = orch.api("/apis/orch/v1/namespaces/default/deployments/web/rolloutstatus")
            return r["failed"] and r
        r = wait_for(failed, 20)
        assert "exceeded its progress deadline" in r["message"]
        ready = [p for p in orch.pods(app="web") if is_ready(p)]
        assert len(ready) == 3
        assert orch.ctl("rollout", "status", "deploy/web", check=False).returncode == 5
        # taking the edit back ends it
        orch.edit("web.yaml", '"/bin/missing"', '"/bin/probe"')
        orch.wait_ready(4, app="web", timeout=60)
    assert not c.failures()


def test_failed_rollout_goes_back_when_its_manifest_says_so(orch):
    """To what last ran everywhere, once, and until the manifest is edited; who waited is told."""
    d = web(orch, "r1", 2, progressDeadlineSeconds=3)
    d["metadata"]["annotations"] = {"orch/rollback-on-failure": "true"}
    orch.write("web.yaml", d)
    orch.wait_ready(2, app="web")
    orch.wait_rollout("web")
    good = {p["metadata"]["uid"] for p in orch.pods(app="web")}
    orch.edit("web.yaml", '"/bin/probe"', '"/bin/missing"')
    apply = orch.ctl("apply", "--wait", check=False)
    assert apply.returncode == 5, apply.stderr

    def back():
        pods = orch.pods(app="web")
        return len(pods) == 2 and all(is_ready(p) for p in pods) and pods
    assert good & {p["metadata"]["uid"] for p in wait_for(back, 30)}
    status = orch.ctl("rollout", "status", "deploy/web", check=False)
    assert status.returncode == 5
    assert "was rolled back to revision 1" in status.stdout + status.stderr
    assert "since its rollout failed" in orch.ctl("plan").stdout
    events = orch.ctl("events").stdout
    assert events.count("DeploymentRollback") == 1
    orch.kill9()		# it is remembered
    orch.start()
    assert orch.ctl("rollout", "status", "deploy/web", check=False).returncode == 5
    orch.edit("web.yaml", '"/bin/missing"', '"/bin/probe"')
    wait_for(lambda: orch.ctl("rollout", "status", "deploy/web", check=False).returncode == 0, 20)


def test_recreate_stops_all_before_it_starts_one(orch):
    start_web(orch, 3, strategy={"type": "Recreate"})
    old = {p["metadata"]["name"] for p in orch.pods()}
    mixed = []
    orch.edit("web.yaml", '"r1"', '"r2"')

    def done():
        names = {p["metadata"]["name"] for p in orch.pods()}
        if names & old and names - old:
            mixed.append(names)
        return texts(orch) == ["r2"] * 3 and not names & old
    wait_for(done, 40, every=0.01)
    assert not mixed
    orch.wait_ready(3, app="web")


def test_pause_collects_edits_and_resume_rolls_once(orch):
    start_web(orch, 2, "r0")
    orch.edit("web.yaml", '"r0"', '"r1"')
    wait_for(lambda: texts(orch) == ["r1", "r1"], 40)
    orch.wait_settled()
    before = orch.all_pids()
    orch.ctl("rollout", "pause", "deploy/web")
    orch.edit("web.yaml", '"r1"', '"r2"')
    never(lambda: texts(orch) != ["r1", "r1"], 1.5, "rolled while paused")
    assert orch.all_pids() == before
    undo = orch.ctl("rollout", "undo", "deploy/web", check=False)
    assert undo.returncode == 1
    assert "cannot rollback a paused deployment" in undo.stderr
    orch.ctl("rollout", "resume", "deploy/web")
    orch.wait_settled(40)
    assert texts(orch) == ["r2", "r2"]


def test_scaling_replaces_nothing(orch):
    start_web(orch, 2)
    before = orch.all_pids()
    orch.edit("web.yaml", '"replicas": 2', '"replicas": 4')
    orch.wait_ready(4, app="web")
    assert before <= orch.all_pids()
    orch.edit("web.yaml", '"replicas": 4', '"replicas": 1')
    orch.wait_ready(1, app="web")
    assert len(orch.get("replicasets")) == 1


def test_restart_replaces_all(orch):
    start_web(orch, 2)
    old = {p["metadata"]["uid"] for p in orch.pods()}
    orch.ctl("rollout", "restart", "deploy/web")
    wait_for(lambda: len(orch.pods()) == 2 and
             not old & {p["metadata"]["uid"] for p in orch.pods()}, 40)
    orch.wait_settled()
    assert texts(orch) == ["r1", "r1"]


@pytest.mark.subset
def test_undo_holds_until_the_next_edit(orch):
    start_web(orch, 2)
    orch.edit("web.yaml", '"r1"', '"r2"')
    wait_for(lambda: texts(orch) == ["r2", "r2"], 40)
    orch.wait_settled()
    assert "rolled back" in orch.ctl("rollout", "undo", "deploy/web").stdout
    wait_for(lambda: texts(orch) == ["r1", "r1"], 40)
    orch.wait_settled()

    # the manifest still says r2: plan and status tell, and nothing acts on it
    held, = orch.status()["holds"]
    assert (held["kind"], held["name"]) == ("Deployment", "web")
    plan = orch.plan()
    assert plan["empty"] and "held" in plan["text"], plan["text"]
    assert "held" in orch.ctl("plan").stdout
    history = orch.ctl("rollout", "history", "deploy/web").stdout
    assert [l.split()[0] for l in history.splitlines() if l[:1].isdigit()] == ["2", "3"]

    # the same bytes again change nothing; a restart of orchd changes nothing
    before = orch.all_pids()
    orch.write("web.yaml", orch.read("web.yaml"))
    orch.restart()
    orch.wait_settled()
    never(lambda: texts(orch) != ["r1", "r1"], 1, "the hold was lost")
    assert orch.all_pids() == before

    # an edit ends it
    orch.edit("web.yaml", '"r2"', '"r3"')
    wait_for(lambda: texts(orch) == ["r3", "r3"], 40)
    assert not orch.status()["holds"]


def test_unhold(orch):
    start_web(orch, 1)
    orch.edit("web.yaml", '"r1"', '"r2"')
    wait_for(lambda: texts(orch) == ["r2"], 40)
    orch.wait_settled()
    orch.ctl("rollout", "undo", "deploy/web")
    wait_for(lambda: texts(orch) == ["r1"], 40)
    orch.ctl("rollout", "unhold", "deploy/web")
    wait_for(lambda: texts(orch) == ["r2"], 40)
    assert not orch.status()["holds"]


def test_undo_to_an_unknown_revision(orch):
    start_web(orch, 1)
    r = orch.ctl("rollout", "undo", "deploy/web", check=False)
    assert r.returncode == 1 and "no rollout history found" in r.stderr + r.stdout
    r = orch.ctl("rollout", "undo", "deploy/web", "--to-revision=7", check=False)
    assert r.returncode == 1 and "unable to find" in r.stderr + r.stdout


def config_web(orch, value):
    orch.write("web.yaml", configmap("cfg", TEXT=value),
               deployment("web", 2, container(
                   orch.rootfs, "/bin/probe", "listen", "8080", "$(TEXT)", readinessProbe=READY,
                   envFrom=[{"configMapRef": {"name": "cfg"}}])),
               service("web", 80, 8080))


def test_config_change_rolls_and_undo_brings_the_config_back(orch):
    config_web(orch, "one")
    orch.wait_ready(2, app="web")
    orch.wait_settled()
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    assert orch.http(vip, 80)[1].split()[1] == "one"

    orch.stop()	# planned without being applied: the daemon is started in manual mode
    orch.restart("--sync", "manual")
    config_web(orch, "two")
    plan = wait_for(lambda: (p := orch.plan()) and not p["empty"] and p, 5)
    assert "cfg" in plan["text"] and "rolling" in plan["text"], plan["text"]
    orch.apply()
    def all_say(text):
        return {orch.http(vip, 80)[1].split()[1] for _ in range(8)} == {text}
    wait_for(lambda: all_say("two"), 40)
    orch.wait_settled(40)

    orch.ctl("rollout", "undo", "deploy/web")
    wait_for(lambda: all_say("one"), 40, "undo restores what the config said")
    orch.wait_settled()


def test_live_config_annotation_does_not_roll(orch):
    orch.write("web.yaml", configmap("cfg", TEXT="one"),
               deployment("web", 1, container(orch.rootfs, "/bin/probe", "sleep",
                                              envFrom=[{"configMapRef": {"name": "cfg"}}]),
                          annotations={"orch/config-change": "live"},
                          template={"annotations": {"orch/config-change": "live"}}))
    orch.wait_ready(1, app="web")
    orch.wait_settled()
    before = orch.all_pids()
    orch.edit("web.yaml", '"one"', '"two"')
    wait_for(lambda: orch.get("configmaps", "cfg")["data"]["TEXT"] == "two", 5)
    orch.wait_settled()
    assert orch.all_pids() == before


def test_history_is_limited(orch):
    start_web(orch, 1, revisionHistoryLimit=2)
    for i in range(2, 6):
        orch.edit("web.yaml", f'"r{i - 1}"', f'"r{i}"')
        wait_for(lambda: texts(orch) == [f"r{i}"], 40)
        orch.wait_settled()
    wait_for(lambda: len(orch.get("replicasets")) == 3, 5)


def test_deleting_a_deployment_takes_its_pods(orch):
    start_web(orch, 2)
    pids = orch.all_pids()
    os.mkdir(orch.path("more"))
    orch.write("more/other.yaml", configmap("other", k="v"))
    orch.remove("web.yaml")
    never(lambda: orch.all_pids() != pids, 1, "the guard did not hold")
    r = orch.ctl("apply", check=False)
    assert r.returncode == 4, r.stdout + r.stderr
    orch.ctl("apply", "--allow-delete")
    wait_for(lambda: not orch.pods() and not orch.get("replicasets"), 20)
    assert not any(start_time(pid) == begun for pid, begun in pids)
