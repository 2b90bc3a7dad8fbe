"""Runs ONE CPython test module inside the process that the launcher set up.

Not called by hand: conform.py starts it as   <launcher> runmod.py CONFIG.json
It writes one JSON line per event to an O_APPEND file with os.write, so every
outcome known before a hang, a kill or a segfault survives it.
"""

import faulthandler
import fnmatch
import json
import os
import sys
import time
import traceback
import unittest

with open(sys.argv[1]) as _f:
    CFG = json.load(_f)
MOD = CFG["module"]
_clock = time.monotonic
_write = os.write
_getpid = os.getpid
_exit = os._exit
_listdir = os.listdir
_EV = os.open(CFG["events"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
_OWNER = _getpid()


def emit(**ev):
    if _getpid() != _OWNER:
        # A forked child came back out of its test into our runner: never let
        # it go on to run the rest of the tests a second time.
        _exit(97)
    _write(_EV, (json.dumps(ev) + "\n").encode())


# ---------------------------------------------------------------- probe
def probe():
    """What is in force, told without knowing the launcher."""
    import _thread
    import queue
    import select
    import socket
    import subprocess
    import threading

    def tid():
        return os.readlink("/proc/thread-self")

    main = tid()
    box = []

    def body():
        box.append(tid())
        time.sleep(0.01)
        box.append(tid())

    ts = [threading.Thread(target=body) for _ in range(2)]
    for t in ts:
        t.start()
    for t in ts:
        t.join(10)
    raw = []
    lk = _thread.allocate_lock()
    lk.acquire()

    def rawbody():
        raw.append(tid())
        lk.release()

    _thread.start_new_thread(rawbody, ())
    lk.acquire()
    where = lambda o: (
        "%s.%s"
        % (getattr(o, "__module__", None) or type(o).__module__, getattr(o, "__qualname__", type(o).__name__))
    )
    return {
        "threads_on_main_os_thread": bool(box) and all(b == main for b in box),
        "raw_threads_on_main_os_thread": raw == [main],
        "os_threads_of_two": len(set(box)),
        "Lock": where(type(threading.Lock())),
        "start": where(getattr(threading, "_start_joinable_thread", None) or threading._start_new_thread),
        "sleep": where(time.sleep),
        "socket": where(socket.socket),
        "SimpleQueue": where(queue.SimpleQueue),
        "select": where(select.select),
        "Popen": where(subprocess.Popen),
        "weft": "weft" in sys.modules,
    }


# ---------------------------------------------------------------- tags
class Tags:
    cur = set()


def _audit(event, args):
    # Only the plain baseline installs this: which tests start threads (t),
    # make sockets (s), start child Pythons (c), other programs (x), fork (f),
    # or make subinterpreters (i).
    if event in ("_thread.start_new_thread", "_thread.start_joinable_thread"):
        Tags.cur.add("t")
    elif event == "socket.__new__":
        Tags.cur.add("s")
    elif event == "subprocess.Popen":
        try:
            a = args[1]
            exe = args[0]
            argv = [a] if isinstance(a, (str, bytes)) else list(a)
            txt = " ".join(os.fsdecode(x) for x in [exe or ""] + argv)
            Tags.cur.add("c" if (sys.executable in txt or "python" in txt) else "x")
        except Exception:
            Tags.cur.add("x")
    elif event in ("os.fork", "os.forkpty"):
        Tags.cur.add("f")
    elif event in ("os.posix_spawn", "os.spawn", "os.exec", "os.system"):
        Tags.cur.add("c" if "python" in repr(args) else "x")
    elif event == "cpython.PyInterpreterState_New":
        Tags.cur.add("i")


def wrap_mp():
    u = sys.modules.get("multiprocessing.util")
    if u is None or not hasattr(u, "spawnv_passfds"):
        return
    real = u.spawnv_passfds

    def spawnv_passfds(*a, **k):
        Tags.cur.add("c")
        return real(*a, **k)

    u.spawnv_passfds = spawnv_passfds


# ---------------------------------------------------------------- result
def brief(err):
    try:
        et, ev, tb = err
        txt = "".join(traceback.format_exception_only(et, ev)).strip()
        where = ""
        frames = traceback.extract_tb(tb)
        here = [f for f in frames if "unittest" not in f.filename and f.filename != __file__]
        if here:
            f = here[-1]
            where = " @%s:%s %s" % ("/".join(f.filename.split("/")[-2:]), f.lineno, f.name)
            mine = [f for f in here if "/test/" in f.filename]
            if mine and mine[-1] is not f:
                g = mine[-1]
                where += " <- %s:%s %s" % (g.filename.split("/")[-1], g.lineno, g.name)
        return txt[:400] + where
    except BaseException as e:  # formatting must never break the run
        return "unprintable error %r" % (type(e),)


RANK = {"passed": 0, "skipped": 1, "xfail": 1, "failed": 3, "errored": 4, "xpass": 3}


class Result(unittest.TestResult):
    keys = {}

    def __init__(self):
        super().__init__()
        self.out = self.cur = None
        self.most_os_threads = 1

    def _dump(self, what, test, err):
        try:
            sys.__stderr__.write("\n=== %s %s\n" % (what, test))
            sys.__stderr__.write("".join(traceback.format_exception(*err)))
            sys.__stderr__.flush()
        except BaseException:
            pass

    def key(self, test):
        return self.keys.get(id(test))

    def begin(self, test):
        self.cur = test
        self.out = ["passed", ""]
        if CFG["tags"]:
            Tags.cur = set()
        self.t0 = _clock()

    def startTest(self, test):
        super().startTest(test)
        self.begin(test)
        emit(e="start", k=self.key(test))

    def stopTest(self, test):
        super().stopTest(test)
        if self.cur is not test:
            self.begin(test)
        self.cur = None
        try:
            self.most_os_threads = max(self.most_os_threads, len(_listdir("/proc/self/task")))
        except OSError:
            pass
        ev = {"e": "stop", "k": self.key(test), "o": self.out[0], "t": round(_clock() - self.t0, 3)}
        if self.out[1]:
            ev["m"] = self.out[1]
        if CFG["tags"]:
            ev["g"] = "".join(sorted(Tags.cur))
        emit(**ev)

    def _set(self, test, o, m=""):
        if self.key(test) is None:  # a fixture's _ErrorHolder
            emit(e="holder", d=str(test), o=o, m=m)
            return
        if self.cur is not test:  # 3.12.1 skips without startTest
            self.begin(test)
        if RANK[o] > RANK[self.out[0]]:
            self.out = [o, m]

    def addError(self, test, err):
        self._dump("ERROR", test, err)
        self._set(test, "errored", brief(err))

    def addFailure(self, test, err):
        self._dump("FAIL", test, err)
        self._set(test, "failed", brief(err))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._dump("SUBTEST", subtest, err)
            bad = issubclass(err[0], test.failureException)
            self._set(test, "failed" if bad else "errored", brief(err))

    def addSkip(self, test, reason):
        self._set(test, "skipped", str(reason)[:120])

    def addExpectedFailure(self, test, err):
        self._set(test, "xfail")

    def addUnexpectedSuccess(self, test):
        self._set(test, "xpass", "unexpected success")

    def addDuration(self, test, elapsed):
        pass

    def printErrors(self):
        pass


class Suite(unittest.TestSuite):
    """Flat suite that says when a class or module fixture is running."""

    def _fix(self, what, name, fn, *a):
        emit(e="fix", w=what, n=name)
        if CFG["tags"]:
            Tags.cur = set()
        try:
            fn(*a)
        finally:
            emit(e="fixend", w=what, n=name, g="".join(sorted(Tags.cur)))

    def _handleClassSetUp(self, test, result):
        cur = test.__class__
        f = super()._handleClassSetUp
        if cur is not getattr(result, "_previousTestClass", None):
            self._fix("setUpClass", cur.__module__ + "." + cur.__qualname__, f, test, result)
        else:
            f(test, result)

    def _tearDownPreviousClass(self, test, result):
        prev = getattr(result, "_previousTestClass", None)
        f = super()._tearDownPreviousClass
        if prev is not None and test.__class__ is not prev:
            self._fix("tearDownClass", prev.__module__ + "." + prev.__qualname__, f, test, result)
        else:
            f(test, result)

    def _handleModuleFixture(self, test, result):
        f = super()._handleModuleFixture
        if self._get_previous_module(result) != test.__class__.__module__:
            self._fix("setUpModule", test.__class__.__module__, f, test, result)
        else:
            f(test, result)

    def _handleModuleTearDown(self, result):
        self._fix("tearDownModule", "", super()._handleModuleTearDown, result)


def flatten(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite) or hasattr(t, "__iter__"):
            yield from flatten(t)
        else:
            yield t


def compat(support):
    """Lets the 3.13 copies of test packages (--extra) load on older versions."""
    import inspect

    if not hasattr(support, "Py_GIL_DISABLED"):
        support.Py_GIL_DISABLED = False
    if not hasattr(support, "requires_gil_enabled"):
        support.requires_gil_enabled = lambda msg="": lambda obj: obj
    for n in ("check_sanitizer", "skip_if_sanitizer"):
        f = getattr(support, n)
        if "thread" in inspect.signature(f).parameters:
            continue

        def g(*a, thread=False, _f=f, _n=n, **k):
            if not any(k.get(x) for x in ("address", "memory", "ub")):
                return False if _n == "check_sanitizer" else (lambda obj: obj)
            return _f(*a, **k)

        setattr(support, n, g)


def main():
    faulthandler.enable(file=open(CFG["fault"], "a"))
    os.chdir(CFG["cwd"])
    emit(e="probe", at="start", p=probe(), py=sys.version.split()[0])
    import test

    for d in CFG["extra"]:
        test.__path__.append(d)
    from test import support

    support.use_resources = list(CFG["resources"])
    support.verbose = 1
    support.junit_xml_list = None
    compat(support)
    name = MOD if MOD.startswith("test.") else "test." + MOD
    emit(e="import", n=name)
    try:
        __import__(name)
        mod = sys.modules[name]
        suite = unittest.TestLoader().loadTestsFromModule(mod)
    except unittest.SkipTest as e:
        emit(e="modskip", m=str(e)[:200])
        return
    except BaseException:
        err = sys.exc_info()
        traceback.print_exc()
        emit(e="moderror", m=brief(err))
        return
    seen = {}
    tests, plan = [], []
    skip = set(CFG["skip"])
    only = CFG.get("only")
    for t in flatten(suite):
        k = t.id()
        if k.startswith(name + "."):
            k = k[len(name) + 1 :]
        n = seen[k] = seen.get(k, 0) + 1
        if n > 1:
            k += "#%d" % n
        plan.append(k)
        if k not in skip and (only is None or any(fnmatch.fnmatchcase(k, x) for x in only)):
            Result.keys[id(t)] = k
            tests.append(t)
    emit(e="plan", keys=plan)
    if CFG["tags"]:
        wrap_mp()
        sys.addaudithook(_audit)
    keep = list(tests)  # ids must stay unique while we run
    res = Result()
    Suite(tests).run(res)
    Tags.cur = set()
    del keep
    try:
        p = probe()
    except BaseException as e:
        p = {"error": repr(e)[:200]}
    emit(
        e="probe",
        at="end",
        p=p,
        most=res.most_os_threads,
        env=bool(getattr(support, "environment_altered", False)),
    )
    emit(e="done")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
