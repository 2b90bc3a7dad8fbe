"""What is told: each access once, before it is made, with what it touches."""

import builtins
import collections
import gc
import sys
import traceback
import weakref

import pytest

from tests.instrument.told import Told, listening, run, told
from weft.instrument import points
from weft.instrument.points import Access


def texts(reads: frozenset[int]) -> set[str]:
    return {points.sites[read].text for read in reads}


def writes(heard: Told, key: object) -> list[int]:
    return [site for access, _, name, site in heard.events if access == Access.WRITE and name == key]


def test_an_attribute_is_told_of_its_object() -> None:
    heard, names = told("""
        class C: pass
        o = C()
        o.a = 1
        o.b = o.a
        del o.a
        """)
    assert heard.of(names["o"]) == [("write", "a"), ("read", "a"), ("write", "b"), ("write", "a")]


def test_a_private_name_is_told_as_the_class_has_it() -> None:
    heard, names = told("""
        class _C:
            def __init__(self): self.__x = 1
        o = _C()
        """)
    assert heard.of(names["o"]) == [("write", "_C__x")]
    assert vars(names["o"]) == {"_C__x": 1}


def test_a_value_of_a_class_is_told_of_the_class() -> None:
    heard, names = told("""
        class Base: total = 0
        class C(Base): pass
        o = C()
        o.total
        C.total
        Base.total = 1
        o.total = 2
        o.total
        """)
    assert heard.of(names["Base"]) == [("behind", "total"), ("read", "total"), ("write", "total")]
    assert heard.of(names["o"]) == [("read", "total"), ("write", "total"), ("read", "total")]


def test_methods_and_properties_are_no_accesses_of_their_own() -> None:
    heard, names = told("""
        class C:
            def m(self): return 1
            @property
            def p(self): return self.m()
            @p.setter
            def p(self, value): pass
        o = C()
        o.p = o.m() + o.p
        """)
    assert heard.of(names["o"]) == []


def test_a_slot_is_told() -> None:
    heard, names = told("""
        class C: __slots__ = ("a",)
        o = C()
        o.a = 1
        o.a += 1
        """)
    assert heard.of(names["o"]) == [("write", "a"), ("read", "a"), ("write", "a")]


def test_a_global_that_functions_rebind_is_told_of_its_module() -> None:
    heard, names = told("""
        n = 0
        other = 0
        def f():
            global n
            n += other
        f()
        """)
    assert heard.of(names) == [("write", "n"), ("read", "n"), ("write", "n")]


def test_a_cell_is_told_anew_for_each_call() -> None:
    heard, names = told("""
        def make():
            n = 0
            def up():
                nonlocal n
                n += 1
                return n
            return up
        one, two = make(), make()
        one(); two()
        """)
    for name in ("one", "two"):
        cell = names[name].__closure__[0]
        assert heard.of(cell) == [("write", "n"), ("read", "n"), ("write", "n"), ("read", "n")]


def test_a_variable_that_nobody_rebinds_is_not_told() -> None:
    heard, _ = told("""
        def make(n):
            k = n
            def get(): return n + k
            return get
        make(1)()
        """)
    assert heard.events == []


def test_items_are_told_by_key_and_sequences_by_index() -> None:
    heard, names = told("""
        d, l = {}, [1, 2, 3]
        k = "k"
        d[k] = 1
        d[k + "2"] = d[k]
        d["a"], l[-1] = l[0], 5
        d[k] += 1
        del d[k]
        l[1:]
        l[::2] = [7, 8]
        """)
    assert heard.of(names["d"]) == [
        ("write", "k"),
        ("read", "k"),
        ("write", "k2"),
        ("write", "a"),
        ("read", "k"),
        ("write", "k"),
        ("write", "k"),
    ]
    assert heard.of(names["l"]) == [("read", 0), ("write", 2), ("read", None), ("write", None)]


def test_a_method_of_a_container_is_told_after_its_arguments() -> None:
    order: list[object] = []

    def argument(value: int) -> int:
        order.append("argument")
        return value

    def listener(access: int, obj: object, key: object, site: int) -> None:
        if access == Access.CALL:
            order.append(key)

    names = run("l = []\nl.append(argument(1))\nl.extend([argument(2)])", listener, argument=argument)
    assert order == ["argument", "append", "argument", "extend"]
    assert names["l"] == [1, 2]


def test_whole_containers() -> None:
    heard, names = told("""
        d = {1: 2}
        len(d)
        if d: pass
        list(d)
        1 in d
        not d
        x = d or 1
        d.pop(1)
        """)
    assert heard.of(names["d"]) == [
        *[("read", None)] * 3,
        ("read", 1),
        ("read", None),
        ("read", None),
        ("call", "pop"),
    ]


def test_each_step_over_a_container_is_told() -> None:
    heard, names = told("""
        l = [1, 2]
        for x in l: pass
        d = {1: 2}
        for k, v in d.items(): pass
        """)
    assert heard.of(names["l"]) == [("read", None)] * 3
    assert heard.of(names["d"]) == [("call", "items"), ("read", None), ("read", None)] or heard.of(
        names["d"]
    ) == [("read", None), ("read", None)]


def test_loops_tell_each_time_they_go_round() -> None:
    heard, _ = told("""
        i = 0
        while i < 3:
            i += 1
            if i == 2: continue
        for i in range(2): pass
        while True: break
        """)
    assert heard.short == [("loop", None)] * 5


def test_reflection_is_told_as_what_it_does() -> None:
    heard, names = told("""
        class C: pass
        o = C()
        setattr(o, "a", 1)
        getattr(o, "a")
        hasattr(o, "a")
        o.__dict__["a"] = 2
        vars(o)["a"]
        o.__dict__.update(b=1)
        delattr(o, "a")
        def f(): pass
        f.count = 1
        """)
    assert heard.of(names["o"]) == [
        ("write", "a"),
        ("read", "a"),
        ("read", "a"),
        ("write", "a"),
        ("read", "a"),
        ("call", "update"),
        ("write", "a"),
    ]
    assert heard.of(names["f"]) == [("write", "count")]


def test_a_finished_operation_holds_nothing() -> None:
    heard: list[int] = []
    names = run(
        """
        class C: pass
        def f(make, key):
            make().a = 1
            make()[key()] = 2
            a, make()[key()] = 1, 2
            make()[key()] += 2
            make().b += 1
            make().values.append(1)
            for x in make(): pass
            return [ref() for ref in refs]
        refs = []
        """,
        lambda access, obj, key, site: heard.append(access),
    )

    class Thing(dict):
        b = 1
        values: collections.deque[int]

    Thing.values = collections.deque()

    def make() -> Thing:
        thing = Thing(k=1)
        names["refs"].append(weakref.ref(thing))
        return thing

    with listening(lambda access, obj, key, site: heard.append(access)):
        assert names["f"](make, lambda: "k") == [None] * 7
    assert heard


def test_def_use_follows_locals() -> None:
    heard, _ = told("""
        n = 3
        def f():
            global n
            t = n
            if t: u = t - 1
            else: u = t + 1
            n = u
        def g():
            global n
            t = n
            t = 5
            n = t
        def h(d):
            d["k"] = d.get("k", 0) + 1
        f(); g(); h({})
        """)
    first, loose = writes(heard, "n")[1:]
    assert texts(points.defuse(first)) == {"n"}
    assert points.defuse(loose) == frozenset()
    assert texts(points.defuse(writes(heard, "k")[0])) == {'d.get("k", 0)'}


def test_def_use_is_of_the_same_function() -> None:
    heard, _ = told("""
        class C: n = 0
        c = C()
        def f():
            c.n = c.n + 1
            c.n += 1
        f()
        """)
    for write in writes(heard, "n"):
        (read,) = points.defuse(write)
        assert points.sites[read].function == points.sites[write].function == "f"


def test_what_decides_about_a_write() -> None:
    heard, _ = told("""
        n = m = 0
        def f():
            global n, m
            if m: n = 1
            n = 2
        def g():
            global n, m
            t = m
            if not t: return
            n = 3
        def h(xs):
            while len(xs) < 2: xs.append(1)
        def k():
            global m
            m = 1
        f(); g(); h([])
        k(); f(); g()
        """)
    loose, decided, loose_again, early = (
        write for write in writes(heard, "n") if write != writes(heard, "n")[0]
    )
    assert [texts(points.decides(site)) for site in (loose, decided, loose_again, early)] == [
        set(),
        {"m"},
        set(),
        {"m", "t"},
    ]
    append = next(site for access, _, key, site in heard.events if key == "append")
    assert texts(points.decides(append)) == {"len(xs)"}


def test_def_use_through_a_loop() -> None:
    heard, _ = told("""
        class C: n = 0
        c = C()
        def f():
            a = b = 0
            for i in range(3):
                b = a
                a = c.n
            c.n = b
        f()
        """)
    assert texts(points.defuse(writes(heard, "n")[0])) == {"c.n"}


def test_a_site_says_where_it_stands() -> None:
    heard, _ = told("class C:\n    def f(self):\n        self.é = 1; self.b = 2\nC().f()\n")
    sites = [points.sites[site] for *_, site in heard.events]
    assert [tuple(site) for site in sites] == [
        ("program.py", 3, 8, "self.é", "C.f"),
        ("program.py", 3, 20, "self.b", "C.f"),
    ]


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "o.x.y",
        "o[1][2]",
        "d['k']",
        "d[str(1)]",
        "l.remove(9)",
        "del d['k']",
        "d['k'] += 1",
        "l[9] = 1",
        "l.pop(1, 2, 3)",
    ],
)
def test_tracebacks_are_the_same(statement: str, active: bool) -> None:
    source = f"class C: x = None\n\ndef g(o, d, l):\n    {statement}\n"

    def seen(names: dict[str, object]) -> tuple[object, ...]:
        try:
            names["g"](names["C"](), {}, [1])  # type: ignore[operator]
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)[1:]
            return type(error), str(error), [(frame.name, frame.lineno) for frame in frames]
        raise AssertionError("nothing was raised")

    plain: dict[str, object] = {}
    exec(compile(source, "program.py", "exec"), plain)
    names = run(source, (lambda *_: None) if active else None)
    with listening(lambda *_: None):
        if not active:
            points.set_listener(None)
        assert seen(names) == seen(plain)


def test_the_programs_own_frame_calls_its_code() -> None:
    names = run("""
        import sys
        class C(dict):
            def __getitem__(self, key): return sys._getframe(1).f_code.co_name
            __setitem__ = lambda self, key, value: seen.append(sys._getframe(1).f_code.co_name)
            def get(self): return sys._getframe(1).f_code.co_name
            def __iadd__(self, other): return sys._getframe(1).f_code.co_name
        seen = []
        def f(c, k):
            c[k + "2"] = 1
            found = [c[k], c[k + "1"], c.get()]
            c += c
            return found + [c]
        """)
    with listening(lambda *_: None):
        assert names["f"](names["C"](), "k") == ["f"] * 4
    assert names["seen"] == ["f"]


def test_a_program_may_replace_what_we_stand_on() -> None:
    names = run("""
        import builtins
        class C: pass
        def f(l):
            kept = builtins.len, builtins.type, builtins.getattr
            builtins.len = builtins.type = builtins.getattr = None
            try:
                l[-1] = 2
                o.a = l[-1]
            finally:
                restore(kept)
            return o.a
        o = C()
        """)

    def restore(kept: tuple[object, ...]) -> None:
        builtins.len, builtins.type, builtins.getattr = kept  # type: ignore[assignment, misc]

    names["restore"] = restore
    with listening(lambda *_: None):
        assert names["f"]([1]) == 2


def test_no_code_of_the_program_runs_for_the_telling() -> None:
    names = run("""
        class Meta(type):
            def __eq__(self, other): raise AssertionError
            def __hash__(self): raise AssertionError
        class C(metaclass=Meta):
            __class__ = property(lambda self: 1 / 0)
            def __getattribute__(self, name):
                calls.append(name)
                return object.__getattribute__(self, name)
            def __eq__(self, other): raise AssertionError
            def __bool__(self): calls.append("bool"); return True
            def __len__(self): raise AssertionError
        calls = []
        def f(c):
            c.a = 1
            c.a
            if c: pass
        """)
    with listening(lambda *_: None):
        names["f"](names["C"]())
    assert names["calls"] == ["a", "bool"]


def test_a_class_that_is_gone_is_forgotten() -> None:
    names = run("def f(o):\n    o.a = 1\n    return o.a")
    with listening(lambda *_: None):
        for count in range(3):
            cls = type("C", (), {"a": count % 2})
            assert names["f"](cls()) == 1
            reference = weakref.ref(cls)
            del cls
            gc.collect()
            assert reference() is None


def test_subclasses_of_containers() -> None:
    heard, names = told(
        """
        o["a"] = 1
        o.setdefault("b", 2)
        p.append(3)
        """,
        o=collections.OrderedDict(),
        p=collections.deque(),
    )
    assert heard.of(names["o"]) == [("write", "a"), ("call", "setdefault")]
    assert heard.of(names["p"]) == [("call", "append")]


def test_with_nobody_listening_nothing_is_told() -> None:
    heard = Told()
    names = run(
        "class C: pass\ndef f(o):\n    o.a = 1\n    o.a += 1\n    return [o.a for _ in range(2)]\no = C()"
    )
    points.set_listener(heard)
    points.set_listener(None)
    assert names["f"](names["o"]) == [2, 2]
    assert heard.events == []
    assert sys.getrefcount(names["o"]) <= 3
