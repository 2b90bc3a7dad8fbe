"""pykka 4.4.1, ActorRegistry.broadcast: an actor that stops meanwhile makes it raise, and the actors
after it get no message.

Expected: exception
"""

from threading import Thread

import pykka


class Quiet(pykka.ThreadingActor):
    def on_receive(self, message):
        pass


actors = [Quiet.start() for _ in range(2)]
Thread(target=actors[0].stop).start()
pykka.ActorRegistry.broadcast("hello")
actors[1].stop()
