"""pykka 4.4.1, ActorRegistry.broadcast: an actor that stops meanwhile makes it raise, and the actors after it
get no message.

Expected: exception
"""

import pykka


class Quiet(pykka.ThreadingActor):
    def on_receive(self, message):
        pass


actors = [Quiet.start() for _ in range(2)]
actors[0].stop(block=False)
pykka.ActorRegistry.broadcast("hello")
actors[1].stop()
