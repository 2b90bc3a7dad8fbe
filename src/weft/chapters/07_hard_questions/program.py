"""What fork leaves of a program with threads, and what a close does to one that waits."""

import os
import socket
import threading
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of just what is shown here
enough = threading.Event()
bystander = threading.Thread(target=enough.wait)
bystander.start()
print("threads of the parent:", threading.active_count())
pid = os.fork()
if pid == 0:
    print("threads of the child:", threading.active_count(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
enough.set()


def receive() -> None:
    try:
        print("receiver: got", here.recv(100))
    except OSError:
        print("receiver: woken by an error")


here, there = socket.socketpair()
receiver = threading.Thread(target=receive)
receiver.start()
receiver.join(0.02)  # it waits in recv by now
here.close()
receiver.join(0.05)
print("the close has woken the receiver:", not receiver.is_alive())
there.close()  # ends the wait in any case
receiver.join()
