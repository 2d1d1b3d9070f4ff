# SPDX-License-Identifier: GPL-2.0-or-later
"""Getting at what runs: logs, forwarded ports, usage, terminals, files. Real sockets and ptys."""

import contextlib
import glob
import os
import re
import subprocess

import pytest

from harness import BUILD, container, deployment, pod, wait_for


def sh(text, name="main", **more):
    """A container that runs a script with the machine's own programs."""
    return container("/", "/bin/sh", "-c", text, name=name, **more)


@contextlib.contextmanager
def started(orch, *args, **kwargs):
    """orchctl while it runs, in the node's namespace; killed at the end if it is still there."""
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL,
              **kwargs}
    p = subprocess.Popen(orch.ns.enter(f"{BUILD}/orchctl", "--socket", orch.sock, *args), **kwargs)
    try:
        yield p
    finally:
        p.kill()
        p.communicate()


# ---- logs ----

SAYS = "for i in 1 2 3; do echo {0} $i; done; sleep 1000"


def two_pods(orch):
    orch.write("web.yaml", deployment("web", 2, sh(SAYS.format("one"), "one"),
                                      sh(SAYS.format("two"), "two"),
                                      pod_more={"initContainers": [sh("echo before", "init")]}))
    orch.wait_rollout("web")
    pods = [p["metadata"]["name"] for p in orch.wait_ready(2)]
    for p in orch.pods():
        for c, last in (("one", "one 3\n"), ("two", "two 3\n"), ("init", "before\n")):
            wait_for(lambda: orch.log_text(p, c).endswith(last), what=f"log of {c}")
    return pods


@pytest.mark.subset
def test_logs_of_several_pods(orch):
    a, b = two_pods(orch)
    said = lambda *args: orch.ctl("logs", *args).stdout
    lines = lambda p, c: [f"[pod/{p}/{c}] {c} {i}" for i in (1, 2, 3)]
    both = said("-l", "app=web", "-c", "one", "--prefix").splitlines()
    assert both in (lines(a, "one") + lines(b, "one"), lines(b, "one") + lines(a, "one"))
    assert said("-l", "app=web", "-c", "one") == "one 1\none 2\none 3\n" * 2
    every = said("-l", "app=web", "--all-containers", "--prefix").splitlines()
    assert sorted(every) == sorted(l for p in (a, b) for l in
                                   [f"[pod/{p}/init] before", *lines(p, "one"), *lines(p, "two")])
    # TYPE/NAME is one pod, unless all are asked for; then each line tells whose it is
    r = orch.ctl("logs", "deploy/web")
    assert r.stdout == "one 1\none 2\none 3\n"
    assert re.search(r"Found 2 pods, using pod/web-", r.stderr)
    assert 'Defaulted container "one" out of: one, two, init (init)' in r.stderr
    every = said("deploy/web", "--all-pods", "-c", "two").splitlines()
    assert sorted(every) == sorted(lines(a, "two") + lines(b, "two"))
    assert said(a, "init") == "before\n"
    r = orch.ctl("logs", a, "-c", "three", check=False)
    assert r.returncode == 1 and "container three is not valid for pod" in r.stderr


def test_logs_parts_of_a_log(orch):
    a, _ = two_pods(orch)
    said = lambda *args: orch.ctl("logs", a, "-c", "one", *args).stdout
    assert said("--tail=2") == "one 2\none 3\n"
    assert said("--limit-bytes=8") == "one 1\non"
    stamped = said("--timestamps").splitlines()
    stamps = [line.split(" ", 1)[0] for line in stamped]
    assert [line.split(" ", 1)[1] for line in stamped] == ["one 1", "one 2", "one 3"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", s) for s in stamps)
    later = [line.split(" ", 1)[1] + "\n" for line in stamped if line.split(" ", 1)[0] >= stamps[2]]
    assert said("--since-time", stamps[2]) == "".join(later)
    assert said("--since-time", "2099-01-01T00:00:00Z") == ""
    assert said("--since", "1h") == "one 1\none 2\none 3\n"
    # of several pods the last ten lines each, unless said otherwise
    orch.write("ten.yaml", pod("ten", sh("seq 1 30; sleep 1000"), labels={"n": "ten"}))
    wait_for(lambda: orch.pod("ten") and orch.log_text(orch.pod("ten"), "main").endswith("30\n"))
    assert orch.ctl("logs", "-l", "n=ten").stdout.split() == [str(i) for i in range(21, 31)]
    assert orch.ctl("logs", "-l", "n=ten", "--tail=-1").stdout.split()[0] == "1"
    for wrong in (("--since=1h", "--since-time=2026-01-01T00:00:00Z"), ("--limit-bytes=0",),
                  ("--since-time=yesterday",), ("--all-containers",)):
        r = orch.ctl("logs", a, "-c", "one", *wrong, check=False)
        assert r.returncode == 1 and r.stderr, wrong


def test_logs_that_are_not_there(orch):
    orch.write("p.yaml", pod("p", sh("echo here; sleep 1000", "one"),
                             container("/nowhere", "/bin/true", name="two"), labels={"a": "p"}))
    wait_for(lambda: orch.pod("p") and orch.log_text(orch.pod("p"), "one") == "here\n")
    r = orch.ctl("logs", "p", "--all-containers", check=False)
    assert (r.returncode, r.stdout) == (1, "here\n") and r.stderr
    r = orch.ctl("logs", "p", "--all-containers", "--ignore-errors")
    assert r.stdout == "here\n" and r.stderr
    r = orch.ctl("logs", "-l", "a=nobody")
    assert (r.stdout, r.stderr) == ("", "No resources found in default namespace.\n")
    r = orch.ctl("logs", "-p", "p", "-c", "one", check=False)
    assert r.returncode == 1 and 'previous terminated container "one" in pod "p" not found' in r.stderr


def test_logs_follow_several(orch):
    text = ("for i in $(seq 1 400); do echo $i --------------------------------; done;"
            "until [ -e /tmp/end ]; do sleep 0.05; done")
    orch.write("web.yaml", deployment("web", 2, sh(text, "one"), sh(text, "two")))
    a, b = [p["metadata"]["name"] for p in orch.wait_ready(2)]
    r = orch.ctl("logs", "-f", "-l", "app=web", "--all-containers", "--max-log-requests=3",
                 check=False)
    assert r.returncode == 1
    assert "attempting to follow 4 log streams, but maximum allowed concurrency is 3" in r.stderr
    with started(orch, "logs", "-f", "-l", "app=web", "--all-containers", "--prefix", "--tail=-1",
                 text=True) as f:
        seen = [f.stdout.readline() for _ in range(1600)]
        for p in (a, b):
            for c in ("one", "two"):
                begin = f"[pod/{p}/{c}] "
                assert [l for l in seen if l.startswith(begin)] == \
                    [f"{begin}{i} --------------------------------\n" for i in range(1, 401)]


def test_logs_follow_through_rotation(orch):
    text = ("until [ -e /tmp/go ]; do sleep 0.05; done; seq -f '%08.0f" + " " + "x" * 230 + "' 100000;"
            "echo the end; sleep 1000")
    orch.write("p.yaml", pod("p", sh(text)))
    orch.wait_ready(1)
    with started(orch, "logs", "-f", "p", text=True) as f:
        orch.exec("p", "/bin/touch", "/tmp/go")
        for i in range(1, 100001):
            line = f.stdout.readline()
            assert line.startswith(f"{i:08d} x"), (i, line)
        assert f.stdout.readline() == "the end\n"
    uid = orch.pod("p")["metadata"]["uid"]
    assert len(glob.glob(f"{orch.logs}/default_p_{uid}/main/0.log.*")) >= 2
    # from the end backwards, through a file that was rotated away
    assert orch.ctl("logs", "p", "--tail=1").stdout == "the end\n"
    lines = orch.ctl("logs", "p", "--tail=60001").stdout.splitlines()
    assert len(lines) == 60001 and lines[0].startswith("00040001 ") and lines[-1] == "the end"
