"""SQLAlchemy 2.0.46, event.remove: it races a listen of the same function, which then is called, but is
not known and cannot be removed.

Expected: assertion
"""

from threading import Thread

from sqlalchemy import event, pool


def on_close(connection, record):
    called.append("closed")


target, called = pool.NullPool(dict), []
event.listen(target, "close", on_close)
threads = [Thread(target=change, args=(target, "close", on_close)) for change in (event.remove, event.listen)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
target.dispatch.close(None, None)
assert event.contains(target, "close", on_close) == bool(called), f"called {called} but not known"
