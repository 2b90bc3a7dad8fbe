"""Reads a page of HTML and holds that it is well made."""

from html.parser import HTMLParser

__all__ = ["Reader"]

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Everything that a page refers to, its text, and whether its elements are closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refers: list[tuple[str, str]] = []
        self.names: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                self.refers.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
