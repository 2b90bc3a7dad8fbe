#!/usr/bin/env python3
"""Conformance yardstick: CPython's own tests under a launcher.

  # plain CPython = the baseline (also tags tests: starts threads, sockets, child Pythons ...)
  conform.py run --launcher "PYTHON" --tags --out results/plain-3.13.json
  # a runtime under test, scored against it
  conform.py run --launcher "PYTHON -m gevent.monkey" --baseline results/plain-3.13.json --out results/gevent-3.13.json
  conform.py run --launcher "weft run --model user" --baseline ... --out ...
  conform.py retry --launcher ... --baseline ... --result results/gevent-3.13.json
  conform.py score --baseline results/plain-3.13.json --result results/gevent-3.13.json [--md]
  conform.py merge A.json B.json --out C.json      # keep as passed only what passed in both
  conform.py join A.json B.json --out C.json       # all modules of both (the later file wins)

The launcher is a command to which "runmod.py CONFIG.json" is appended, or in
which {script} and {args} are put; it must run that script as __main__ in the
process it set up.  Every module gets its own process.  A test that makes no
progress for its limit (--hang + 5 x its plain time) is recorded as hung, a
dead process as crashed; the module is then started again without the tests
already decided, so one hang does not hide the rest of the module.

A test counts only if it passed on plain CPython;
score = passed under the launcher / passed on plain.
"""

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

GROUPS = {
    # what a thread runtime is: _thread, threading, queue, pools, timers
    "core": """test_thread test_threading test_threading_local test_threadedtempfile
 test_queue test_sched
 test_importlib.test_threaded_import
 test_concurrent_futures.test_as_completed 
 test_concurrent_futures.test_future test_concurrent_futures.test_init
 test_concurrent_futures.test_process_pool 
 test_concurrent_futures.test_thread_pool test_concurrent_futures.test_wait
 """,
    # sockets, readiness, the stdlib's threaded servers and their clients
    "net": """test_timeout test_socket test_socketserver test_select test_selectors 
 test_epoll test_ssl test_httpservers test_httplib test_urllib2_localnet test_ftplib
 test_smtplib test_smtpd test_xmlrpc 
 test_telnetlib test_nntplib test_asyncore test_asynchat test_robotparser""",
    # things of the stdlib that use threads, block, or look at thread state
    "wide": """test_concurrent_futures.test_shutdown test_threadsignals test_logging test_subprocess test_signal test_contextlib test_context test_weakref
 test_io test_functools test_gc test_sys_settrace test_sys_setprofile
 test_bz2 test_hashlib 
 test_time test_eintr test_free_threading test_multiprocessing_main_handling
 test_asyncio.test_threads test_asyncio.test_runners test_asyncio.test_events
 test_asyncio.test_sock_lowlevel test_asyncio.test_streams test_asyncio.test_server
 """,
}
GROUPS = {g: s.split() for g, s in GROUPS.items()}
# Names for a choice out of the groups above (a module still belongs to one group in the scores).
CHOICES = {
    # what waits for a descriptor, a child, a signal or a peer, and must stop its own thread alone
    "waits": """test_timeout test_socket test_socketserver test_select test_selectors test_epoll test_ssl
 test_httpservers test_httplib test_urllib2_localnet test_ftplib test_smtplib test_xmlrpc
 test_subprocess test_signal test_asyncio.test_streams test_asyncio.test_sock_lowlevel
 test_asyncio.test_subprocess test_asyncio.test_server test_asyncio.test_events""".split(),
    # what `weft run` must pass: all of core, and what stands on threads, contexts and finalizers
    "threads": GROUPS["core"]
    + [
        "test_concurrent_futures.test_shutdown",
        "test_threadsignals",
        "test_contextlib",
        "test_context",
        "test_weakref",
        "test_logging",
    ],
}
GROUP_OF = {m: g for g, ms in GROUPS.items() for m in ms}
# test_timeout and test_socketserver keep everything behind the 'network' resource, although most of
# them needs only the loopback; what does need the net fails on plain and drops out.
RESOURCES_FOR = {"test_timeout": ["network"], "test_socketserver": ["network"]}
BAD = ("failed", "errored", "hung", "crashed", "notrun", "xpass")


def scrub(txt, extra=()):
    for a, b in extra:
        if a and len(a) > 3:
            txt = txt.replace(a, b)
    txt = re.sub(
        r"/(?:root|home|tmp|work|var/tmp)/[^\s'\"\])>,:]*?([^/\s'\"\])>,:]+)(?=[\s'\"\])>,:]|$)",
        r"<...>/\1",
        txt,
    )
    return re.sub(r"0x[0-9a-f]{6,}", "0x..", txt)


def session_size(sid):
    """Processes in the session sid (guards against a test turned fork bomb)."""
    n = 0
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                with open("/proc/%s/stat" % d, "rb") as f:
                    if int(f.read().rpartition(b")")[2].split()[3]) == sid:
                        n += 1
            except (OSError, ValueError, IndexError):
                pass
    return n


class ModuleRun:
    def __init__(self, args, mod, base, scratch):
        self.a, self.mod, self.base, self.scratch = args, mod, base or {}, scratch
        self.tests = {}
        self.plan = None
        self.notes = []
        self.probes = {}
        self.state = None
        self.most = 1
        self.restarts = 0
        self.fixtags = {}
        self.python = None

    def limit(self, cur):
        if cur is None:
            return self.a.hang + 15
        b = self.base.get("tests", {}).get(cur)
        return self.a.hang + 5 * (b["t"] if b else 0)

    def once(self, n):
        stem = os.path.join(self.scratch, "%s.%d" % (self.mod, n))
        ev = stem + ".events"
        cwd = stem + ".cwd"
        os.mkdir(cwd)
        cfg = {
            "module": self.mod,
            "events": ev,
            "fault": stem + ".fault",
            "cwd": cwd,
            "extra": [os.path.abspath(p) for p in self.a.extra],
            "tags": self.a.tags,
            "resources": self.a.resources.split(",") + RESOURCES_FOR.get(self.mod, []),
            "skip": sorted(self.tests),
            "only": self.a.only,
        }
        with open(stem + ".json", "w") as f:
            json.dump(cfg, f)
        open(ev, "w").close()
        script = os.path.join(HERE, "runmod.py")
        if "{script}" in self.a.launcher:
            cmd = shlex.split(
                self.a.launcher.replace("{script}", shlex.quote(script)).replace(
                    "{args}", shlex.quote(stem + ".json")
                )
            )
        else:
            cmd = shlex.split(self.a.launcher) + [script, stem + ".json"]
        env = dict(os.environ)
        env.pop("PYTHONPATH", None) if not self.a.keep_pythonpath else None
        env["TMPDIR"] = self.scratch
        log = open(stem + ".log", "wb")
        p = subprocess.Popen(
            cmd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=env, start_new_session=True
        )
        try:
            how, cur, fix, imported = self.follow(p, ev)
        except BaseException:  # stopped from outside: leave nothing running
            self.end(p, log, cwd, gently=False)
            raise
        self.end(p, log, cwd, gently=how != "fork bomb")
        return how, cur, fix, imported

    def follow(self, p, ev):
        """Reads the events until the process ends, hangs or uses up its time."""
        cur = fix = None
        imported = done = False
        buf = b""
        last = nextlook = time.monotonic()
        how = None
        with open(ev, "rb") as f:
            while True:
                chunk = f.read()
                if chunk:
                    last = time.monotonic()
                    buf += chunk
                    *lines, buf = buf.split(b"\n")
                    for ln in lines:
                        try:
                            e = json.loads(ln)
                        except ValueError:
                            continue
                        k = e["e"]
                        if k == "probe":
                            self.probes[e["at"]] = e["p"]
                            self.python = e.get("py", self.python)
                            self.most = max(self.most, e.get("most", 1))
                            if e.get("env"):
                                self.notes.append("environment altered (dangling threads or similar)")
                        elif k == "plan":
                            imported = True
                            if self.plan is None:
                                self.plan = e["keys"]
                        elif k == "start":
                            cur = e["k"]
                        elif k == "stop":
                            cur = None
                            r = {"o": e["o"], "t": e["t"]}
                            if e.get("m"):
                                r["m"] = e["m"]
                            if e.get("g"):
                                r["g"] = e["g"]
                            self.tests[e["k"]] = r
                        elif k == "fix":
                            fix = (e["w"], e["n"])
                        elif k == "fixend":
                            if e.get("g") and e["w"] == "setUpClass":
                                self.fixtags[e["n"]] = e["g"]
                            fix = None
                        elif k == "holder":
                            self.holder(e)
                        elif k in ("modskip", "moderror"):
                            self.state = "skipped" if k == "modskip" else "error"
                            self.notes.append(k + ": " + e["m"])
                            done = True
                        elif k == "done":
                            done = True
                    continue
                rc = p.poll()
                if rc is not None:
                    if f.read(1):
                        f.seek(-1, 1)
                        continue
                    if done and rc not in (0,):
                        self.notes.append("exit status %s after the tests were done" % rc)
                    how = "done" if done else "crashed rc=%s" % rc
                    break
                idle = time.monotonic() - last
                if done and idle > self.a.exit_limit:
                    self.notes.append("did not exit within %ds after the tests were done" % self.a.exit_limit)
                    how = "done"
                    break
                if not done and idle > self.limit(cur):
                    how = "hung"
                    break
                if time.monotonic() - self.t0 > self.a.limit:
                    how = "limit"
                    break
                if time.monotonic() > nextlook:
                    nextlook = time.monotonic() + 0.3
                    if session_size(p.pid) > self.a.max_procs:
                        self.notes.append(
                            "fork bomb in %s: more than %d processes" % (cur or fix, self.a.max_procs)
                        )
                        how = "fork bomb"
                        break
                time.sleep(0.1)
        return how, cur, fix, imported

    def end(self, p, log, cwd, gently):
        if not gently and p.poll() is None:
            os.killpg(p.pid, signal.SIGKILL)
        if p.poll() is None:
            try:
                os.kill(p.pid, signal.SIGABRT)  # faulthandler writes the stacks
                for _ in range(20):
                    if p.poll() is not None:
                        break
                    time.sleep(0.05)
            except ProcessLookupError:
                pass
        try:
            os.killpg(p.pid, signal.SIGKILL)  # its session only
        except (ProcessLookupError, PermissionError):
            pass
        p.wait()
        log.close()
        shutil.rmtree(cwd, ignore_errors=True)

    def holder(self, e):
        # "setUpClass (test.test_x.Class)" or "setUpModule (test.test_x)"
        m = re.match(r"(\w+) \((.*)\)", e["d"])
        what, name = m.groups() if m else ("?", e["d"])
        self.notes.append("%s %s: %s %s" % (e["o"], what, name, e["m"][:300]))
        if what in ("setUpClass", "setUpModule"):
            self.mark(name, what, e["o"] if e["o"] == "skipped" else "errored", what + ": " + e["m"])

    def mark(self, name, what, o, msg):
        full = self.mod if self.mod.startswith("test.") else "test." + self.mod
        pre = name[len(full) + 1 :] if name.startswith(full) else name
        for k in self.plan or ():
            if k not in self.tests and (what == "setUpModule" or k.startswith(pre + ".")):
                self.tests[k] = {"o": o, "t": 0, "m": msg}

    def run(self):
        self.t0 = time.monotonic()
        for n in range(self.a.restarts + 1):
            before = len(self.tests)
            how, cur, fix, imported = self.once(n)
            if how == "done":
                break
            o = "hung" if how in ("hung", "limit") else "crashed"
            if cur is not None:
                r = self.tests[cur] = {"o": o, "t": 0, "m": how}
                fault = os.path.join(self.scratch, "%s.%d.fault" % (self.mod, n))
                try:
                    with open(fault) as f:
                        fr = [l.strip() for l in f if "File" in l and "unittest" not in l]
                    r["m"] += " | " + " < ".join(
                        re.sub(r'File ".*?([^/"]+/[^/"]+)", line (\d+)', r"\1:\2", x) for x in fr[:6]
                    )
                except OSError:
                    pass
            elif fix is not None:
                self.notes.append("%s in %s %s" % (o, *fix))
                if fix[0].startswith("setUp"):
                    self.mark(fix[1], fix[0], o, fix[0])
            elif not imported:
                self.state = o + " at import"
                break
            self.restarts += 1
            if how == "limit":
                self.notes.append("module limit of %ds reached" % self.a.limit)
                break
            if len(self.tests) == before:
                self.notes.append("no progress after restart; given up")
                break
            if self.plan and all(k in self.tests for k in self.plan):
                break
        else:
            self.notes.append("restart limit reached")
        for k in self.plan or ():
            if k not in self.tests and (
                self.a.only is None or any(fnmatch.fnmatchcase(k, x) for x in self.a.only)
            ):
                self.tests[k] = {"o": "notrun", "t": 0}
        for cls, g in self.fixtags.items():
            full = (self.mod if self.mod.startswith("test.") else "test." + self.mod) + "."
            pre = (cls.removeprefix(full)) + "."
            for k, r in self.tests.items():
                if k.startswith(pre):
                    r["g"] = "".join(sorted(set(r.get("g", "")) | set(g)))
        if self.state is None:
            self.state = "ok"
        xs = [(HERE, "<here>"), (self.scratch, "<scratch>")]
        for r in self.tests.values():
            if "m" in r:
                r["m"] = scrub(r["m"], xs)[:600]
        c = {}
        for r in self.tests.values():
            c[r["o"]] = c.get(r["o"], 0) + 1
        return {
            "state": self.state,
            "seconds": round(time.monotonic() - self.t0, 1),
            "counts": c,
            "restarts": self.restarts,
            "most_os_threads": self.most,
            "notes": [scrub(x, xs) for x in self.notes],
            "probe": self.probes,
            "tests": self.tests,
        }


def load(path):
    with open(path) as f:
        return json.load(f)


def save(path, data):
    tmp = path + ".new"
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(tmp, "w") as f:
        f.write("{\n")
        f.write('"meta": %s,\n"modules": {\n' % json.dumps(data["meta"]))
        first = True
        for m, d in data["modules"].items():
            d = dict(d)
            tests = d.pop("tests")
            f.write(("" if first else ",\n") + '%s: %s, "tests": {\n' % (json.dumps(m), json.dumps(d)[:-1]))
            f.write(",\n".join(" %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in tests.items()))
            f.write("}}")
            first = False
        f.write("}}\n")
    os.replace(tmp, path)


def modules_of(names):
    out = []
    for n in names:
        out += GROUPS.get(n) or CHOICES.get(n) or [n]
    return out


def cmd_run(a):
    base = load(a.baseline) if a.baseline else None
    mods = modules_of(a.modules or ["core", "net", "wide"])
    if base and not a.modules:
        mods = [
            m
            for m in mods
            if any(t["o"] == "passed" for t in base["modules"].get(m, {"tests": {}})["tests"].values())
        ]
    scratch = tempfile.mkdtemp(prefix="conf-", dir=a.scratch)
    print("scratch:", scratch, flush=True)
    data = load(a.out) if (a.resume or a.update) and os.path.exists(a.out) else {"meta": {}, "modules": {}}
    shown = a.show or " ".join(
        os.path.basename(x) if x.startswith("/") else x for x in shlex.split(a.launcher)
    )
    data["meta"] = {
        "launcher": shown,
        "resources": a.resources,
        "hang": a.hang,
        "baseline": os.path.basename(a.baseline) if a.baseline else None,
        "python": data["meta"].get("python"),
    }
    t0 = time.monotonic()
    for m in mods:
        if a.resume and m in data["modules"]:
            continue
        b = base["modules"].get(m) if base else None
        run = ModuleRun(a, m, b, scratch)
        r = run.run()
        data["modules"][m] = r
        data["meta"]["python"] = run.python or data["meta"]["python"]
        line = "%-44s %-9s %6.1fs %s" % (m, r["state"], r["seconds"], r["counts"])
        if b:
            line += "  score %d/%d" % score_mod(b, r)[:2]
        if r["restarts"]:
            line += "  restarts %d" % r["restarts"]
        print(line, flush=True)
        save(a.out, data)
    print("total %.0fs" % (time.monotonic() - t0))
    if not a.keep:
        shutil.rmtree(scratch, ignore_errors=True)


def cmd_retry(a):
    """Once more, in a fresh process with only those tests: what counts on plain and did not pass."""
    base, data = load(a.baseline), load(a.result)
    scratch = tempfile.mkdtemp(prefix="conf-", dir=a.scratch)
    for m in modules_of(a.modules) or list(data["modules"]):
        r, b = data["modules"].get(m), base["modules"].get(m)
        if not r or not b:
            continue
        want = [
            k for k in score_mod(b, r)[2] if r["tests"].get(k, {}).get("o", "notrun") in a.outcomes.split(",")
        ]
        if not want:
            continue
        a.only = want
        n = ModuleRun(a, m, b, scratch).run()
        better = 0
        for k in want:
            t = n["tests"].get(k)
            if t and t["o"] == "passed":
                t["r"] = (
                    r["tests"].get(k, {}).get("o", "notrun")
                    + " at first: "
                    + r["tests"].get(k, {}).get("m", "")
                )[:200]
                r["tests"][k] = t
                better += 1
            elif t and r["tests"].get(k, {}).get("o", "notrun") == "notrun":
                r["tests"][k] = t
        c = {}
        for t in r["tests"].values():
            c[t["o"]] = c.get(t["o"], 0) + 1
        r["counts"] = c
        print("%-44s %d retried, %d now pass %s" % (m, len(want), better, n["counts"]), flush=True)
        save(a.result, data)
    if not a.keep:
        shutil.rmtree(scratch, ignore_errors=True)


def score_mod(b, r):
    want = [k for k, t in b["tests"].items() if t["o"] == "passed"]
    got = [k for k in want if r["tests"].get(k, {}).get("o") == "passed"]
    return len(got), len(want), want


def cmd_score(a):
    base, res = load(a.baseline), load(a.result)
    tagsrc = load(a.tags_from) if a.tags_from else base
    rows = []
    tot = {}
    cols = ("passed", "failed", "errored", "hung", "crashed", "skipped", "absent")

    def tag(m, k):
        return tagsrc["modules"].get(m, {"tests": {}})["tests"].get(k, {}).get("g", "")

    for m in modules_of(GROUPS):
        b, r = base["modules"].get(m), res["modules"].get(m)
        if not b or not r:
            continue
        g, w, want = score_mod(b, r)
        if not w:
            continue
        c = dict.fromkeys(cols, 0)
        for k in want:
            # absent: the test is not even there under the launcher (say, a class
            # made only if select.epoll exists), or its fixture kept it from running
            o = r["tests"].get(k, {}).get("o", "skipped" if r["state"] == "skipped" else "absent")
            c[{"notrun": "absent", "xpass": "failed", "xfail": "failed"}.get(o, o)] += 1
        rows.append((GROUP_OF.get(m, "?"), m, w, c, g / w, b["seconds"], r["seconds"]))
        th = [k for k in want if "t" in tag(m, k) and "c" not in tag(m, k)]
        sets = {
            "all": want,
            "group " + GROUP_OF.get(m, "?"): want,
            "all but epoll tests": [k for k in want if "epoll" not in (m + k).lower()],
            "tests that start threads in the process, no child Python": th,
            "tests that start a child Python": [k for k in want if "c" in tag(m, k)],
        }
        for s, ks in sets.items():
            t = tot.setdefault(s, [0, 0])
            t[1] += len(ks)
            t[0] += sum(r["tests"].get(k, {}).get("o") == "passed" for k in ks)
    if a.md:
        print("| group | module | counts | " + " | ".join(cols) + " | score | plain s | s |")
        print("|" + "---|" * (len(cols) + 6))
        full = []
        for g, m, w, c, s, bs, rs in rows:
            if s == 1 and not a.all:
                full.append("%s %d" % (m, w))
                continue
            print(
                "| %s | %s | %d | %s | %.1f%% | %.0f | %.0f |"
                % (g, m, w, " | ".join(str(c[x] or "") for x in cols), 100 * s, bs, rs)
            )
        if full:
            print("\nAll counted tests pass (module, count): " + ", ".join(full) + ".")
        print("\n| set | passed | counts | score |\n|---|---|---|---|")
        for s, (x, y) in tot.items():
            print("| %s | %d | %d | %.2f%% |" % (s, x, y, 100.0 * x / max(1, y)))
    else:
        for g, m, w, c, s, bs, rs in rows:
            print(
                "%-5s %-42s %5d %6.1f%% %s %.0fs/%.0fs"
                % (g, m, w, 100 * s, {k: v for k, v in c.items() if v and k != "passed"}, rs, bs)
            )
        for s, (x, y) in tot.items():
            print("%-58s %d / %d = %.2f%%" % (s, x, y, 100.0 * x / max(1, y)))
    if a.failures:
        for g, m, w, c, s, bs, rs in rows:
            for k in score_mod(base["modules"][m], res["modules"][m])[2]:
                t = res["modules"][m]["tests"].get(k, {"o": "absent"})
                if t["o"] != "passed":
                    print("%s.%s  %s  %s" % (m, k, t["o"], t.get("m", "")[: a.width]))


def cmd_plain(a):
    """A Markdown table of baselines: module x version."""
    ds = [load(p) for p in a.files]
    names = [os.path.basename(p)[:-5] for p in a.files]
    print("Cells: run / passed / failed+errored+hung / skipped, seconds.\n")
    print("| group | module | " + " | ".join(names) + " |")
    print("|" + "---|" * (len(ds) + 2))
    sums = [[0] * 5 for _ in ds]
    for m in modules_of(GROUPS):
        cells = []
        for n, d in enumerate(ds):
            r = d["modules"].get(m)
            if not r or not r["tests"]:
                cells.append("-" if not r or r["state"] == "error" else r["state"])
                continue
            c = r["counts"]
            v = [
                len(r["tests"]),
                c.get("passed", 0),
                sum(c.get(x, 0) for x in BAD),
                c.get("skipped", 0),
                r["seconds"],
            ]
            sums[n] = [x + y for x, y in zip(sums[n], v)]
            cells.append("%d / %d / %d / %d, %.0f s" % tuple(v))
        if any(x != "-" for x in cells):
            print("| %s | %s | %s |" % (GROUP_OF[m], m, " | ".join(cells)))
    print("| | **all** | " + " | ".join("%d / %d / %d / %d, %.0f s" % tuple(v) for v in sums) + " |")


def cmd_merge(a):
    first = load(a.files[0])
    for p in a.files[1:]:
        d = load(p)
        for m, r in first["modules"].items():
            o = d["modules"].get(m)
            if not o:
                continue
            for k, t in r["tests"].items():
                u = o["tests"].get(k)
                if t["o"] == "passed" and (u is None or u["o"] != "passed"):
                    t["o"], t["m"] = (
                        "flaky",
                        "not passed in every plain run: " + (u or {}).get("m", "missing"),
                    )
                elif u:
                    t["t"] = max(t["t"], u["t"])
            c = {}
            for t in r["tests"].values():
                c[t["o"]] = c.get(t["o"], 0) + 1
            r["counts"] = c
    save(a.out, first)


def cmd_join(a):
    first = load(a.files[0])
    for p in a.files[1:]:
        first["modules"].update(load(p)["modules"])
    order = modules_of(GROUPS)
    first["modules"] = dict(
        sorted(first["modules"].items(), key=lambda x: order.index(x[0]) if x[0] in order else 999)
    )
    save(a.out, first)


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(dest="cmd", required=True)
    common = argparse.ArgumentParser(add_help=False)
    o = common.add_argument
    o("--launcher", required=True)
    o("--resources", default="cpu,subprocess,walltime")
    o("--extra", action="append", default=[], help="directory added to test.__path__")
    o("--hang", type=float, default=20)
    o("--exit-limit", type=float, default=15)
    o("--limit", type=float, default=600, help="seconds for one module, restarts included")
    o("--restarts", type=int, default=40)
    o("--max-procs", type=int, default=120)
    o("--scratch", default=None)
    o("--keep", action="store_true", help="leave the scratch folder, with each module's output, where it is")
    o("--keep-pythonpath", action="store_true")
    o("--tags", action="store_true")
    p = sub.add_parser("run", parents=[common])
    p.add_argument("--show", help="how the launcher is named in the JSON (no machine paths)")
    p.add_argument("--out", required=True)
    p.add_argument("--baseline")
    p.add_argument("--resume", action="store_true", help="keep the modules already in --out")
    p.add_argument("--update", action="store_true", help="replace only the named modules in --out")
    p.add_argument(
        "--only",
        action="append",
        help="run only these tests of the module(s): Class.test_x or a pattern, Class.*",
    )
    p.add_argument("modules", nargs="*", help="modules or groups: " + ", ".join([*GROUPS, *CHOICES]))
    r = sub.add_parser("retry", parents=[common])
    r.add_argument("--baseline", required=True)
    r.add_argument("--result", required=True)
    r.add_argument("--outcomes", default="failed,errored,crashed,notrun,hung,xpass")
    r.add_argument("modules", nargs="*")
    p = sub.add_parser("score")
    p.add_argument("--baseline", required=True)
    p.add_argument("--result", required=True)
    p.add_argument("--md", action="store_true")
    p.add_argument("--failures", action="store_true")
    p.add_argument("--width", type=int, default=200)
    p.add_argument("--all", action="store_true", help="with --md: rows for the modules at 100%% too")
    p.add_argument(
        "--tags-from", help="baseline whose tags to use (3.11 has no audit event for thread starts)"
    )
    p = sub.add_parser("plain")
    p.add_argument("files", nargs="+")
    p = sub.add_parser("join")
    p.add_argument("files", nargs="+")
    p.add_argument("--out", required=True)
    p = sub.add_parser("merge")
    p.add_argument("files", nargs="+")
    p.add_argument("--out", required=True)
    return ap


def main():
    a = parser().parse_args()
    # A background shell or nohup leaves these ignored, and children inherit that:
    # the tests must see the default actions.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    {
        "run": cmd_run,
        "score": cmd_score,
        "merge": cmd_merge,
        "join": cmd_join,
        "retry": cmd_retry,
        "plain": cmd_plain,
    }[a.cmd](a)


if __name__ == "__main__":
    main()
