"""tenacity 9.1.3, @retry: what a thread reads from its call's statistics are those of the call that
another thread has just begun.

Expected: assertion
"""

from threading import Thread

from tenacity import retry


@retry
def fetch(answers):
    if not answers.pop():
        raise ConnectionError


def visit(answers):
    attempts = len(answers)
    fetch(answers)
    assert fetch.statistics["attempt_number"] == attempts, fetch.statistics


for answers in ([True], [True, False]):
    Thread(target=visit, args=(answers,)).start()
