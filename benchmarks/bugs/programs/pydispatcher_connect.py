"""PyDispatcher 2.0.7, dispatcher.connect: two threads connect receivers to one signal of one sender, and
one of them is never called.

Expected: assertion
"""

from threading import Thread

from pydispatch import dispatcher

called, sender = [], object()
receivers = [lambda: called.append("first"), lambda: called.append("second")]
threads = [Thread(target=dispatcher.connect, args=(receiver, "changed", sender)) for receiver in receivers]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
dispatcher.send("changed", sender)
assert sorted(called) == ["first", "second"], f"called: {called}"
