"""pykka 4.4.1, ActorRef.ask: it finds the actor alive and asks one that has stopped, and waits for the
answer for ever.

Expected: deadlock
"""

from threading import Thread

import pykka


class Echo(pykka.ThreadingActor):
    def on_receive(self, message):
        return message


echo = Echo.start()
Thread(target=echo.stop).start()
try:
    echo.ask("anybody there?")
except pykka.ActorDeadError:
    pass
