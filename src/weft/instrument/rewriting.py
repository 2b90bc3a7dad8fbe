"""Source in, code out: rewritten, numbered, and kept on disk for the next time.

What is kept counts the accesses of a module from 0; they get their numbers in this process when it is used.
"""

import ast
import marshal
import os
import types
from collections.abc import Callable
from typing import Any

from weft.config import cache_folder
from weft.host.digests import sha256
from weft.host.platform import MAGIC
from weft.instrument import expressions, flow, scopes, seams, statements
from weft.instrument.expressions import MARK
from weft.instrument.points import Site, add_sites
from weft.instrument.statements import Rewriter

__all__ = ["compile_module"]

HEAD = b"weft code 2\n"
DIGEST = 32  # bytes of a sha256
MOST_KEPT = 64_000_000  # bytes; no module comes near it

Parse = Callable[[bytes, str], ast.Module]
Kept = tuple[Any, Any, Any, types.CodeType]


def compile_module(
    source: bytes, filename: str, main: bool = False, parse: Parse | None = None, settings: str = ""
) -> types.CodeType:
    """The code of a rewritten module.

    Args:
        source: as it stands in the file.
        filename: where.
        main: whether the module's own level is rewritten too.
        parse: makes the tree, where another rewriter comes first.
        settings: all that makes a difference to it.

    Raises:
        SyntaxError: as the compiler does.
    """
    path = _path(source, filename, f"{main} {settings}")
    kept = _load(path)
    if kept is None:
        kept = _make(source, filename, main, parse or _parse)
        _store(path, kept)
    found, flows, decisions, code = kept
    base = add_sites(filename, (Site(*one) for one in found), flows, decisions)
    return _numbered(code, base)


def _parse(source: bytes, filename: str) -> ast.Module:
    return ast.parse(source, filename)


def _make(source: bytes, filename: str, main: bool, parse: Parse) -> Kept:
    tree = parse(source, filename)
    rewriter = Rewriter(tree, filename, _text(source), main)
    code = compile(rewriter.rewritten(), filename, "exec", dont_inherit=True)
    flows, decisions = (
        {write: tuple(sorted(reads)) for write, reads in found.items()}
        for found in (rewriter.flows, rewriter.decisions)
    )
    return rewriter.places.found, flows, decisions, code


def _text(source: bytes) -> str:
    """For showing; what cannot be read so is shown with marks."""
    if source[:3] == b"\xef\xbb\xbf":
        source = source[3:]
    return source.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\x0c", " ")


def _numbered(code: types.CodeType, base: int) -> types.CodeType:
    """The same code with the numbers that its accesses have in this process."""
    constants = tuple(
        base + value[1]
        if type(value) is tuple and len(value) == 2 and value[0] == MARK
        else _numbered(value, base)
        if type(value) is types.CodeType
        else value
        for value in code.co_consts
    )
    return code.replace(co_consts=constants)


# ---- the cache


def _own_digest() -> bytes:
    """Of the rewriter itself: what another version of it made is not for us."""
    digest = sha256(MAGIC)
    for module in (expressions, flow, scopes, seams, statements):
        try:
            with open(str(module.__file__), "rb") as file:
                digest.update(file.read())
        except OSError:  # run from an archive, which has one version
            digest.update(module.__name__.encode())
    return digest.digest()


_OWN = _own_digest()


def _path(source: bytes, filename: str, settings: str) -> str | None:
    folder = cache_folder()
    if folder is None:
        return None
    digest = sha256(_OWN)
    for part in (source, os.fsencode(filename), settings.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return os.path.join(folder, "code", digest.hexdigest())


def _load(path: str | None) -> Kept | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_KEPT)
    except OSError:
        return None
    body = data[len(HEAD) + DIGEST :]
    if not data.startswith(HEAD) or sha256(body).digest() != data[len(HEAD) : len(HEAD) + DIGEST]:
        return None
    try:
        kept = marshal.loads(body)  # noqa: S302 - of our own making, by its digest, as CPython's are
    except (EOFError, ValueError, TypeError):
        return None
    found, flows, decisions, code = kept
    return found, flows, decisions, code


def _store(path: str | None, kept: Kept) -> None:
    """Keep it, whole or not at all; a folder that cannot be written is no error."""
    if path is None:
        return
    body = marshal.dumps(kept)
    beside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(beside, "wb") as file:
            file.write(HEAD + sha256(body).digest() + body)
        os.replace(beside, path)
    except OSError:
        pass
