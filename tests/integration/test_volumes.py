# SPDX-License-Identifier: GPL-2.0-or-later
"""Volumes as containers see them: files that orchd writes, groups, sub-paths, mounts."""

import os
import subprocess

import pytest

from harness import configmap, container, container_status, pod, state, wait_for


def runs(orch, name, objects=(), script=("/bin/probe", "sleep"), image=None, mounts=(), **spec):
    c = container(image or orch.rootfs, *script, volumeMounts=list(mounts))
    c.update(spec.pop("main", {}))
    meta = {k: spec.pop(k) for k in ("labels", "annotations") if k in spec}
    orch.write(f"{name}.yaml", *objects, pod(name, c, **meta, **spec))
    return orch.wait_running(name)


def root_of(orch, p):
    return f"/proc/{min(orch.pids(p, 'main'))}/root"


def text_of(path):
    with open(path) as f:
        return f.read()


def mount(name, path, **more):
    return {"name": name, "mountPath": path, **more}


# ---- files that orchd writes ----

@pytest.mark.subset
def test_downward_api(orch):
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
             {"path": "notes", "fieldRef": {"fieldPath": "metadata.annotations['note']"}},
             {"path": "sub/name", "fieldRef": {"fieldPath": "metadata.name"}, "mode": 0o400},
             {"path": "cpu", "resourceFieldRef": {"containerName": "main",
                                                  "resource": "limits.cpu", "divisor": "1m"}},
             {"path": "memory", "resourceFieldRef": {"containerName": "main",
                                                     "resource": "requests.memory"}}]
    p = runs(orch, "down", mounts=[mount("d", "/d")], labels={"app": "x", "tier": "a"},
             annotations={"note": "one"},
             main={"resources": {"limits": {"cpu": "250m"}, "requests": {"memory": "64Mi"}}},
             volumes=[{"name": "d", "downwardAPI": {"items": items, "defaultMode": 0o640}}])
    d = root_of(orch, p) + "/d"
    assert text_of(f"{d}/labels") == 'app="x"\ntier="a"'
    assert text_of(f"{d}/notes") == "one"
    assert text_of(f"{d}/sub/name") == "down"
    assert text_of(f"{d}/cpu") == "250" and text_of(f"{d}/memory") == str(64 << 20)
    assert os.stat(f"{d}/labels").st_mode & 0o777 == 0o640
    assert os.stat(f"{d}/sub/name").st_mode & 0o777 == 0o400

    # labels change in place, and the file with them; nothing restarts
    before, data = orch.all_pids(), os.readlink(f"{d}/..data")
    orch.edit("down.yaml", '"tier": "a"', '"tier": "b \\"q\\""')
    orch.edit("down.yaml", '"b \\"q\\""', '"b"')
    wait_for(lambda: text_of(f"{d}/labels") == 'app="x"\ntier="b"', 5, "the file follows the label")
    orch.edit("down.yaml", '"note": "one"', '"note": "two"')
    wait_for(lambda: text_of(f"{d}/notes") == "two", 5)
    assert os.readlink(f"{d}/..data") != data
    orch.wait_settled()
    assert orch.all_pids() == before


@pytest.mark.subset
def test_projected(orch):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"},
              "stringData": {"key": "hidden", "other": "x"}}
    sources = [{"configMap": {"name": "cfg"}},
               {"secret": {"name": "sec", "items": [{"key": "key", "path": "s/key", "mode": 0o400}]}},
               {"downwardAPI": {"items": [{"path": "name",
                                           "fieldRef": {"fieldPath": "metadata.name"}}]}},
               {"configMap": {"name": "gone", "optional": True}},
               {"serviceAccountToken": {"path": "token"}}]
    p = runs(orch, "proj", [configmap("cfg", a="one", b="two"), secret], mounts=[mount("p", "/p")],
             volumes=[{"name": "p", "projected": {"sources": sources, "defaultMode": 0o440}}])
    d = root_of(orch, p) + "/p"
    def tree():
        return {f: text_of(f"{d}/{f}") for f in ("a", "b", "s/key", "name")}
    assert tree() == {"a": "one", "b": "two", "s/key": "hidden", "name": "proj"}
    assert sorted(x for x in os.listdir(d) if not x.startswith("..")) == ["a", "b", "name", "s"]
    assert os.stat(f"{d}/a").st_mode & 0o777 == 0o440
    assert os.stat(f"{d}/s/key").st_mode & 0o777 == 0o400
    warnings = orch.ctl("validate", "-f", orch.path("proj.yaml"), check=False)
    assert "serviceAccountToken: known to Kubernetes, not acted on" in warnings.stdout + warnings.stderr

    before = orch.all_pids()
    orch.edit("proj.yaml", '"one"', '"uno"')
    wait_for(lambda: tree()["a"] == "uno", 5, "the volume is updated")
    orch.edit("proj.yaml", '"hidden"', '"seen"')
    wait_for(lambda: tree()["s/key"] == "seen", 5)
    orch.write("late.yaml", configmap("gone", c="three"))
    wait_for(lambda: os.path.exists(f"{d}/c"), 5, "what was optional has come")
    orch.wait_settled()
    assert orch.all_pids() == before


def test_a_projected_volume_waits_for_what_is_not_optional(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep",
                                            volumeMounts=[mount("p", "/p")]),
                             volumes=[{"name": "p", "projected": {"sources": [
                                 {"secret": {"name": "late"}}]}}]))
    wait_for(lambda: 'MountVolume.SetUp failed for volume \\"p\\" : secret \\"late\\" not found'
             in orch.ctl("get", "events", "-o", "json").stdout, 10, "the event")
    assert state(orch.pod("p"))[0] == "waiting"
    orch.write("s.yaml", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"},
                          "stringData": {"k": "v"}})
    p = orch.wait_running("p")
    assert text_of(root_of(orch, p) + "/p/k") == "v"


# ---- groups ----

@pytest.mark.v2
@pytest.mark.subset
def test_fs_group(orch):
    text = orch.script(
        "group", "cd /; stat -c '%n %g %a' e m c/..data/k c/.; touch e/f m/f; "
        "stat -c '%n %u:%g' e/f m/f; cat c/k",
        objects=[configmap("cfg", k="v")], securityContext={"runAsUser": 1000},
        volumeMounts=[mount(v, f"/{v}") for v in "emc"],
        spec={"securityContext": {"fsGroup": 2345}, "volumes": [
            {"name": "e", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}},
            {"name": "c", "configMap": {"name": "cfg", "defaultMode": 0o400}}]})
    lines = text.splitlines()
    assert lines[:6] == ["e 2345 2777", "m 2345 2777", "c/..data/k 2345 440", "c/. 2345 2755",
                         "e/f 1000:2345", "m/f 1000:2345"]
    assert lines[6:] == ["v"]


# ---- sub-paths and mounts ----

def test_sub_path_expr(orch):
    shared = os.path.join(orch.dir, "shared")
    os.mkdir(shared)
    os.chmod(shared, 0o777)
    orch.script("web-0", "touch /logs/here /m/there; stat -c %a /logs", env=[
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        volumeMounts=[mount("h", "/logs", subPathExpr="$(POD)/log"),
                      mount("m", "/m", subPathExpr="$(POD)")],
        spec={"volumes": [{"name": "h", "hostPath": {"path": shared}},
                          {"name": "m", "emptyDir": {"medium": "Memory"}}]})
    assert os.listdir(f"{shared}/web-0/log") == ["here"]
    assert os.stat(f"{shared}/web-0/log").st_mode & 0o777 == 0o777	# as the volume

    for value, words in (("../up", "must not contain '..'"), ("/abs", "must not be an absolute path")):
        orch.write("bad.yaml", pod("bad", container("/", "/bin/true", env=[
            {"name": "X", "value": value}], volumeMounts=[mount("h", "/h", subPathExpr="$(X)")]),
            restartPolicy="Never", volumes=[{"name": "h", "hostPath": {"path": shared}}]))
        wait_for(lambda: words in str(container_status(orch.pod("bad") or {})), 15, words)
    orch.write("none.yaml", pod("none", container("/", "/bin/true", volumeMounts=[
        mount("h", "/h", subPathExpr="$(NONE)")]), restartPolicy="Never",
        volumes=[{"name": "h", "hostPath": {"path": shared}}]))
    wait_for(lambda: 'missing value for "NONE"' in str(container_status(orch.pod("none") or {})), 15)


def bind(orch, source, target):
    orch.ns.run("mount", "--bind", source, target)


@pytest.mark.v2
def test_recursive_read_only(orch):
    for d in ("vol", "vol/below", "other"):
        os.mkdir(os.path.join(orch.dir, d))
    bind(orch, f"{orch.dir}/other", f"{orch.dir}/vol/below")
    script = "touch /v/x; touch /v/below/x && echo below"
    try:
        def of(name, **more):
            return orch.script(
                name, script, volumeMounts=[mount("v", "/v", readOnly=True, **more)],
                spec={"volumes": [{"name": "v", "hostPath": {"path": f"{orch.dir}/vol"}}]})
        assert "below" in of("plain").splitlines()
        assert "below" not in of("all", recursiveReadOnly="Enabled").splitlines()
        assert not os.path.exists(f"{orch.dir}/vol/x")
    finally:
        orch.ns.run("umount", f"{orch.dir}/vol/below")


@pytest.mark.v2
def test_mount_propagation(orch):
    for d in ("vol", "vol/below", "other"):
        os.mkdir(os.path.join(orch.dir, d))
    open(f"{orch.dir}/other/file", "w").close()
    bind(orch, f"{orch.dir}/vol", f"{orch.dir}/vol")
    orch.ns.run("mount", "--make-shared", f"{orch.dir}/vol")
    try:
        p = runs(orch, "p", mounts=[mount("v", "/none"),
                                    mount("v", "/host", mountPropagation="HostToContainer")],
                 volumes=[{"name": "v", "hostPath": {"path": f"{orch.dir}/vol"}}])
        bind(orch, f"{orch.dir}/other", f"{orch.dir}/vol/below")
        root = root_of(orch, p)
        assert os.listdir(f"{root}/host/below") == ["file"]
        assert os.listdir(f"{root}/none/below") == []
        orch.ns.run("umount", f"{orch.dir}/vol/below")
        assert os.listdir(f"{root}/host/below") == []
    finally:
        orch.ns.run("umount", "-R", f"{orch.dir}/vol")


@pytest.mark.v2
def test_mounts_of_a_container_appear_on_the_node(orch):
    """Bidirectional: as kubelet and runc leave it, the mount outlives the pod that made it."""
    vol = f"{orch.dir}/vol"
    os.mkdir(vol)
    volumes = [{"name": "v", "hostPath": {"path": vol}}]
    maker = container("/", "/bin/sh", "-c", "until [ -e /v/go ]; do sleep 0.1; done; "
                      "mkdir -p /v/sub && mount -t tmpfs made /v/sub && "
                      "echo inside > /v/sub/file && touch /v/ready && exec sleep 1000",
                      volumeMounts=[mount("v", "/v", mountPropagation="Bidirectional")],
                      securityContext={"privileged": True})

    def seen(directory):
        return orch.ns.run("ls", directory).stdout.split()

    bind(orch, vol, vol)
    orch.write("maker.yaml", pod("maker", maker, volumes=volumes))
    wait_for(lambda: "is not a shared one" in str(container_status(orch.pod("maker") or {})), 15)
    orch.ns.run("mount", "--make-shared", vol)
    try:
        p = runs(orch, "p", mounts=[mount("v", "/none"),
                                    mount("v", "/host", mountPropagation="HostToContainer")],
                 volumes=volumes)
        open(f"{vol}/go", "w").close()
        wait_for(lambda: "ready" in seen(vol), 30, "the container has mounted something")
        root = root_of(orch, p)
        assert seen(f"{vol}/sub") == ["file"] == os.listdir(f"{root}/host/sub")
        assert os.listdir(f"{root}/none/sub") == []
        orch.remove("maker.yaml")
        wait_for(lambda: not orch.pod("maker"), 20, "the pod is gone")
        assert seen(f"{vol}/sub") == ["file"] == os.listdir(f"{root}/host/sub")
        orch.ns.run("umount", f"{vol}/sub")
        assert seen(f"{vol}/sub") == [] == os.listdir(f"{root}/host/sub")
    finally:
        orch.ns.run("umount", "-R", vol)


@pytest.mark.v2
def test_host_path_types(orch):
    d = os.path.join(orch.dir, "host")
    os.mkdir(d)
    subprocess.run(["mknod", f"{d}/null", "c", "1", "3"], check=True)
    listener = subprocess.Popen(["socat", f"UNIX-LISTEN:{d}/sock,fork", "STDOUT"])
    orch.others.append(listener)
    wait_for(lambda: os.path.exists(f"{d}/sock"))
    kinds = {"new": "DirectoryOrCreate", "file": "FileOrCreate", "sock": "Socket",
             "null": "CharDevice"}
    text = orch.script("types", "stat -c '%n %F %a' /v/*; echo x > /v/null && echo written",
                       volumeMounts=[mount(k, f"/v/{k}") for k in kinds],
                       spec={"volumes": [{"name": k, "hostPath": {"path": f"{d}/{k}", "type": t}}
                                         for k, t in kinds.items()]})
    assert "/v/new directory 755" in text and "/v/file regular empty file 644" in text
    assert "/v/sock socket" in text and "/v/null character special file" in text
    assert "written" in text
    orch.write("wrong.yaml", pod("wrong", container("/", "/bin/true", volumeMounts=[
        mount("v", "/v")]), restartPolicy="Never",
        volumes=[{"name": "v", "hostPath": {"path": f"{d}/file", "type": "BlockDevice"}}]))
    wait_for(lambda: "is not a block device" in str(container_status(orch.pod("wrong") or {})), 15)


# ---- limits ----

@pytest.mark.v2
def test_a_pod_above_the_limit_of_its_empty_dir_is_evicted(orch):
    orch.write("fat.yaml", pod("fat", container(
        "/", "/bin/sh", "-c", "head -c 3M /dev/zero > /e/f; exec sleep 1000",
        volumeMounts=[mount("e", "/e")]),
        volumes=[{"name": "e", "emptyDir": {"sizeLimit": "1Mi"}}]))
    orch.write("thin.yaml", pod("thin", container(
        "/", "/bin/sh", "-c", "head -c 100k /dev/zero > /e/f; exec sleep 1000",
        volumeMounts=[mount("e", "/e")]),
        volumes=[{"name": "e", "emptyDir": {"sizeLimit": "1Mi"}}]))
    p = wait_for(lambda: orch.pod("fat") and orch.pod("fat")["status"].get("phase") == "Failed" and
                 state(orch.pod("fat"))[0] == "terminated" and orch.pod("fat"), 25, "it is evicted")
    assert p["status"]["reason"] == "Evicted"
    assert p["status"]["message"] == 'Usage of EmptyDir volume "e" exceeds the limit "1Mi". '
    assert not orch.pids(p, "main")
    assert state(orch.pod("thin"))[0] == "running"
    orch.kill9()
    orch.start()
    orch.wait_settled()
    assert orch.pod("fat")["status"]["reason"] == "Evicted" and not orch.pids(p, "main")
