"""pykka 4.4.1, ActorRef.tell: it finds the actor alive and puts the message in the inbox of one that has
stopped; nobody reads it.

Expected: assertion
"""

from threading import Thread

import pykka


class Counter(pykka.ThreadingActor):
    def on_receive(self, message):
        seen.append(message)


seen, told = [], []
counter = Counter.start()
stopper = Thread(target=counter.stop)
stopper.start()
try:
    counter.tell("one")
    told.append("one")
except pykka.ActorDeadError:
    pass
stopper.join()
assert seen == told, f"told {told}, the actor got {seen}"
