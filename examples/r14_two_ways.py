"""Row 14: two ways to make a thread.

Hand a function to `Thread(target=...)`, or write a subclass of `Thread` with a `run` method. The
function is shorter; the subclass has a place for what the thread works with and what it finds.

Prints the number of vowels in two sentences, one counted in each way.
"""

import threading

VOWELS = set("aeiou")


def count_vowels(text: str, results: dict[str, int]) -> None:
    results[text] = sum(letter in VOWELS for letter in text)


class VowelCounter(threading.Thread):
    """Counts the vowels of a text; the result is in `found` when the thread has ended."""

    def __init__(self, text: str) -> None:
        super().__init__(name="counter")
        self.text = text
        self.found = 0

    def run(self) -> None:
        self.found = sum(letter in VOWELS for letter in self.text)


def main() -> None:
    results: dict[str, int] = {}
    text = "many hands make light work"
    by_target = threading.Thread(target=count_vowels, args=(text, results))
    by_subclass = VowelCounter("too many cooks spoil the broth")

    by_target.start()
    by_subclass.start()
    by_target.join()
    by_subclass.join()

    print(f"by target:   {results[text]} vowels in {text!r}")
    print(f"by subclass: {by_subclass.found} vowels in {by_subclass.text!r}")


if __name__ == "__main__":
    main()
