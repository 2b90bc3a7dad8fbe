"""python-socketio 5.16.1, Client.emit: two threads emit with a callback, and both get the same id: one
of the callbacks is never called.

Expected: assertion
"""

from threading import Thread

import socketio

sent = []
client = socketio.Client()
client.namespaces["/"] = "connected"
client._send_packet = sent.append
threads = [Thread(target=client.emit, args=("job",), kwargs={"callback": print}) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len({packet.id for packet in sent}) == 2, f"ids: {[packet.id for packet in sent]}"
