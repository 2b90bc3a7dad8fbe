"""TLS on user threads, where weft promises more than CPython: a close wakes who waits, writers take turns."""

import textwrap
from pathlib import Path

from tests.support import run_code

HEAD = """
    import socket, ssl, sys, threading, time
    sys.path.insert(0, ROOT)
    from tests.stdlib.bodies.tls import BLOCK, client_context, connected, read_all, server_context, shake
    from tests.stdlib.seen import LONG, running, start, until, until_waits, waits
    from weft import WaitReason

    def said(function, *args):
        try:
            return function(*args)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
"""


def user(code: str) -> str:
    """What the program prints; it must end well and without complaint."""
    head = textwrap.dedent(HEAD).replace("ROOT", repr(str(Path(__file__).parents[2])))
    done = run_code(head + textwrap.dedent(code)).check()
    assert done.stderr == ""
    return done.stdout


def test_a_close_wakes_who_reads() -> None:
    assert (
        user("""
            with connected() as (far, near):
                reader = start(lambda: print(said(near.recv, 10)))
                wait = until_waits(reader, reason=WaitReason.DESCRIPTOR)
                near.close()
                reader.join()
        """)
        == "OSError: [Errno 9] Bad file descriptor\n"
    )


def test_a_close_wakes_who_shakes_hands() -> None:
    assert (
        user("""
            one, other = socket.socketpair()
            near = client_context().wrap_socket(
                other, server_hostname="localhost", do_handshake_on_connect=False)
            shaker = start(lambda: print(said(near._sslobj.do_handshake)))
            until_waits(shaker, reason=WaitReason.DESCRIPTOR)
            near.close()
            shaker.join()
            one.close()
        """)
        == "SSLError: ('_ssl.c: Underlying socket has been closed.',)\n"
    )


def test_a_close_wakes_who_writes() -> None:
    assert (
        user("""
            with connected() as (far, near):
                writers = [start(lambda: print(said(near.sendall, BLOCK))) for _ in range(2)]
                # Either may have its turn: a slice may end between the first one's pieces.
                until(lambda: any(waits(each, WaitReason.DESCRIPTOR) for each in writers))
                until_waits(*writers)
                near.close()
                for writer in writers:
                    writer.join()
        """).count("closed")
        == 2
    )


def test_one_thread_reads_and_another_writes_on_both_ends() -> None:
    assert (
        user("""
            got = {}
            with connected() as (far, near):
                def take(name, connection):
                    got[name] = read_all(connection, len(BLOCK))

                with running(
                    lambda: take("far", far),
                    lambda: take("near", near),
                    lambda: far.sendall(BLOCK),
                    lambda: near.sendall(BLOCK),
                ):
                    pass
            print(got == {"far": BLOCK, "near": BLOCK})
        """)
        == "True\n"
    )


def test_two_readers_share_what_comes() -> None:
    """What one leaves of a record is in OpenSSL: no descriptor tells the other of it."""
    assert (
        user("""
            ends = []
            with connected() as (far, near):
                reader = start(lambda: ends.append(near.recv(2)))
                until_waits(reader, reason=WaitReason.DESCRIPTOR)
                far.sendall(b"abcd")
                ends.append(near.recv(2))  # before anybody has looked at descriptors
                reader.join()
            print(ends)
        """)
        == "[b'ab', b'cd']\n"
    )


def test_two_writers_do_not_mix_their_records() -> None:
    """OpenSSL takes the rest of one thread's unfinished record for the beginning of another's."""
    assert (
        user("""
            LENGTHS = (9000, 12000, 15000, 16000)
            with connected() as (far, near):
                def write(letter, length):
                    for _ in range(60):
                        assert near.send(letter * length) == length  # one record

                got = []
                def read():
                    left = 60 * sum(LENGTHS)
                    while left:
                        got.append(far.recv(16384))
                        left -= len(got[-1])
                        time.sleep(0)

                reader = start(read)
                with running(*(lambda i=i: write(b"abcd"[i:i + 1], LENGTHS[i]) for i in range(4))):
                    pass
                reader.join()
                assert all(len(set(part)) == 1 for part in got)
                print([b"".join(got).count(b"abcd"[i:i + 1]) // LENGTHS[i] for i in range(4)])
        """)
        == "[60, 60, 60, 60]\n"
    )


def test_a_second_thread_waits_until_a_callback_is_over() -> None:
    """OpenSSL is in the middle of the handshake while the callback waits: no other call may come in."""
    assert (
        user("""
            chosen = threading.Event()
            context = server_context()
            order = []

            def choose(connection, name, old):
                order.append("callback")
                connection.version()
                chosen.wait(LONG)
                order.append("callback over")

            context.sni_callback = choose
            one, other = socket.socketpair()
            far = context.wrap_socket(one, server_side=True, do_handshake_on_connect=False)
            ends = []
            with running(far.do_handshake, lambda: ends.append(shake(other))):
                until(lambda: order)
                late = start(lambda: order.append(said(far.recv, 10)))
                until_waits(late, reason=WaitReason.EVENT)
                chosen.set()
            ends[0].send(b"x")
            late.join()
            ends[0].close()
            far.close()
            print(*order)
        """)
        == "callback callback over b'x'\n"
    )


def test_a_callback_that_spins_is_preempted() -> None:
    assert (
        user("""
            moved = []
            def choose(connection, name, old):
                begun = time.monotonic()
                while not moved and time.monotonic() - begun < LONG:
                    pass

            context = server_context()
            context.sni_callback = choose
            near, far = socket.socketpair()
            server = start(lambda: context.wrap_socket(far, server_side=True).recv(1))
            threading.Timer(0.05, moved.append, [True]).start()
            with shake(near) as connection:
                connection.send(b"x")
                server.join()
            print(moved)
        """)
        == "[True]\n"
    )


def test_a_kernel_thread_of_the_program_may_read_what_a_user_thread_writes() -> None:
    assert (
        user("""
            from weft.host import threads
            got = []
            with connected() as (far, near):
                threads.start(lambda: got.append(read_all(far, len(BLOCK))))
                near.sendall(BLOCK)
                until(lambda: got)
                print(got[0] == BLOCK)
        """)
        == "True\n"
    )


def test_a_waiting_connection_takes_no_time_of_the_processor() -> None:
    """A thread that waits for TLS is parked: it does not ask again and again."""
    assert (
        user("""
            with connected() as (far, near):
                reader = start(near.recv, 10)
                until_waits(reader, reason=WaitReason.DESCRIPTOR)
                begun = time.process_time()
                time.sleep(0.2)
                print(time.process_time() - begun < 0.1)
                far.close()
                reader.join()
        """)
        == "True\n"
    )
