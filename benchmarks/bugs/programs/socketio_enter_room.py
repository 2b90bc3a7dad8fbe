"""python-socketio 5.16.1, Server.enter_room: two clients enter a new room, and one of them is not in it.

Expected: assertion
"""

from threading import Thread

import socketio

server = socketio.Server(async_mode="threading")
clients = [server.manager.connect(connection, "/") for connection in ("first", "second")]
threads = [Thread(target=server.enter_room, args=(client, "chat")) for client in clients]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
rooms = [server.rooms(client) for client in clients]
assert all("chat" in each for each in rooms), f"rooms of the two clients: {rooms}"
