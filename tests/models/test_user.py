"""The user model: very many threads, and what each thread has of its own."""

from textwrap import dedent

import pytest

from tests.models.programs import user
from tests.support import run_code

# -- very many --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "count",
    [10_000, pytest.param(100_000, marks=pytest.mark.slow), pytest.param(1_000_000, marks=pytest.mark.slow)],
)
def test_threads_one_after_another_cost_no_memory_and_no_worker(count: int) -> None:
    code = f"""
        def work(): pass
        def wait(): time.sleep(0)
        def one(target):
            t = threading.Thread(target=target)
            t.start()
            t.join()
        for _ in range(1000): one(work); one(wait)
        before, had = rss(), workers()
        for n in range({count} // 2):
            one(work)
            one(wait)
        grown = rss() - before
        print(workers() - had, grown < 4e6 or grown, len(weft.threads()), threading.active_count())
    """
    assert user(code, timeout=110) == "0 True 1 1\n"


def test_20_000_can_be_parked_at_once() -> None:
    code = """
        go, count = threading.Event(), 20_000
        before = rss()
        threads = [threading.Thread(target=go.wait) for _ in range(count)]
        for t in threads: t.start()
        until(lambda: len(weft.threads()) == count + 1 and all(t.on is go for t in weft.threads()[1:]), 30)
        assert weft.threads()[-1].wait.reason is weft.WaitReason.EVENT
        each = (rss() - before) / count
        go.set()
        for t in threads: t.join()
        print(each < 12_000 or each, len(weft.threads()))
    """
    assert user(code, timeout=110) == "True 1\n"


def test_spare_workers_are_used_again_and_not_kept_without_end() -> None:
    code = """
        from weft.models.loop import SPARES
        go = threading.Event()
        def crowd(n):
            go.clear()
            threads = [threading.Thread(target=go.wait) for _ in range(n)]
            for t in threads: t.start()
            until(lambda: sum(b.on is go for b in weft.threads()) == n)
            go.set()
            for t in threads: t.join()
        crowd(50)
        had = workers()
        for _ in range(5): crowd(50)
        print(workers() - had)
        crowd(SPARES + 500)
        time.sleep(0.01)
        import gc; gc.collect()
        print(workers() <= SPARES + 10 or workers())
    """
    assert user(code) == "0\nTrue\n"


def test_a_chain_of_threads_that_start_each_other_is_as_deep_as_one_likes() -> None:
    code = """
        def grow(n):
            if n:
                t = threading.Thread(target=grow, args=(n - 1,))
                t.start()
                t.join()
        grow(3000)
        print("done")
    """
    assert user(code) == "done\n"


# -- what a thread has of its own -------------------------------------------------------------------------


def test_recursion_is_counted_for_each_thread() -> None:
    code = """
        def deep(n):
            return 0 if n == 0 else 1 + deep(n - 1)
        results = []
        def work(n):
            time.sleep(0)
            results.append(deep(n))
        def endless(n=0):
            time.sleep(0) if n % 100 == 0 else None
            return endless(n + 1)
        def overflow():
            try: endless()
            except RecursionError: results.append("RecursionError")
        limit = sys.getrecursionlimit()
        threads = [threading.Thread(target=work, args=(limit - 100,)) for _ in range(5)]
        threads += [threading.Thread(target=overflow) for _ in range(2)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(sorted(map(str, results)) == sorted([str(limit - 100)] * 5 + ["RecursionError"] * 2))
    """
    assert user(code) == "True\n"


def test_a_thread_that_parks_deep_down_leaves_the_depth_of_others_alone() -> None:
    code = """
        go, go2 = threading.Event(), threading.Event()
        def down(n, then): return then() if n == 0 else down(n - 1, then)
        half = sys.getrecursionlimit() * 7 // 10
        threads = [threading.Thread(target=down, args=(half, go.wait)) for _ in range(20)]
        for t in threads: t.start()
        until(lambda: sum(b.on is go for b in weft.threads()) == 20)
        print(down(half, lambda: "main too"))
        go.set()
        for t in threads: t.join()
    """
    assert user(code) == "main too\n"


def test_an_exception_that_is_handled_belongs_to_its_thread() -> None:
    code = """
        seen = []
        def work(n):
            try:
                raise ValueError(n)
            except ValueError:
                for _ in range(20):
                    time.sleep(0)
                    seen.append(sys.exc_info()[1].args == (n,))
                try:
                    raise KeyError(n)
                except KeyError as error:
                    time.sleep(0)
                    seen.append(error.__context__.args == (n,))
            time.sleep(0)
            seen.append(sys.exc_info() == (None, None, None))
        threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
        for t in threads: t.start()
        try:
            raise OSError("main")
        except OSError as error:
            for t in threads: t.join()
            print(sys.exc_info()[1] is error)
        print(len(seen), all(seen))
    """
    assert user(code) == "True\n110 True\n"


def test_an_exception_handled_when_a_thread_is_started_is_not_its_context() -> None:
    code = """
        seen = []
        def work():
            seen.append(sys.exc_info()[1])
            try: raise KeyError
            except KeyError as error: seen.append(error.__context__)
        for _ in range(2):
            try:
                raise ValueError
            except ValueError:
                t = threading.Thread(target=work)
                t.start()
                t.join()
        print(seen)
    """
    assert user(code) == "[None, None, None, None]\n"


def test_contexts_are_kept_apart_and_begin_empty() -> None:
    code = """
        import contextvars
        var = contextvars.ContextVar("var")
        var.set("main")
        bad = []
        inherits = getattr(sys.flags, "thread_inherit_context", False)
        def work(n):
            if not inherits and var.get(None) is not None: bad.append(("begin", n, var.get()))
            token = var.set(n)
            for _ in range(10):
                time.sleep(0)
                if var.get() != n: bad.append((n, var.get()))
            contextvars.copy_context().run(lambda: (var.set("inner"), time.sleep(0)))
            if var.get() != n: bad.append((n, var.get()))
            var.reset(token)
        for _ in range(2):
            threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
            for t in threads: t.start()
            for t in threads: t.join()
        print(bad, var.get())
    """
    assert user(code) == "[] main\n"


def test_decimal_contexts_and_locals_are_kept_apart() -> None:
    code = """
        import decimal
        mine, bad = threading.local(), []
        def work(n):
            mine.n = n
            decimal.getcontext().prec = n + 5
            for _ in range(10):
                time.sleep(0)
                if mine.n != n or decimal.getcontext().prec != n + 5: bad.append(n)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(bad, hasattr(mine, "n"), decimal.getcontext().prec)
    """
    assert user(code) == "[] False 28\n"


def test_generators_and_coroutines_may_cross_a_switch() -> None:
    code = """
        import asyncio
        def numbers():
            for n in range(5):
                time.sleep(0)
                yield n
        async def main():
            await asyncio.sleep(0.001)
            return 42
        results = []
        threads = [threading.Thread(target=lambda: results.append(sum(numbers()))) for _ in range(3)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(results, asyncio.run(main()))
    """
    assert user(code) == "[10, 10, 10] 42\n"


# -- policies -----------------------------------------------------------------------------------------------

ORDER = """
    order = []
    def work(name):
        for _ in range(3):
            order.append(name)
            time.sleep(0)
    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for t in threads: t.start()
    for n, t in enumerate(threads): weft.set_priority(t, 3 - n)
    for t in threads: t.join()
    print("".join(order))
"""


def test_fifo_takes_threads_in_turn() -> None:
    assert user(ORDER, "--slice", "off") == "abcabcabc\n"


def test_one_s_own_policy_decides() -> None:
    policy = """
        import types
        made = types.ModuleType("made")
    """
    code = dedent(policy) + dedent("""
        import random
        class Newest:
            def __init__(self): self.ready = []
            def add(self, block): self.ready.append(block)
            def pick(self): return self.ready.pop()
            def __len__(self): return len(self.ready)
        if __name__ == "__main__":
            order = []
            ts = [threading.Thread(target=order.append, args=(n,)) for n in range(4)]
            for t in ts: t.start()
            for t in ts: t.join()
            print(order)
    """)
    assert user(code, "--policy", "program:Newest", "--slice", "off") == "[3, 2, 1, 0]\n"


def test_the_priority_policy_runs_the_smallest_first() -> None:
    code = """
        order, go = [], threading.Event()
        def work(name):
            go.wait()
            for _ in range(3):
                order.append(name)
                time.sleep(0)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for n, t in enumerate(threads):
            t.start()
            weft.set_priority(t, 3 - n)
        weft.set_priority(weft.current(), 9)
        until(lambda: sum(b.on is go for b in weft.threads()) == 3)
        go.set()
        for t in threads: t.join()
        print(order)
    """
    assert user(code, "--policy", "priority", "--slice", "off") == "[2, 2, 2, 1, 1, 1, 0, 0, 0]\n"


@pytest.mark.parametrize("policy", ["fifo", "priority", "fair"])
def test_states_are_told_under_every_policy(policy: str) -> None:
    code = """
        lock = threading.Lock()
        lock.acquire()
        def work():
            with lock: pass
        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads: t.start()
        print([b.state.value for b in weft.threads()])
        time.sleep(0.005)
        print([b.state.value for b in weft.threads()])
        lock.release()
        states = [(b.state.value, b.wait is None) for b in weft.threads()[1:]]
        print(sorted(states))
        for t in threads: t.join()
    """
    assert user(code, "--policy", policy, "--slice", "off").splitlines() == [
        "['running', 'ready', 'ready']",
        "['running', 'blocked', 'blocked']",
        "[('blocked', False), ('ready', True)]",
    ]


# -- one kernel thread --------------------------------------------------------------------------------------


def test_all_threads_share_one_kernel_thread() -> None:
    code = """
        natives, go = set(), threading.Event()
        def work():
            natives.add(threading.get_native_id())
            go.wait()
        threads = [threading.Thread(target=work) for _ in range(5)]
        for t in threads: t.start()
        until(lambda: sum(b.on is go for b in weft.threads()) == 5)
        import os
        print(natives == {threading.get_native_id()}, len(os.listdir("/proc/self/task")) <= 2)
        print({t.native_id for t in threads} == natives)
        go.set()
        for t in threads: t.join()
    """
    assert user(code, "--no-ps") == "True True\nTrue\n"


def test_nothing_spins_while_all_sleep() -> None:
    code = """
        threads = [threading.Thread(target=time.sleep, args=(0.5,)) for _ in range(100)]
        for t in threads: t.start()
        time.sleep(0.01)
        before = time.process_time()
        for t in threads: t.join()
        print(time.process_time() - before < 0.1)
    """
    assert user(code) == "True\n"


def test_a_call_that_comes_later_can_be_taken_back() -> None:
    code = """
        event, never = threading.Event(), []
        taken_back = weft.call_later(0.01, never.append, 1)
        taken_back.cancel()
        weft.call_later(0.02, event.set)
        print(event.wait(5), never)
    """
    assert user(code) == "True []\n"


def test_threads_that_have_not_begun_are_ready_and_are_told_of_in_their_order() -> None:
    code = """
        import weft
        from weft import runtime
        told, model = [], runtime.runtime().model
        threads = [threading.Thread(target=lambda: None, name=f"t{n}") for n in range(4)]
        for t in threads[:2]: t.start()
        print([weft.current().state.name] + [b.state.name for b in weft.threads() if b.name in ("t0", "t1")])
        model.listen(lambda kind, block, by: told.append((kind.name, block.name)))
        for t in threads[2:]: t.start()
        for t in threads: t.join()
        model.listen(None)
        print([name for kind, name in told if kind == "RUNNING" and name != "MainThread"])
    """
    assert user(code) == "['RUNNING', 'READY', 'READY']\n['t0', 't1', 't2', 't3']\n"


@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_a_wait_inside_a_collection_lasts_for_its_time_and_one_without_is_refused(model: str) -> None:
    code = """
        import gc, threading
        lock, ready, done, seen = threading.Lock(), threading.Event(), threading.Event(), []
        class Wanting:
            def __init__(self): self.me = self
            def __del__(self):
                seen.append(lock.acquire(timeout=0.01))
                lock.acquire()
                seen.append("not reached")
        def hold():
            with lock:
                ready.set()
                done.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        ready.wait()
        Wanting()
        gc.collect()
        done.set()
        thread.join()
        print(seen, lock.acquire(timeout=0))
    """
    ended = run_code(code, model=model).check()
    assert ended.stdout == "[False] True\n"
    assert ended.stderr.startswith("Exception ignored in: <function Wanting.__del__ ")
    assert (
        "RuntimeError: a finalizer that runs inside a garbage collection cannot wait for <locked "
        in ended.stderr
    )
