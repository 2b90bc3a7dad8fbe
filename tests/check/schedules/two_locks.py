import threading

a, b = threading.Lock(), threading.Lock()


def work(first, second):
    with first:
        with second:
            pass


threads = [threading.Thread(target=work, args=pair) for pair in ((a, b), (b, a))]
for t in threads:
    t.start()
for t in threads:
    t.join()
