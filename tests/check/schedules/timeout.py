import queue
import threading
import time

answers = queue.Queue()


def answer():
    time.sleep(0.02)
    answers.put(1)


t = threading.Thread(target=answer)
t.start()
try:
    answers.get(timeout=0.02)
except queue.Empty:
    raise SystemExit("no answer in time") from None
t.join()
