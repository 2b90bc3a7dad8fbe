"""An account that is looked at under a lock, and drawn from under the same lock later."""

import threading


class Account:
    def __init__(self, balance):
        self.balance = balance
        self.lock = threading.Lock()

    def withdraw(self, amount):
        with self.lock:
            enough = self.balance >= amount
        if enough:
            with self.lock:
                self.balance -= amount
                assert self.balance >= 0, f"overdrawn: {self.balance}"


account = Account(100)
threads = [threading.Thread(target=account.withdraw, args=(80,), name=name) for name in ("Ann", "Bob")]
for t in threads:
    t.start()
for t in threads:
    t.join()
