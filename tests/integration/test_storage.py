# SPDX-License-Identifier: GPL-2.0-or-later
"""Claims for storage and what they get, as the disk and clients of the API see it."""

import os

import pytest

from harness import container, container_status, pod, state, wait_for


def claim(name, size="1Gi", modes=("ReadWriteOnce",), **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}}


def volume(name, size, source, modes=("ReadWriteOnce",), labels=None, **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name, **({"labels": labels} if labels else {})},
            "spec": {"capacity": {"storage": size}, "accessModes": list(modes), **source, **spec}}


def storage_class(name, provisioner="orch/local", default=False, **more):
    notes = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": name, "annotations": notes}, "provisioner": provisioner, **more}


def user(orch, name, claim_name, *command, **more):
    read_only = {"readOnly": True} if more.pop("read_only", False) else {}
    c = container(more.pop("image", orch.rootfs), *(command or ("/bin/probe", "sleep")),
                  volumeMounts=[{"name": "data", "mountPath": "/data"}])
    return pod(name, c, volumes=[{"name": "data", "persistentVolumeClaim": {
        "claimName": claim_name, **read_only}}], **more)


def claim_of(orch, name):
    return orch.get("persistentvolumeclaims", name) or {"status": {}, "spec": {}}


def pv(orch, name):
    return orch.get("persistentvolumes", name, ns=None)


def phase(orch, name):
    return claim_of(orch, name)["status"].get("phase")


def wait_phase(orch, name, want):
    try:
        orch.wait(lambda: phase(orch, name) == want, 10, f"{name} is {want}")
    except AssertionError as e:
        raise AssertionError(f"{e}\n{claim_of(orch, name)}") from None


def gone(orch, *files):
    for f in files:
        orch.remove(f)
    orch.apply(allowDelete=-1)


def events(orch):
    return orch.ctl("get", "events", "-o", "json").stdout


def directory(orch, name):
    return pv(orch, claim_of(orch, name)["spec"]["volumeName"])["spec"]["local"]["path"]


@pytest.mark.v2
@pytest.mark.subset
def test_a_claim_gets_a_directory_that_outlives_everything(orch):
    orch.write("c.yaml", claim("data"))
    wait_for(lambda: "waiting for first consumer" in events(orch), 10, "it waits for a pod")
    assert phase(orch, "data") == "Pending"
    assert claim_of(orch, "data")["spec"]["storageClassName"] == "orch-local"

    orch.write("p.yaml", user(orch, "one", "data", "/bin/sh", "-c",
                              "echo kept > /data/file; sleep 1000", image="/"))
    orch.wait_running("one")
    wait_phase(orch, "data", "Bound")
    c = claim_of(orch, "data")
    name = c["spec"]["volumeName"]
    assert name == "pvc-" + c["metadata"]["uid"]
    assert c["status"]["capacity"] == {"storage": "1Gi"}
    v = pv(orch, name)
    assert v["status"]["phase"] == "Bound" and v["spec"]["claimRef"]["name"] == "data"
    assert v["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    path = directory(orch, "data")
    assert path == f"{orch.state}/volumes/{name}"
    wait_for(lambda: os.path.exists(f"{path}/file"))

    # another pod, another orchd: the same directory
    gone(orch, "p.yaml")
    wait_for(lambda: orch.pod("one") is None)
    orch.kill9()
    orch.start()
    assert directory(orch, "data") == path
    orch.write("p.yaml", user(orch, "two", "data"))
    orch.wait_running("two")
    assert "line=kept" in orch.exec("two", "/bin/probe", "read", "/data/file").stdout
    orch.wait_settled()
    assert orch.plan()["empty"]

    # the claim goes, the data stays
    gone(orch, "c.yaml", "p.yaml")
    wait_for(lambda: pv(orch, name)["status"]["phase"] == "Released", 10)
    assert os.listdir(path) == ["file"]
    table = orch.ctl("get", "pv").stdout
    assert "Released" in table and "default/data" in table


def test_what_was_released_comes_back_when_it_is_named(orch):
    orch.write("c.yaml", claim("data"), user(orch, "p", "data"))
    orch.wait_running("p")
    name, path = claim_of(orch, "data")["spec"]["volumeName"], directory(orch, "data")
    gone(orch, "c.yaml")
    wait_for(lambda: pv(orch, name)["status"]["phase"] == "Released", 10)
    orch.write("c.yaml", claim("data"), user(orch, "p", "data"))
    wait_phase(orch, "data", "Bound")
    assert directory(orch, "data") != path
    gone(orch, "c.yaml")
    wait_for(lambda: orch.pod("p") is None and phase(orch, "data") is None)
    orch.write("c.yaml", claim("data", volumeName=name), user(orch, "p", "data"))
    wait_phase(orch, "data", "Bound")
    assert directory(orch, "data") == path
    orch.wait_running("p")


def test_delete_is_done_when_it_is_said_and_nobody_is_left(orch):
    orch.write("sc.yaml", storage_class("gone", reclaimPolicy="Delete"),
               storage_class("unsaid", volumeBindingMode="Immediate"))
    orch.write("c.yaml", claim("now", storageClassName="gone"))
    orch.write("d.yaml", claim("kept", storageClassName="unsaid"))
    for c in ("now", "kept"):
        wait_phase(orch, c, "Bound")	# Immediate: no pod is needed
    path, kept = directory(orch, "now"), directory(orch, "kept")
    orch.write("p.yaml", user(orch, "p", "now"))
    orch.wait_running("p")
    gone(orch, "c.yaml", "d.yaml")
    wait_for(lambda: phase(orch, "now") is None)
    assert os.path.isdir(path)
    gone(orch, "p.yaml")
    wait_for(lambda: not os.path.exists(path), 10, "the directory is removed")
    assert os.path.isdir(kept)
    assert [v["status"]["phase"] for v in orch.get("persistentvolumes", ns=None)] == ["Released"]


def test_declared_volumes(orch):
    for d in ("small", "big", "other", "local"):
        os.mkdir(f"{orch.dir}/{d}")
    here = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node1"]}]}]}}
    manual = {"storageClassName": "manual"}
    def host(d):
        return {"hostPath": {"path": f"{orch.dir}/{d}"}}
    orch.write("v.yaml",
               volume("big", "10Gi", host("big"), **manual),
               volume("small", "2Gi", host("small"), labels={"tier": "x"}, **manual),
               volume("other", "1Gi", host("other"), modes=["ReadOnlyMany"], **manual),
               volume("here", "1Gi", {"local": {"path": f"{orch.dir}/local"}}, nodeAffinity=here,
                      storageClassName="locals"))
    orch.write("c.yaml", claim("a", "1500Mi", **manual), claim("b", "3Gi", **manual),
               claim("huge", "1Ti", **manual), claim("l", storageClassName="locals"),
               claim("ro", modes=["ReadOnlyMany"], **manual),
               claim("none", storageClassName=""),
               claim("wrong", "5Gi", volumeName="other", **manual))
    for c, v in (("a", "small"), ("b", "big"), ("ro", "other"), ("l", "here")):
        wait_phase(orch, c, "Bound")
        assert claim_of(orch, c)["spec"]["volumeName"] == v
    assert phase(orch, "huge") == phase(orch, "none") == phase(orch, "wrong") == "Pending"
    text = events(orch)
    assert "no persistent volumes available for this claim and no storage class is set" in text
    assert 'storageclass.storage.k8s.io \\"manual\\" not found' in text
    orch.write("p.yaml", user(orch, "p", "a"))
    orch.write("l.yaml", user(orch, "l", "l", securityContext={"fsGroup": 4321}))
    orch.write("r.yaml", user(orch, "r", "ro"))
    for name in "plr":
        orch.wait_running(name)
    orch.exec("p", "/bin/probe", "write", "/data/x", "y")
    assert os.listdir(f"{orch.dir}/small") == ["x"]
    assert "EROFS" in orch.exec("r", "/bin/probe", "write", "/data/x", "y", check=False).stdout
    st = os.stat(f"{orch.dir}/local")
    assert st.st_gid == 4321 and st.st_mode & 0o2070 == 0o2070
    # bindings outlive orchd, though nothing but the store knows them
    orch.kill9()
    orch.start()
    assert claim_of(orch, "a")["spec"]["volumeName"] == "small"
    assert orch.plan()["empty"]


@pytest.mark.subset
def test_pods_wait_for_their_claims(orch):
    orch.write("sc.yaml", storage_class("ext", "example.com/disk", volumeBindingMode="Immediate"))
    orch.write("p.yaml", user(orch, "p", "late"))
    def why():
        p = orch.pod("p") or {"status": {}}
        return next((c.get("message", "") for c in p["status"].get("conditions", [])
                     if c["type"] == "PodScheduled" and c["status"] == "False"), "")
    wait_for(lambda: 'persistentvolumeclaim "late" not found' in why(), 10)
    p = orch.pod("p")
    assert p["status"]["phase"] == "Pending" and state(p)[0] is None
    assert "FailedScheduling" in events(orch)
    orch.write("c.yaml", claim("late", storageClassName="ext"))
    wait_for(lambda: "pod has unbound immediate PersistentVolumeClaims" in why(), 10)
    assert "external provisioner 'example.com/disk'" in events(orch)
    orch.write("v.yaml", volume("v", "1Gi", {"hostPath": {"path": orch.dir}},
                                storageClassName="ext"))
    orch.wait_running("p")
    assert why() == ""


@pytest.mark.v2
@pytest.mark.subset
def test_ephemeral_volumes_live_as_long_as_the_pod(orch):
    spec = claim("x")["spec"]
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep", volumeMounts=[
        {"name": "scratch", "mountPath": "/s"}]), volumes=[{"name": "scratch", "ephemeral": {
            "volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}}]))
    p = orch.wait_running("p")
    c = claim_of(orch, "p-scratch")
    assert c["metadata"]["ownerReferences"][0]["uid"] == p["metadata"]["uid"]
    assert c["metadata"]["labels"] == {"a": "b"} and c["status"]["phase"] == "Bound"
    path = directory(orch, "p-scratch")
    orch.exec("p", "/bin/probe", "write", "/s/f", "x")
    assert os.listdir(path) == ["f"]
    orch.kill9()
    orch.start()
    assert directory(orch, "p-scratch") == path and os.listdir(path) == ["f"]
    gone(orch, "p.yaml")
    wait_for(lambda: phase(orch, "p-scratch") is None and not os.path.exists(path), 10)
    assert orch.get("persistentvolumes", ns=None) == []

    orch.write("p.yaml", claim("q-scratch"), pod("q", container(
        orch.rootfs, "/bin/probe", "sleep"), volumes=[{"name": "scratch", "ephemeral": {
            "volumeClaimTemplate": {"spec": spec}}}]))
    wait_for(lambda: 'PVC \\"q-scratch\\" was not created for pod \\"q\\"' in events(orch), 10)


def test_one_pod_at_a_time(orch):
    orch.write("c.yaml", claim("one", modes=["ReadWriteOncePod"]))
    orch.write("a.yaml", user(orch, "a", "one"))
    orch.wait_running("a")
    orch.write("b.yaml", user(orch, "b", "one"))
    wait_for(lambda: "ReadWriteOncePod access mode" in events(orch), 10)
    assert state(orch.pod("b"))[0] is None
    gone(orch, "a.yaml")
    orch.wait_running("b")


@pytest.mark.v2
def test_fs_group_of_a_claim(orch):
    def pod_with(name, policy, group):
        return user(orch, name, "data", securityContext={
            "runAsUser": 1000, "fsGroup": group, "fsGroupChangePolicy": policy})
    orch.write("c.yaml", claim("data"))
    orch.write("p.yaml", user(orch, "p", "data", "/bin/sh", "-c",
                              "mkdir -p /data/a/b; echo x > /data/a/b/f; chmod 600 /data/a/b/f;"
                              "ln -s /etc/passwd /data/a/link; sleep 1000", image="/"))
    orch.wait_running("p")
    path = directory(orch, "data")
    wait_for(lambda: os.path.islink(f"{path}/a/link"))
    gone(orch, "p.yaml")
    before = os.stat("/etc/passwd")
    orch.write("q.yaml", pod_with("q", "Always", 777))
    orch.wait_running("q")
    tree = [os.lstat(f"{path}{x}") for x in ("", "/a", "/a/b", "/a/b/f", "/a/link")]
    assert [s.st_gid for s in tree] == [777] * 5
    assert [s.st_mode & 0o7777 for s in tree[:4]] == [0o2777, 0o2775, 0o2775, 0o660]
    now = os.stat("/etc/passwd")
    assert (now.st_gid, now.st_mode) == (before.st_gid, before.st_mode)
    # what is right at the top is left alone below
    os.chown(f"{path}/a/b/f", 0, 5)
    gone(orch, "q.yaml")
    orch.write("r.yaml", pod_with("r", "OnRootMismatch", 777))
    orch.wait_running("r")
    assert os.stat(f"{path}/a/b/f").st_gid == 5


def test_claims_of_a_statefulset(orch):
    template = claim("data")
    orch.write("s.yaml", {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
                 "volumeClaimTemplates": [template],
                 "template": {"metadata": {"labels": {"app": "db"}}, "spec": {
                     "terminationGracePeriodSeconds": 1,
                     "containers": [container(orch.rootfs, "/bin/probe", "sleep", volumeMounts=[
                         {"name": "data", "mountPath": "/data"}])]}}}})
    for name in ("db-0", "db-1"):
        orch.wait_running(name)
        wait_phase(orch, f"data-{name}", "Bound")
    assert directory(orch, "data-db-0") != directory(orch, "data-db-1")
    path = directory(orch, "data-db-0")
    orch.exec("db-0", "/bin/probe", "write", "/data/f", "x")
    gone(orch, "s.yaml")
    wait_for(lambda: orch.pods() == [], 15)
    assert phase(orch, "data-db-0") == "Bound" and os.listdir(path) == ["f"]


def test_kubectl_shows_storage(kube):
    kube.write("c.yaml", claim("data"), user(kube, "p", "data"))
    kube.wait_running("p")
    assert "orch-local (default)" in kube.kubectl("get", "sc").stdout
    row = kube.kubectl("get", "pvc", "data").stdout
    assert "Bound" in row and "RWO" in row and "orch-local" in row and "1Gi" in row
    assert "default/data" in kube.kubectl("get", "pv").stdout
    assert "Used By:" in kube.kubectl("describe", "pvc", "data").stdout


# ---- block volumes ----

def disk_user(name, claim_name, script, more_mounts=(), **spec):
    c = container("/", "/bin/sh", "-c", script,
                  volumeDevices=[{"name": "disk", "devicePath": "/dev/xdisk"}],
                  volumeMounts=list(more_mounts))
    return pod(name, c, volumes=[{"name": "disk", "persistentVolumeClaim": {
        "claimName": claim_name}}], **spec)


def loops_of(path):
    """Loop devices of files below a directory, or of a file."""
    found = {}
    for name in filter(lambda n: n.startswith("loop"), os.listdir("/sys/block")):
        try:
            with open(f"/sys/block/{name}/loop/backing_file") as f:
                found[name] = f.read().strip()
        except FileNotFoundError:
            pass		# not attached
    return sorted(n for n, f in found.items() if f.startswith(os.path.realpath(path)))


needs_loops = pytest.mark.skipif(not os.path.exists("/dev/loop-control"),
                                 reason="the kernel has no loop devices")


@needs_loops
@pytest.mark.v2
def test_a_block_volume(orch):
    """A file that is a device as long as a pod has it; what was written is there for the next."""
    orch.write("keep.yaml", claim("keep"))
    orch.write("c.yaml", claim("data", "8Mi", volumeMode="Block"))
    orch.write("p.yaml", disk_user("p", "data", "test -b /dev/xdisk && wc -c </dev/xdisk && "
                                   "echo written | dd of=/dev/xdisk conv=fsync && sleep 1000"))
    p = orch.wait_running("p")
    volumes = f"{orch.state}/volumes"
    path = pv(orch, claim_of(orch, "data")["spec"]["volumeName"])["spec"]["local"]["path"]
    assert os.path.getsize(path) == 8 << 20 and os.stat(path).st_blocks * 512 < 1 << 20
    wait_for(lambda: b"written" in open(path, "rb").read(16), 15, "the file has what was written")
    assert orch.log_text(p, "main").splitlines()[0] == str(8 << 20)
    device, = loops_of(volumes)
    with open(f"/sys/block/{device}/loop/autoclear") as f:
        assert f.read() == "0\n"
    orch.kill9()
    orch.start()
    orch.wait_settled()
    assert loops_of(volumes) == [device] and orch.plan()["empty"]
    os.unlink(orch.path("p.yaml"))
    orch.apply(allowDelete=-1)
    wait_for(lambda: not loops_of(volumes), 20, "nobody has the device any more")
    orch.write("q.yaml", disk_user("q", "data", "head -c 8 /dev/xdisk; sleep 1000"))
    q = orch.wait_running("q")
    wait_for(lambda: "written" in orch.log_text(q, "main"), 15)
    orch.reboot()
    q = orch.wait_running("q")
    wait_for(lambda: "written" in orch.log_text(q, "main"), 15)
    assert len(loops_of(volumes)) == 1
    orch.write("wrong.yaml", user(orch, "wrong", "data"))
    wait_for(lambda: "has volumeMode Block, but is specified in volumeMounts" in
             str(container_status(orch.pod("wrong") or {})), 15)


@needs_loops
def test_a_device_of_the_node(orch):
    image = f"{orch.dir}/disk"
    with open(image, "wb") as f:
        f.write(b"of the node\n")
        f.truncate(1 << 20)
    device = orch.ns.run("losetup", "-f", "--show", image).stdout.strip()
    here = {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node1"]}]}]}}}
    try:
        orch.write("pv.yaml", volume("disk", "1Mi", {"local": {"path": device}}, volumeMode="Block",
                                     storageClassName="disks", **here),
                   claim("disk", "1Mi", volumeMode="Block", storageClassName="disks"))
        p, text = orch.run_to_end("p", disk_user("p", "disk", "head -n 1 /dev/xdisk")["spec"]
                                  ["containers"][0], (), volumes=[{"name": "disk",
                                  "persistentVolumeClaim": {"claimName": "disk"}}])
        assert text == "of the node\n"
        orch.write("file.yaml", volume("file", "1Mi", {"local": {"path": image}}, volumeMode="Block",
                                       storageClassName="files", **here),
                   claim("file", "1Mi", volumeMode="Block", storageClassName="files"),
                   disk_user("no", "file", "true"))
        wait_for(lambda: "is not a block device" in str(orch.pod("no")) +
                 orch.ctl("get", "events").stdout, 15)
    finally:
        orch.ns.run("losetup", "-d", device)
