"""Small programs made by chance, which tell what they do in order: sources for `exec`."""

from hypothesis import strategies as st

# Each name is an object whose every use is written down; `t` makes a value with a trace of its being made.
HEAD = """
trace = []
def note(what, obj, *rest): trace.append((what, obj.name, *rest))
class Traced:
    def __init__(self, name): object.__setattr__(self, 'name', name); object.__setattr__(self, 'kept', {})
    def __getattr__(self, name):
        trace.append(('get', self.name, name))
        if name not in self.kept: raise AttributeError(name)
        return self.kept[name]
    def __setattr__(self, name, value): note('set', self, name, value); self.kept[name] = value
    def __delattr__(self, name): trace.append(('del', self.name, name)); del self.kept[name]
    def __getitem__(self, key): trace.append(('item', self.name, key)); return self.kept[key]
    def __setitem__(self, key, value): note('setitem', self, key, value); self.kept[key] = value
    def __delitem__(self, key): trace.append(('delitem', self.name, key)); del self.kept[key]
    def __contains__(self, key): trace.append(('in', self.name, key)); return key in self.kept
    def __bool__(self): trace.append(('bool', self.name)); return len(self.kept) % 2 == 0
    def __len__(self): trace.append(('len', self.name)); return len(self.kept)
    def __iter__(self): trace.append(('iter', self.name)); return iter(list(self.kept))
    def get(self, *given): trace.append(('call', self.name, given)); return len(given)
    def __iadd__(self, other): trace.append(('iadd', self.name)); return self
    def __repr__(self): return self.name
def t(value): trace.append(('made', repr(value))); return value
g, h = 1, Traced('h')
"""
# Whole modules, with blank lines between: each kind of statement, and of place for an expression.
STATEMENTS = """\
async def f():
    async with a.b as c.d:
        async for x.y in z.w: await x.y
    return [i async for i in q.r]

def f(x):
    match x.a:
        case C.d | {'k': 1} if v.w: return 1
        case {'k': v, **rest}: return rest
        case [1, *more]: return more

def f(*a, k=lambda: x.y, **kw) -> T.u:
    'doc'
    x: int = a[0].b
    a.b: C.d = kw['e']
    x: int
    return x

class C(B.x, metaclass=M.y):
    a = b.c
    def f(self): return super().f().g, __class__.h
    x = [i.j for i in a.k]

def f():
    try: a.b
    except* E.f as e: raise G.h from e.i
    else: yield a.b
    finally: x = yield from a.c

def f():
    global x, y
    import x
    from a import y as y
    def x(): pass
    class y: pass
    del x, (y, a.b, a[b()])

def f():
    with a.b as (x, y.z), c[d()] as e[f()]: pass
    return a[b():c.d, ..., ::2], {**a.b, 'c': d.e}

def f():
    x = 1
    def g():
        nonlocal x
        for x, y in z: pass
        with a as x: pass
        del x

x = 1
def f(): return f'{a.b!r:>{w.x}} {a[0]} {a.b=}'
"""

TAIL = """
try: result = outer(Traced('o'), {'a': 1, 'b': [1, 2]}, [3, 1, 2])
except Exception as error: result = (type(error).__name__, str(error))
result = repr(result), repr(trace), g, repr(h.kept)
"""

atoms = st.sampled_from(["1", "2", "'a'", "'b'", "x", "y", "c", "g", "i", "None", "True"])
bases = st.sampled_from(["o", "d", "l", "h", "t(o)", "t(d)", "t(l)"])
names = st.sampled_from(["a", "b"])


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda e: f"t({e})"),
        pair.map(lambda p: f"({p[0]} + {p[1]})"),
        pair.map(lambda p: f"({p[0]} and {p[1]})"),
        pair.map(lambda p: f"({p[0]} or not {p[1]})"),
        pair.map(lambda p: f"({p[0]} if {p[1]} else {p[0]})"),
        pair.map(lambda p: f"({p[0]} == {p[1]})"),
        st.tuples(inner, bases).map(lambda p: f"({p[0]} in {p[1]})"),
        st.tuples(bases, names).map(lambda p: f"{p[0]}.{p[1]}"),
        st.tuples(bases, inner).map(lambda p: f"{p[0]}[{p[1]}]"),
        st.tuples(bases, inner).map(lambda p: f"{p[0]}.get({p[1]})"),
        st.tuples(bases, pair).map(lambda p: f"{p[0]}.get({p[1][0]}, {p[1][1]})"),
        inner.map(lambda e: f"l.append({e})"),
        inner.map(lambda e: f"getattr(o, 'a', {e})"),
        bases.map(lambda b: f"len({b})"),
        inner.map(lambda e: f"(x := {e})"),
        inner.map(lambda e: f"[{e} for i in {{'p': 1}} if {e}]"),
        inner.map(lambda e: f"list({e} for i in list(l))"),
        inner.map(lambda e: f"(lambda i: {e})(1)"),
        inner.map(lambda e: f"f'{{{e}}}'" if "'" not in e and ":=" not in e else e),
        inner.map(lambda e: f"sorted(l, key=lambda i: ({e}, 0)[1])"),
        inner.map(lambda e: f"l[{e}:2]"),
    )


expressions = st.recursive(atoms, _wider, max_leaves=6)
places = st.one_of(
    st.sampled_from(["x", "y", "c", "g"]),
    st.tuples(bases, names).map(lambda p: f"{p[0]}.{p[1]}"),
    st.tuples(bases, expressions).map(lambda p: f"{p[0]}[{p[1]}]"),
)


def _blocks(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    def under(head: str, body: list[str]) -> list[str]:
        return [head, *(f"    {line}" for line in body)]

    return st.one_of(
        st.tuples(expressions, inner, inner).map(
            lambda p: [*under(f"if {p[0]}:", p[1]), *under("else:", p[2])]
        ),
        st.tuples(places, inner).map(lambda p: under(f"for {p[0]} in [1, 2]:", [*p[1], "if t(x): continue"])),
        st.tuples(inner, expressions).map(
            # Never set back, so that loops inside one another end.
            lambda p: under(f"while (n := n + 1) < 6 or (n < 9 and {p[1]}):", p[0])
        ),
        st.tuples(inner, inner).map(
            lambda p: [*under("try:", p[0]), *under("except Exception as error:", ["t(str(error))", *p[1]])]
        ),
        inner.map(lambda body: [*under("def inner(c=c):", ["nonlocal x", *body]), "inner()"]),
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
    )


simple = st.one_of(
    expressions.map(lambda e: [e]),
    st.tuples(places, expressions).map(lambda p: [f"{p[0]} = {p[1]}"]),
    st.tuples(places, places, expressions).map(lambda p: [f"{p[0]} = {p[1]} = {p[2]}"]),
    st.tuples(places, places, expressions).map(lambda p: [f"{p[0]}, {p[1]} = t({p[2]}), 1"]),
    st.tuples(places, st.sampled_from(["+", "-", "|"]), expressions).map(
        lambda p: [f"{p[0]} {p[1]}= {p[2]}"]
    ),
    places.filter(lambda p: p not in "xycg").map(lambda p: [f"del {p}"]),
    expressions.map(lambda e: [f"assert {e}, t('no')"]),
)
bodies = st.recursive(simple, _blocks, max_leaves=6)


def program(body: list[str]) -> str:
    """A whole program: a function whose `x` and `y` are cells, `c` a parameter, `g` a global."""
    lines = [
        "def outer(o, d, l):",
        "    global g",
        "    x = y = c = i = n = 0",
        "    def second():",
        "        nonlocal x, y",
        "        x, y = y, x",
        *(f"    {line}" for line in body),
        "    second()",
        "    return x, y, c, o, d, l",
    ]
    return HEAD + "\n".join(lines) + TAIL
