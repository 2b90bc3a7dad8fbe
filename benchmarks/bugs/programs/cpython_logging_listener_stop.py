"""CPython 3.11, logging.handlers.QueueListener.stop: it may be called more than once; by two threads at
once, one of them fails.

Expected: exception
Options: --stdlib --only logging,logging.*
"""

from logging.handlers import QueueListener
from queue import Queue
from threading import Thread

listener = QueueListener(Queue())
listener.start()
for _ in range(2):
    Thread(target=listener.stop).start()
