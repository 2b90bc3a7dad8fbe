"""What takes long in C runs on a kernel thread, from the size on where that pays; answers stay the same."""

import pytest

from tests.support import run_code
from weft.stdlib.long_calls import (
    BIG,
    COMPRESS,
    COMPRESS_SLOWLY,
    DECOMPRESS,
    DECOMPRESS_SLOWLY,
    MIXED,
    ROUNDS,
)

# What the calls are made with in the end tells on which kernel thread.
HEAD = """
import os, tempfile, threading, time, weft.stdlib.long_calls as long_calls
from weft.host import threads as kernel
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
folder = tempfile.mkdtemp()
fd = os.open(os.path.join(folder, "a"), os.O_RDWR | os.O_CREAT)
out = os.open(os.path.join(folder, "b"), os.O_RDWR | os.O_CREAT)
here, moved = kernel.get_native_id(), []
class Spy:
    def __init__(self): self.real = long_calls.offload_if_others
    def __call__(self, function, *args, **kwargs):
        def inside(): moved.append(kernel.get_native_id() != here); return function(*args, **kwargs)
        return self.real(inside)
long_calls.offload_if_others = Spy()
"""


def run(code: str) -> list[str]:
    return run_code(HEAD + code, timeout=60).check().stdout.splitlines()


@pytest.mark.parametrize(
    "call", ["os.fsync(fd)", "os.fdatasync(fd)", "os.sync()", "os.system('exit 3') >> 8"]
)
def test_what_waits_always_goes(call: str) -> None:
    code = f"print({call}, moved)"
    result = "3" if "system" in call else "None"
    assert run(code) == [f"{result} [True]"]


@pytest.mark.parametrize("size", [BIG - 1, BIG])
def test_big_pieces_of_regular_files_go(size: int) -> None:
    code = f"""
data = os.urandom(1 << 16) * ({size} >> 16) + b"x" * ({size} & 0xffff)
def show(value): print(value, moved[:]); moved.clear()
show(os.pwrite(fd, data, 0))
show(os.pread(fd, {size}, 0) == data)
show(os.pwrite(fd, memoryview(bytearray(data)), 0))
show(os.sendfile(out, fd, 0, {size}))
show(os.pread(out, 1 << 30, 0) == data)
show(os.copy_file_range(fd, out, {size}, 0))
show(long_calls.offload_if_big(pow, fd, {size}, 2, 5))
"""
    went = f"[{size >= BIG}]" if size >= BIG else "[]"
    assert run(code) == [
        f"{size} {went}",
        f"True {went}",
        f"{size} {went}",
        f"{size} {went}",
        "True [True]",
        f"{size} {went}",
        f"32 {went}",
    ]


def test_what_is_no_regular_file_stays() -> None:
    code = f"""
r, w = os.pipe()
print(long_calls.offload_if_big(os.write, w, {BIG}, w, b"x"), os.read(r, 1), moved)
for bad in (-1, 10**6, 10**30, "x", None):
    for call in (lambda: os.pread(bad, {BIG}, 0), lambda: os.pwrite(bad, b"x", 0), lambda: os.fsync(bad),
                 lambda: os.sendfile(bad, bad, 0, {BIG}), lambda: os.pread(fd, -1, 0),
                 lambda: os.pread(fd, "x", 0), lambda: os.pwrite(fd, "text", 0), lambda: os.pwrite(fd, 3, 0)):
        try: call()
        except Exception as error: print(type(error).__name__, error)
"""
    ours = run(code)
    plain = run_code(
        HEAD + code.replace("long_calls.offload_if_big(os.write, w, 4194304, ", "os.write("), model=None
    )
    assert ours[0] == "1 b'x' []"
    assert ours[1:] == plain.check().stdout.splitlines()[1:]


@pytest.mark.parametrize(
    ("call", "goes"),
    [
        (f"hashlib.pbkdf2_hmac('sha256', b'p', b's', {ROUNDS - 1})", False),
        (f"hashlib.pbkdf2_hmac('sha256', b'p', b's', {ROUNDS})", True),
        (f"hashlib.pbkdf2_hmac('sha256', b'p', b's', iterations={ROUNDS}, dklen=8)", True),
        (f"hashlib.scrypt(b'p', salt=b's', n={MIXED // 2}, r=1, p=1)", False),
        (f"hashlib.scrypt(b'p', salt=b's', n={MIXED // 8}, r=8, p=1)", True),
        (f"zlib.compress(d[:{COMPRESS - 1}])", False),
        (f"zlib.compress(d[:{COMPRESS}], level=1)", True),
        (f"zlib.compress(memoryview(d)[:{COMPRESS}])", True),
        (f"zlib.decompress(zlib.compress(r[:{DECOMPRESS}], 0))[:9]", True),
        ("zlib.decompress(z)", False),
        (f"bz2.compress(data=d[:{COMPRESS_SLOWLY}])", True),
        (f"bz2.compress(d[:{COMPRESS_SLOWLY - 1}])", False),
        ("bz2.decompress(b)", True),
        (f"lzma.compress(d[:{COMPRESS_SLOWLY}])", True),
        ("lzma.decompress(l)", True),
        ("lzma.decompress(lzma.compress(b'x'))", False),
    ],
)
def test_long_computations_go(call: str, goes: bool) -> None:
    code = f"""
import bz2, hashlib, lzma, random, zlib
r = random.Random(5).randbytes({DECOMPRESS})
d = bytes(range(256)) * 2048
z, part = zlib.compress(d[:100]), r[:{DECOMPRESS_SLOWLY}]
b, l = bz2.compress(part), lzma.compress(part)
moved.clear()
value = {call}
print(hash(value) != 0, moved[-1:], hashlib.sha256(value).hexdigest())
"""
    ours, plain = run(code), run_code(HEAD + code, model=None, timeout=60).check().stdout.splitlines()
    assert ours[0].split("]")[0] == ("True [True" if goes else "True [")
    assert ours[0].split()[-1] == plain[0].split()[-1]


def test_errors_of_long_computations_are_cpython_s() -> None:
    code = """
import bz2, hashlib, lzma, zlib
for call in (lambda: hashlib.pbkdf2_hmac("nope", b"", b"", 10**6),
             lambda: hashlib.pbkdf2_hmac("sha1", b"", b"", -1), lambda: hashlib.pbkdf2_hmac("sha1", b"", b""),
             lambda: hashlib.scrypt(b"", salt=b"", n=3, r=1, p=9**9),
             lambda: hashlib.scrypt(b"", n=2), lambda: zlib.compress("x"), lambda: zlib.compress(),
             lambda: zlib.decompress(b"x" * 10**6), lambda: bz2.decompress(b"x" * 10**6),
             lambda: lzma.decompress(b"x" * 10**6), lambda: lzma.compress(3)):
    try: print(call())
    except Exception as error: print(type(error).__name__, error)
"""
    assert run(code) == run_code(HEAD + code, model=None).check().stdout.splitlines()


def test_alone_a_program_calls_on_the_spot() -> None:
    code = """
import os, sys, weft
from weft.host import threads
fd = os.open(sys.argv[0], os.O_RDWR)
os.fsync(fd)
print(len(os.listdir("/proc/self/task")))
"""
    assert run_code(code, options=("--no-ps",)).check().stdout == "1\n"


def test_a_copy_of_a_big_file_lets_the_others_run() -> None:
    code = """
import shutil
with open(os.path.join(folder, "big"), "wb") as file: file.truncate(64 << 20)
shutil.copyfile(os.path.join(folder, "big"), os.path.join(folder, "copy"))
print(os.path.getsize(os.path.join(folder, "copy")) == 64 << 20, any(moved))
"""
    assert run(code) == ["True True"]
