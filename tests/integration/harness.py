# SPDX-License-Identifier: GPL-2.0-or-later
"""A private orchd for one test: its own network and mount namespace, directories and control
group, driven by files, orchctl, kubectl and signals as a user would. What is asked about pods is
asked of the kernel (control groups, /proc, sockets) wherever it knows the answer.

Everything is taken away at the end, and then looked for: a link, table, mount, control group or
process that is left fails the test that left it.
"""

import contextlib
import ctypes
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build")))
CGROUPS = "/sys/fs/cgroup"
CLONE_NEWNET = 0x40000000
API_GROUPS = {**dict.fromkeys(("deployments", "replicasets", "daemonsets", "statefulsets"),
                              "/apis/apps/v1"),
              **dict.fromkeys(("jobs", "cronjobs"), "/apis/batch/v1")}
IS_V2 = os.path.exists(f"{CGROUPS}/cgroup.controllers")
SLOW = float(os.environ.get("ORCH_TEST_SLOW", "1"))	# stretches all waits: sanitizers, emulation

libc = ctypes.CDLL(None, use_errno=True)


def kubectl_path():
    local = os.path.join(TOP, "build/tools/kubectl")
    return shutil.which("kubectl") or (local if os.access(local, os.X_OK) else None)


def wait_for(predicate, timeout=20, what="", every=0.03):
    """Waits until predicate() is true and returns its value."""
    end = time.monotonic() + timeout * SLOW
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout * SLOW:g} s: {what or predicate}")
        time.sleep(every)


def never(predicate, seconds, what="", every=0.05):
    """Fails as soon as predicate() is true within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = predicate()
        assert not value, f"{what}: {value}"
        time.sleep(every)


def in_netns(pid, fn, *args):
    """Runs fn in a thread that has joined the network namespace of pid: its sockets stay there."""
    result = []

    def run():
        try:
            with open(f"/proc/{pid}/ns/net", "rb") as ns:
                if libc.setns(ns.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            result.append((True, fn(*args)))
        except BaseException as e:	# handed over to the caller's thread
            result.append((False, e))

    t = threading.Thread(target=run)
    t.start()
    t.join()
    ok, value = result[0]
    if not ok:
        raise value
    return value


def http_get(ip, port, path="/", timeout=3):
    """One request over one new connection: (status, body)."""
    c = http.client.HTTPConnection(ip, port, timeout=timeout)
    try:
        c.request("GET", path, headers={"Connection": "close"})
        r = c.getresponse()
        return r.status, r.read().decode()
    finally:
        c.close()


def documents(*objects):
    """A manifest file of several objects; a string is taken as it is."""
    return "---\n".join(o if isinstance(o, str) else json.dumps(o, indent=2) + "\n"
                        for o in objects)


class Namespace:
    """A process that holds a network and mount namespace."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["unshare", "-n", "-m", "--propagation", "private", "sh", "-c",
             "ip link set lo up && echo up && exec sleep infinity"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline() == "up\n"
        self.pid = self.process.pid

    def enter(self, *args):
        return ["nsenter", "-t", str(self.pid), "-n", "-m", *[str(a) for a in args]]

    def run(self, *args, check=True, timeout=60, **kwargs):
        r = subprocess.run(self.enter(*args), text=True, capture_output=True,
                           timeout=timeout * SLOW, **kwargs)
        assert not check or r.returncode == 0, f"{args}: {r.returncode}\n{r.stdout}{r.stderr}"
        return r

    def mounts(self):
        with open(f"/proc/{self.pid}/mountinfo") as f:
            return f.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("orchd", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Client(threading.Thread):
    """Requests continuously from inside a network namespace, one new connection each, and keeps
    (time, ok, answer)."""

    def __init__(self, pid, ip, port, path="/", pause=0.004):
        super().__init__(daemon=True)
        self.args = pid, ip, port, path, pause
        self.answers, self.stopping = [], threading.Event()

    def run(self):
        pid, ip, port, path, pause = self.args
        with open(f"/proc/{pid}/ns/net", "rb") as ns:
            assert libc.setns(ns.fileno(), CLONE_NEWNET) == 0
        while not self.stopping.is_set():
            try:
                status, body = http_get(ip, port, path)
                self.answers.append((time.monotonic(), status == 200, body))
            except (OSError, http.client.HTTPException) as e:
                self.answers.append((time.monotonic(), False, repr(e)))
            time.sleep(pause)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stopping.set()
        self.join()

    def failures(self):
        return [a for a in self.answers if not a[1]]

    def seen(self):
        return {a[2].strip() for a in self.answers if a[1]}


def memory_directory():
    """Where a tmpfs is mounted, as /run is on a real system; None: nowhere."""
    with open("/proc/self/mounts") as f:
        there = {line.split()[1] for line in f if line.split()[2] == "tmpfs"}
    return next((d for d in ("/run", "/dev/shm") if d in there), None)


class Orch:
    def __init__(self, rootfs, flags=(), run_in_memory=False):
        self.dir = tempfile.mkdtemp(prefix="orch-t.", dir=os.environ.get("ORCH_TEST_TMP", "/tmp"))
        self.config, self.state, self.run_dir, self.logs = (
            os.path.join(self.dir, d) for d in ("etc", "state", "run", "log"))
        for d in (self.config, self.state, self.logs):
            os.mkdir(d)
        where = memory_directory() if run_in_memory else None
        self.memory = where and tempfile.mkdtemp(prefix="orch-t.", dir=where)
        if self.memory:
            os.symlink(self.memory, self.run_dir)
        else:
            os.mkdir(self.run_dir)
        self.rootfs = rootfs
        self.flags = list(flags)
        self.sock = os.path.join(self.run_dir, "api.sock")
        self.cgroup_root = "orch-test-" + self.dir.rsplit(".", 1)[1].replace("_", "-")
        self.errlog = os.path.join(self.dir, "orchd.log")
        self.ns = Namespace()
        self.others = []	# further namespaces and processes of the test
        self.orchd = None
        self.proxy = None

    # ---- the daemon ----

    def start(self, *flags, wait=True):
        self.ns.run("mkdir", "-p", self.run_dir)
        with open(self.errlog, "ab") as err:
            self.orchd = subprocess.Popen(
                self.ns.enter(f"{BUILD}/orchd", "--config", self.config, "--state", self.state,
                              "--run", self.run_dir, "--logs", self.logs,
                              "--cgroup-root", self.cgroup_root, "--settle", "20",
                              "--node-name", "node1", "--eviction-hard", "", *self.flags, *flags),
                stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        if wait:
            self.wait_up()
        return self

    def answers(self):
        if self.orchd.poll() is not None:
            raise AssertionError(f"orchd ended: {self.orchd.returncode}\n{self.log()}")
        try:
            return self.api("/healthz", parse=False) is not None
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def wait_up(self):
        wait_for(self.answers, 15, "orchd answers", every=0.005)

    def kill9(self):
        self.orchd.kill()
        self.orchd.wait()

    def stop(self):
        """SIGTERM: orchd ends, the pods go on."""
        self.orchd.terminate()
        assert self.orchd.wait(20 * SLOW) == 0

    def restart(self, *flags):
        if self.orchd.poll() is None:
            self.kill9()
        self.start(*flags)

    def reboot(self):
        """The power fails: processes and the run directory are gone, the state is not."""
        self.kill9()
        self.force()
        self.ns.run("sh", "-c", f"rm -rf {self.run_dir}/*", check=False)
        self.start()

    def log(self):
        with open(self.errlog, errors="replace") as f:
            return f.read()

    # ---- files ----

    def path(self, name):
        return os.path.join(self.config, name)

    def write(self, name, *objects, atomic=True):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        target = path
        if atomic:
            path = os.path.join(os.path.dirname(path), ".new-" + os.path.basename(path))
        with open(path, "w") as f:
            f.write(documents(*objects))
        if atomic:
            os.rename(path, target)

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def edit(self, name, old, new):
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new))

    def remove(self, name):
        """Leaves a file behind: a directory without any would delete nothing."""
        if os.listdir(self.config) == [name]:
            self.write("zz-keep.yaml", configmap("keep"))
        os.unlink(self.path(name))

    # ---- asking ----

    def api(self, path, method="GET", parse=True, expect=(200, 201), timeout=10, headers=None):
        c = UnixHTTP(self.sock, timeout * SLOW)
        try:
            c.request(method, path, headers=headers or {})
            r = c.getresponse()
            body = r.read().decode()
        finally:
            c.close()
        if expect is None:
            return r.status, json.loads(body) if parse else body
        assert r.status in expect, f"{method} {path}: {r.status} {body}"
        return json.loads(body) if parse else body

    def ctl(self, *args, check=True, timeout=60, **kwargs):
        return self.ns.run(f"{BUILD}/orchctl", "--socket", self.sock, *args, check=check,
                           timeout=timeout, **kwargs)

    def port(self):
        """Of socat on the loopback of orchd's namespace: what kubectl talks to."""
        if not self.proxy:
            self.proxy = subprocess.Popen(
                self.ns.enter("socat", "TCP-LISTEN:8001,fork,reuseaddr,bind=127.0.0.1",
                              f"UNIX-CONNECT:{self.sock}"), stderr=subprocess.DEVNULL)
            self.others.append(self.proxy)
            wait_for(lambda: in_netns(self.ns.pid, self.listens, 8001), 10, "socat listens")
        return 8001

    @staticmethod
    def listens(port):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def kubectl_command(self, *args):
        return self.ns.enter("env", f"HOME={self.dir}", "KUBECONFIG=/dev/null", kubectl_path(),
                             "-s", f"http://127.0.0.1:{self.port()}", *args)

    def kubectl(self, *args, check=True, timeout=60):
        r = subprocess.run(self.kubectl_command(*args), text=True, capture_output=True,
                           timeout=timeout * SLOW)
        assert not check or r.returncode == 0, f"{args}: {r.returncode}\n{r.stdout}{r.stderr}"
        return r

    def get(self, plural, name="", ns="default"):
        group = API_GROUPS.get(plural, "/api/v1")
        where = f"/namespaces/{ns}" if ns else ""
        if name:
            status, o = self.api(f"{group}{where}/{plural}/{name}", expect=None)
            return o if status == 200 else None
        return self.api(f"{group}{where}/{plural}")["items"]

    def pods(self, ns="default", **labels):
        return [p for p in self.get("pods", ns=ns)
                if all(p["metadata"].get("labels", {}).get(k) == v for k, v in labels.items())]

    def pod(self, name, ns="default"):
        return self.get("pods", name, ns)

    def status(self):
        return self.api("/apis/orch/v1/status")

    def plan(self, **query):
        q = "&".join(f"{k}={v}" for k, v in query.items())
        return self.api("/apis/orch/v1/plan" + ("?" + q if q else ""))

    def apply(self, **query):
        q = "&".join(f"{k}={v}" for k, v in query.items())
        return self.api("/apis/orch/v1/apply" + ("?" + q if q else ""), method="POST")

    def configure(self, **settings):
        """The settings that orchd has from its next start."""
        with open(self.path("orchd.yaml"), "w") as f:
            json.dump({"apiVersion": "orch/v1", "kind": "OrchdConfiguration", **settings}, f)

    def wait(self, predicate, timeout=20, what="", ns="default"):
        """wait_for; when it was in vain, with what is known of the pods."""
        try:
            return wait_for(predicate, timeout, what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.describe(ns)}") from None

    def wait_running(self, name="p", timeout=30):
        def running():
            p = self.pod(name)
            return p and state(p)[0] == "running" and p
        return self.wait(running, timeout, f"{name} runs")

    def wait_over(self, name, timeout=20):
        def over():
            p = self.pod(name)
            return p and p.get("status", {}).get("phase") in ("Succeeded", "Failed") and p
        return self.wait(over, timeout, f"{name} ends")

    def settled(self):
        return self.status()["settled"] and self.plan()["empty"]

    def wait_settled(self, timeout=30):
        try:
            wait_for(self.settled, timeout, "nothing left to do")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.plan()['text']}\n{self.status()}") from None

    def wait_ready(self, n, ns="default", timeout=30, **labels):
        def enough():
            pods = self.pods(ns, **labels)
            return len(pods) == n and all(is_ready(p) for p in pods) and pods
        return self.wait(enough, timeout, f"{n} ready pods {labels}", ns)

    def wait_rollout(self, name, ns="default", timeout=60):
        def done():
            status, r = self.api(f"/apis/orch/v1/namespaces/{ns}/deployments/{name}/rolloutstatus",
                                 expect=None)
            return status == 200 and r["done"]
        self.wait(done, timeout, f"rollout of {name}", ns)

    def run_to_end(self, name, c, objects=(), **spec):
        """Runs a pod of one container once: the pod as it ended, and the text of its log."""
        self.write(f"{name}.yaml", *objects, pod(name, c, restartPolicy="Never", **spec))
        p = self.wait_over(name)
        return p, self.log_text(p, c["name"])

    def script(self, name, text, *, image="/", objects=(), spec=None, **more):
        """What a shell script prints in a pod of its own; with the node's tools unless image has
        others."""
        c = container(image, "/bin/sh", "-c", text, **more)
        return self.run_to_end(name, c, objects, **(spec or {}))[1].strip()

    def describe(self, ns="default"):
        lines = [f"{p['metadata']['name']}: {json.dumps(p.get('status'))}" for p in self.pods(ns)]
        return "\n".join(lines + [self.log()[-3000:]])

    # ---- the kernel ----

    def cgroups(self, uid="", container="", controller=None):
        """Directories of a pod's (a container's) control groups, in all hierarchies."""
        sub = os.path.join(self.cgroup_root, *([f"pod{uid}"] if uid else []),
                           *([container] if container else []))
        def is_asked_for(directory):
            hierarchy = directory.split("/")[4]
            return os.path.isdir(directory) and not os.path.islink(f"{CGROUPS}/{hierarchy}") and (
                IS_V2 or not controller or hierarchy in (controller, *aliases(controller)))
        return [d for d in glob.glob(f"{CGROUPS}/{sub}") + glob.glob(f"{CGROUPS}/*/{sub}")
                if is_asked_for(d)]

    def cgroup_file(self, pod, container, controller, name):
        d, = self.cgroups(pod["metadata"]["uid"], container, controller)
        with open(os.path.join(d, name)) as f:
            return f.read()

    def pids(self, pod, container):
        """Of the container's processes."""
        pids = set()
        for d in self.cgroups(pod["metadata"]["uid"], container):
            pids |= procs(d)
        return pids

    def all_pids(self):
        """Of everything that runs in pods: (pid, start time) of each process."""
        pids = set()
        for d in self.cgroups():
            for sub, _, _ in os.walk(d):
                pids |= procs(sub)
        return {(p, start_time(p)) for p in pids if start_time(p)}

    def shims(self):
        """Pids of the shims, from the headers of their state files."""
        pids = []
        for path in glob.glob(f"{self.run_dir}/pods/*/state"):
            with contextlib.suppress(OSError, struct.error), open(path, "rb") as f:
                pids.append(struct.unpack("IIi", f.read(12))[2])
        return [p for p in pids if self.dir.encode() in cmdline(p)]

    def exec(self, pod, *args, container=None, check=True):
        c = ["-c", container] if container else []
        return self.ctl("exec", pod, *c, "--", *args, check=check)

    def container_log(self, pod, container, attempt=0):
        """The text of a container's log as it is in the file: [(stream, tag, text)]."""
        m = pod["metadata"]
        base = f"{self.logs}/{m['namespace']}_{m['name']}_{m['uid']}/{container}/{attempt}.log"
        rotated = sorted(glob.glob(base + ".*"))
        lines = []
        for path in rotated + [base]:
            with contextlib.suppress(FileNotFoundError), open(path) as f:
                lines += [line.rstrip("\n").split(" ", 3)[1:] for line in f]
        return lines

    def log_text(self, pod, container, attempt=0):
        return "".join(t[2] + ("\n" if t[1] == "F" else "")
                       for t in self.container_log(pod, container, attempt))

    # ---- networks ----

    def http(self, ip, port, path="/", timeout=3):
        return in_netns(self.ns.pid, http_get, ip, port, path, timeout)

    def client(self, ip, port, **kwargs):
        return Client(self.ns.pid, ip, port, **kwargs)

    def outside(self):
        """A namespace beside the node's, joined to it by a veth: 192.0.2.1 (node), .2."""
        other = Namespace()
        self.others.append(other)
        self.ns.run("ip", "link", "add", "ext0", "type", "veth", "peer", "name", "eth0", "netns",
                    other.pid)
        self.ns.run("ip", "addr", "add", "192.0.2.1/24", "dev", "ext0")
        self.ns.run("ip", "link", "set", "ext0", "up")
        other.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
        other.run("ip", "link", "set", "eth0", "up")
        return other

    def service_maps(self):
        """Text of the nft table."""
        return self.ns.run("nft", "list", "ruleset").stdout

    # ---- the end ----

    def take_down(self):
        if self.orchd and self.orchd.poll() is None:
            self.kill9()
        if not os.path.isdir(f"{self.run_dir}/pods") or not self.shims():
            if not self.cgroups():
                return
        self.start("--stop-pods")
        self.orchd.terminate()
        status = self.orchd.wait(40 * SLOW)
        assert status == 0, f"orchd --stop-pods: {status}"

    def leftovers(self):
        """What should not be there any more."""
        links = self.ns.run("ip", "-o", "link").stdout.splitlines()
        found = [l for l in links if ": lo:" not in l and ": ext0" not in l]
        found += [l for l in self.ns.run("nft", "list", "tables").stdout.splitlines()]
        with open("/proc/self/mountinfo") as f:
            found += [l for l in (self.ns.mounts() + f.read()).splitlines()
                      if self.dir in l or (self.memory and self.memory in l)]
        found += self.cgroups()
        found += self.processes()
        return found

    def processes(self):
        found = []
        for pid in (int(p) for p in os.listdir("/proc") if p.isdigit()):
            if pid == os.getpid():
                continue
            line = cmdline(pid)
            if self.dir.encode() in line or in_cgroup(pid, self.cgroup_root):
                found.append(f"process {pid}: {line.decode(errors='replace')}")
        return found

    def force(self):
        """Whatever state the test left: nothing of it stays."""
        pids = self.shims()
        for d in self.cgroups():
            for sub, _, _ in os.walk(d):
                pids += procs(sub)
        for p in {int(x.split(":")[0].split()[1]) for x in self.processes()} | set(pids):
            with contextlib.suppress(OSError):
                os.kill(p, signal.SIGKILL)
        end = time.monotonic() + 5
        while self.cgroups() and time.monotonic() < end:
            for d in self.cgroups():
                for sub, _, _ in os.walk(d, topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(sub)
            time.sleep(0.05)

    def close(self):
        problem = None
        for o in self.others:
            if isinstance(o, Namespace):
                o.close()
            else:
                o.kill()
                o.wait()
        try:
            self.take_down()
            wait_for(lambda: not self.leftovers(), 10, "nothing is left")
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            problem = f"{e}\nleft: {self.leftovers()}\n{self.log()[-4000:]}"
        finally:
            if self.orchd and self.orchd.poll() is None:
                self.kill9()
            self.force()
            self.ns.close()
            shutil.rmtree(self.dir, ignore_errors=True)
            if self.memory:
                shutil.rmtree(self.memory, ignore_errors=True)
        assert not problem, problem


def aliases(controller):
    """Names under which a v1 controller may be mounted."""
    return {"cpu": ("cpu,cpuacct",), "memory": (), "pids": ()}[controller]


def procs(directory):
    try:
        with open(f"{directory}/cgroup.procs") as f:
            return {int(x) for x in f.read().split()}
    except OSError:
        return set()


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ")
    except OSError:
        return b""


def in_cgroup(pid, root):
    try:
        with open(f"/proc/{pid}/cgroup") as f:
            return f":/{root}/" in f.read()
    except OSError:
        return False


def start_time(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return None if fields[0] in "ZX" else int(fields[19])
    except OSError:
        return None


def is_ready(pod):
    return not pod["metadata"].get("deletionTimestamp") and any(
        c["type"] == "Ready" and c["status"] == "True"
        for c in pod.get("status", {}).get("conditions", []))


def container_status(pod, name=None):
    for c in pod.get("status", {}).get("containerStatuses", []):
        if name in (None, c["name"]):
            return c
    return {}


def state(pod, name=None):
    """("waiting"|"running"|"terminated", details) of a container."""
    s = container_status(pod, name).get("state", {})
    return next(iter(s.items()), (None, {}))


# ---- manifests ----

def container(rootfs, *command, name="main", **more):
    return {"name": name, "image": f"rootfs:{rootfs}", "command": list(command), **more}


def pod_spec(*containers, **more):
    return {"terminationGracePeriodSeconds": 2, "containers": list(containers), **more}


def pod(name, *containers, ns=None, labels=None, annotations=None, **spec):
    meta = {"name": name}
    for key, value in (("namespace", ns), ("labels", labels), ("annotations", annotations)):
        if value:
            meta[key] = value
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "spec": pod_spec(*containers, **spec)}


def deployment(name, replicas, *containers, ns=None, template=None, annotations=None, pod_more=None,
               **spec):
    meta = {"name": name, **({"namespace": ns} if ns else {}),
            **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, **spec,
                     "template": {"metadata": {"labels": {"app": name}, **(template or {})},
                                  "spec": pod_spec(*containers, **(pod_more or {}))}}}


def service(name, port, target=None, node_port=None, app=None, ns=None):
    p = {"port": port, "targetPort": target or port}
    if node_port:
        p["nodePort"] = node_port
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, **({"namespace": ns} if ns else {})},
            "spec": {"type": "NodePort" if node_port else "ClusterIP",
                     "selector": {"app": app or name}, "ports": [p]}}


def configmap(name, ns=None, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, **({"namespace": ns} if ns else {})}, "data": data}


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
