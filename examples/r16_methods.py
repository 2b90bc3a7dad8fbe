"""Row 16: a thread's other methods.

What a thread can be asked: its name, its idents, whether it lives; and what the module can be asked:
which thread is this, which ones are there, how many. The old camel-case names are tried too, where the
interpreter has them.

Prints the answers before the thread starts, while it runs and after it has ended.
"""

import threading
import warnings

OLD_METHODS = {"getName": "name", "setName": "name", "isDaemon": "daemon", "isAlive": "is_alive()"}
OLD_FUNCTIONS = {"currentThread": "current_thread()", "activeCount": "active_count()"}


def describe(when: str, thread: threading.Thread) -> None:
    names = sorted(each.name for each in threading.enumerate())
    print(f"{when}:")
    print(f"  is_alive {thread.is_alive()}, name {thread.name!r}, daemon {thread.daemon}")
    print(f"  has ident {thread.ident is not None}, has native_id {thread.native_id is not None}")
    print(f"  active_count {threading.active_count()}, enumerate {names}")


def look_around(running: threading.Event, enough: threading.Event) -> None:
    me = threading.current_thread()
    me.name = "renamed"
    print(
        f"inside: current_thread {me.name!r}, ident right {me.ident == threading.get_ident()}, "
        f"native_id right {me.native_id == threading.get_native_id()}"
    )
    running.set()
    enough.wait()


def try_old_names(thread: threading.Thread) -> None:
    for owner, names in ((thread, OLD_METHODS), (threading, OLD_FUNCTIONS)):
        for old, new in names.items():
            if not hasattr(owner, old):
                print(f"  {old}: gone, now {new}")
                continue
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                getattr(owner, old)(*(["old"] if old == "setName" else []))
            print(f"  {old}: works, {'deprecated, ' if warned else ''}now {new}")


def main() -> None:
    running, enough = threading.Event(), threading.Event()
    thread = threading.Thread(target=look_around, args=(running, enough), name="first name")
    describe("before", thread)
    thread.start()
    running.wait()
    describe("running", thread)
    enough.set()
    thread.join()
    describe("after", thread)
    print("old names:")
    try_old_names(thread)


if __name__ == "__main__":
    main()
