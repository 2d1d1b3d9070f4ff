# SPDX-License-Identifier: GPL-2.0-or-later
"""The path of logs under load: a container that writes as fast as it is taken loses no line through
rotations and through kill -9 of orchd."""

import glob
import os
import re
import signal
import time

import pytest

from harness import container, pod, state, wait_for

MOST = 10_000_000		# lines of 100 bytes; it is told to end long before
LONG_EVERY = 5000
KILLS = 20
PART = 16384


def log_files(orch, p, attempt=0):
    """In the order in which they were written."""
    m = p["metadata"]
    base = f"{orch.logs}/{m['namespace']}_{m['name']}_{m['uid']}/main/{attempt}.log"

    def age(path):
        found = re.search(r"\.log\.(\d{8}-\d{6})(?:\.(\d+))?$", path)
        return found[1], int(found[2] or 0)
    return sorted(glob.glob(base + ".*"), key=age) + [base]


def lines(paths):
    """Lines of the container, parts joined; checks the form of each record."""
    parts = []
    for path in paths:
        with open(path, "rb") as f:
            for record in f:
                _, stream, tag, text = record.split(b" ", 3)
                assert stream == b"stdout" and text[-1:] == b"\n", record[:80]
                parts.append(text[:-1])
                if tag == b"P":
                    assert len(text) == PART + 1, record[:80]
                    continue
                assert tag == b"F" and len(text) <= PART + 1, record[:80]
                yield b"".join(parts) if len(parts) > 1 else parts[0]
                parts.clear()
    assert not parts


def check_all(found):
    """What `probe lines` writes, from the first to the last; how many there were."""
    bodies = {n: [b"%d" % d * (n - 11) for d in range(10)] for n in (100, 40000)}
    n = 0
    for text in found:
        if text.startswith(b"end "):
            assert int(text[4:]) == n
            assert next(found, None) is None
            return n
        body = bodies[40000 if n % LONG_EVERY == 0 else 100][n % 10]
        assert text[:10] == b"%09d " % n and text[10:] == body, (n, text[:80])
        n += 1
    raise AssertionError(f"no end after {n} lines")


@pytest.mark.flags("--container-log-max-size", "8Mi", "--container-log-max-files", "2000")
def test_nothing_is_lost_at_full_speed(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "lines", str(MOST),
                                            str(LONG_EVERY)), restartPolicy="Never"))
    p = orch.wait_running("p")
    writer = min(orch.pids(p, "main"))
    for _ in range(KILLS):
        orch.kill9()
        orch.start(wait=False)
        time.sleep(0.05)
    os.kill(writer, signal.SIGTERM)
    orch.wait_up()
    wait_for(lambda: state(orch.pod("p"))[0] == "terminated", 30)
    assert state(orch.pod("p"))[1]["exitCode"] == 0
    files = log_files(orch, p)
    assert len(files) > 3		# it was rotated
    assert all(os.path.getsize(f) < 9 << 20 for f in files)
    assert check_all(lines(files)) > 200_000


@pytest.mark.flags("--container-log-max-size", "1Mi", "--container-log-max-files", "3")
def test_a_line_without_end_fills_no_disk(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "flood", "20000000",
                                            "0"), restartPolicy="Never"))
    p = wait_for(lambda: state(orch.pod("p") or {})[0] == "terminated" and orch.pod("p"), 30)
    files = log_files(orch, p)
    assert len(files) == 3
    assert sum(os.path.getsize(f) for f in files) < 7 << 20
    text = b"".join(r.split(b" ", 3)[3][:-1] for f in files for r in open(f, "rb"))
    assert set(text) == {ord("x")}


@pytest.mark.flags("--container-log-max-size", "4Mi", "--container-log-max-files", "2000")
def test_a_follower_sees_every_line(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "lines", "400000",
                                            str(LONG_EVERY)), restartPolicy="Never"))
    wait_for(lambda: state(orch.pod("p") or {})[0])
    wait_for(lambda: state(orch.pod("p"))[0] != "waiting")
    out = orch.ctl("logs", "-f", "p", timeout=120).stdout.encode()
    assert check_all(iter(out.splitlines())) == 400_000
