"""A word processor in small: one types, one formats, one saves, and none waits for another."""

import textwrap
import threading
import time

text = ""
page: list[str] = []
saved: list[str] = []
closed = threading.Event()


def keyboard() -> None:
    global text
    for key in "One thread types while another formats and a third one saves.":
        text += key
        time.sleep(0.002)
    closed.set()


def formatter() -> None:
    while not closed.wait(0.005):
        page[:] = textwrap.wrap(text, width=24)
    page[:] = textwrap.wrap(text, width=24)


def autosaver() -> None:
    while not closed.wait(0.02):
        time.sleep(0.01)  # the disk is slow
        saved.append(text)
    saved.append(text)


threads = [threading.Thread(target=work) for work in (keyboard, formatter, autosaver)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*page, sep="\n")
print("saved while somebody typed:", len(saved) > 1)
print("nothing lost:", saved[-1] == text)
