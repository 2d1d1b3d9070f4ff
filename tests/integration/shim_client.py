# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks the shim's protocol (src/shim/protocol.h) and writes its programs (src/shim/program.h)."""
import array
import ctypes
import os
import re
import select
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
MAGIC = 0x6F726368

(HELLO, SANDBOX, START, STOP, SIGNAL, PROBE, HOOK, EXEC, RESIZE, ATTACH, ROOT_OF, CONNECT, QUIT, STATE,
 RESULT, EXITED) = range(16)
CREATED, RUNNING, ENDED, FAILED = range(4)
READINESS, LIVENESS, STARTUP = range(3)
H_NONE, H_EXEC, H_HTTP, H_TCP, H_SLEEP = range(5)
POST_START, PRE_STOP = range(2)

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x20000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x08000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 1, 2, 4, 8, 4096, 16384
JOIN_ALL = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC

u32, i32, u64, i64, u16 = (ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint64, ctypes.c_int64,
                           ctypes.c_uint16)


HEADER = (ROOT / "src/shim/program.h").read_text()
VERSION = int(re.search(r"#define PROG_VERSION (\d+)", HEADER)[1])


def _rows():
    found = re.findall(r"^\tOP\((\w+), (\d)", HEADER, re.M)
    return {name: (number, int(strings)) for number, (name, strings) in enumerate(found)}


OPS = _rows()
OP_NAMES = list(OPS)


class Struct(ctypes.Structure):
    def text(self, name):
        return getattr(self, name).decode()


class Msg(Struct):
    _fields_ = [("magic", u32), ("version", u32), ("type", u32), ("seq", u32)]


class Fail(Struct):
    _fields_ = [("error", i32), ("op", u32), ("index", u32), ("what", ctypes.c_char * 116)]

    def __str__(self):
        return f"{OP_NAMES[self.op]} #{self.index} {self.text('what')}: {os.strerror(self.error)}"


class End(Struct):
    _fields_ = [("exit_code", i32), ("signal", i32), ("oom_killed", u32), ("reserved", u32),
                ("started_at", i64), ("finished_at", i64)]


class Container(Struct):
    _fields_ = [("name", ctypes.c_char * 64), ("phase", u32), ("attempt", u32), ("backoff", u32),
                ("pid", i32), ("started_at", i64), ("configured", u32), ("decided", u32),
                ("passed", u32), ("warned", u32), ("reserved", u32), ("stopping", u32),
                ("post_start", u32), ("message_size", u32),
                ("end", End), ("last", End), ("told_at", i64 * 3),
                ("messages", (ctypes.c_char * 160) * 3),
                ("hook_messages", (ctypes.c_char * 160) * 2), ("fail", Fail)]


class Header(Struct):
    _fields_ = [("magic", u32), ("version", u32), ("pid", i32), ("count", u32), ("start_time", u64)]


class Start(Struct):
    _fields_ = [("name", ctypes.c_char * 64), ("attempt", u32), ("backoff", u32),
                ("log_max_bytes", u64), ("log_max_files", u32), ("stop_rank", u32),
                ("stop_signal", i32), ("pids", u32), ("stdio", u32), ("reserved", u32), ("target", ctypes.c_char * 64),
                ("log_dir", ctypes.c_char * 512), ("cgroup_dir", ctypes.c_char * 256),
                ("oom_file", ctypes.c_char * 256), ("message_file", ctypes.c_char * 256),
                ("launch_dir", ctypes.c_char * 128)]


class Stop(Struct):
    _fields_ = [("name", ctypes.c_char * 64), ("signal", i32), ("drain_ms", u32),
                ("grace_ms", u32), ("reserved", u32)]


class Signal(Struct):
    _fields_ = [("name", ctypes.c_char * 64), ("signal", i32)]


class Try(Struct):
    _fields_ = [("handler", u32), ("timeout_ms", u32), ("addr", u32), ("port", u16),
                ("any_status", u16), ("request", ctypes.c_char * 1024)]


class Probe(Struct):
    _anonymous_ = ["how"]
    _fields_ = [("name", ctypes.c_char * 64), ("kind", u32), ("initial_delay_ms", u32),
                ("period_ms", u32), ("success_threshold", u32), ("failure_threshold", u32),
                ("reserved", u32), ("how", Try)]


class Hook(Struct):
    _anonymous_ = ["how"]
    _fields_ = [("name", ctypes.c_char * 64), ("kind", u32), ("reserved", u32), ("how", Try)]


class Exec(Struct):
    _fields_ = [("name", ctypes.c_char * 64), ("tty", u32), ("rows", u16), ("cols", u16)]


class Resize(Struct):
    _fields_ = [("exec_seq", u32), ("rows", u16), ("cols", u16)]


class Result(Struct):
    _fields_ = [("error", i32), ("reserved", u32), ("fail", Fail)]


class Exited(Struct):
    _fields_ = [("exit_code", i32), ("signal", i32)]


class Program:
    """p.MOUNT("proc", "/proc", "proc", "", a=flags) and so on, in the order of execution."""

    def __init__(self):
        self.data = b""

    def __getattr__(self, op):
        number, strings = OPS[op]

        def add(*texts, a=0, b=0, raw=b""):
            assert len(texts) == strings, op
            body = raw + bytes(-len(raw) % 8) + b"".join(t.encode() + b"\0" for t in texts)
            body += bytes(-len(body) % 8)
            head = (u32(32 + len(body)), u16(number), u16(strings), u32(len(raw)), u32(0),
                    u64(a), u64(b))
            self.data += b"".join(bytes(h) for h in head) + body
            return self
        return add


class ShimGone(Exception):
    pass


class Shim:
    """One connection to a shim; starts the shim unless connect is set."""

    def __init__(self, run_dir, connect=False, prefix=()):
        self.dir = Path(run_dir)
        self.seq = 0
        self.states, self.results, self.exited, self.history = {}, {}, {}, []
        self.process = None
        if connect:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.sock.connect(str(self.dir / "shim.sock"))
            return
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        fd = theirs.fileno()
        command = [*prefix, str(BUILD / "orch-shim"), str(self.dir)]
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", f'exec 3<&{fd} "$@"', "bash", *command], pass_fds=[fd],
            stdin=subprocess.DEVNULL)
        theirs.close()

    def send(self, kind, payload=b"", prog=b""):
        self.seq += 1
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 300 * 1024)
        data = prog.data if isinstance(prog, Program) else prog
        self.sock.send(bytes(Msg(MAGIC, VERSION, kind, self.seq)) + bytes(payload) + data)
        return self.seq

    def receive(self, timeout):
        if not select.select([self.sock], [], [], max(timeout, 0))[0]:
            return False
        try:
            data, anc, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(16))
        except ConnectionResetError:
            raise ShimGone()
        if not data:
            raise ShimGone()
        fds = array.array("i")
        for _, _, raw in anc:
            fds.frombytes(raw[:len(raw) - len(raw) % fds.itemsize])
        msg = Msg.from_buffer_copy(data)
        body = data[ctypes.sizeof(Msg):]
        if msg.type == STATE:
            state = Container.from_buffer_copy(body)
            self.states[state.text("name")] = state
            self.history.append(state)
        elif msg.type == RESULT:
            self.results[msg.seq] = (Result.from_buffer_copy(body), list(fds))
        elif msg.type == EXITED:
            self.exited[msg.seq] = Exited.from_buffer_copy(body)
        return True

    def until(self, condition, timeout=10, what="condition"):
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            assert left > 0, f"timeout: {what}; states {[(s.name, s.phase) for s in self.history]}"
            self.receive(left)

    def ask(self, kind, payload=b"", prog=b""):
        seq = self.send(kind, payload, prog)
        self.until(lambda: seq in self.results, what=f"result of {kind}")
        return self.results[seq]

    def do(self, kind, payload=b"", prog=b""):
        result, fds = self.ask(kind, payload, prog)
        assert result.error == 0, str(result.fail)
        return fds

    def wait_phase(self, name, phase, timeout=10):
        self.until(lambda: name in self.states and self.states[name].phase == phase, timeout,
                   f"{name} in phase {phase}")
        return self.states[name]

    def state_file(self):
        data = (self.dir / "state").read_bytes()
        header = Header.from_buffer_copy(data)
        size = ctypes.sizeof(Container)
        at = ctypes.sizeof(Header)
        return header, [Container.from_buffer_copy(data[at + i * size:at + (i + 1) * size])
                        for i in range(header.count)]

    def pid(self):
        return self.state_file()[0].pid

    def close(self):
        self.sock.close()

    def end(self):
        """Kills the shim that this object has started, and with it its containers."""
        self.close()
        if self.process:
            self.process.kill()
            self.process.wait()
