"""An article as a Markdown file: where its title stands, which words are its own, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.core.markdown import to_text
from flask_cairnloop.core.text import clean
from flask_cairnloop.knowledge.articles import TITLE_LENGTH, one_line
from flask_cairnloop.knowledge.drafting import CONTENT_LENGTH

SUFFIXES = frozenset({".md", ".markdown"})
PATH_LENGTH = 500
FRONT_LINES = 100  # lines a front matter may have
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}=+[ \t]*")
_FIELD = re.compile(r"[\w-]+:(?:\s|$)")


@dataclass(frozen=True)
class Page:
    """What a file says: the article's title and its words, both fit to store."""

    path: str
    title: str
    content: str


def parse(path: str, text: str) -> Page:
    """Read a file's text. Raises ``InvalidInput`` where title or words cannot be kept.

    The title is the front matter's ``title:`` line, else the first top heading, else the file's name in words. A top
    heading that begins the text and says the title again is no part of the words.
    """
    given, body = _front(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    lines = body.strip().split("\n")
    if given is None:
        given = _first_heading(lines)
    title = one_line(clean(given or _in_words(path), field="title", limit=TITLE_LENGTH))
    taken = _opening(lines, title)
    return Page(path, title, clean("\n".join(lines[taken:]), field="content", limit=CONTENT_LENGTH))


def compose(title: str, content: str, *, path: str) -> str:
    """The text of a file that ``parse`` reads as this title and these words."""
    quoted = f'"{title}"' if title[:1] in {'"', "'"} else title
    front = f"---\ntitle: {quoted}\n---\n\n"
    tries = [f"# {title}\n\n{content}\n", f"{front}{content}\n", f"{front}# {title}\n\n{content}\n"]
    wanted = Page(path, title, content)
    for text in tries:
        try:
            if parse(path, text) == wanted:
                return text
        except InvalidInput:
            continue
    raise InvalidInput({"content": "cannot be written as a Markdown file"})


def _front(text: str) -> tuple[str | None, str]:
    """The title of a front matter of plain ``key: value`` lines, and the text below it."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return None, text
    end = next((n for n in range(1, min(len(lines), FRONT_LINES)) if lines[n].rstrip() == "---"), None)
    if end is None or not any(_FIELD.match(line) for line in lines[1:end]):
        return None, text
    titles = [line.partition(":")[2].strip() for line in lines[1:end] if line.partition(":")[0] == "title"]
    title = titles[0] if titles else None
    if title is not None and len(title) > 1 and title[0] == title[-1] and title[0] in {'"', "'"}:
        title = title[1:-1]
    return title, "\n".join(lines[end + 1 :])


def _first_heading(lines: list[str]) -> str | None:
    """The words of the first top heading outside of code."""
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        elif not fence and (words := _heading_at(lines, number)[0]):
            return words
    return None


def _heading_at(lines: list[str], number: int) -> tuple[str, int]:
    """The words of the top heading that begins on this line, and how many lines it takes; nothing where none does."""
    line = lines[number]
    marked = _HEADING.fullmatch(line)
    if marked:
        return one_line(to_text(marked[1])), 1
    alone = number == 0 or not lines[number - 1].strip()
    if alone and line.strip() and number + 1 < len(lines) and _UNDERLINE.fullmatch(lines[number + 1]):
        return one_line(to_text(line)), 2
    return "", 0


def _opening(lines: list[str], title: str) -> int:
    """How many lines at the beginning only say the title again."""
    words, taken = _heading_at(lines, 0)
    return taken if words == title else 0


def _in_words(path: str) -> str:
    stem = PurePosixPath(path).stem
    words = " ".join(re.split(r"[\s_-]+", stem)).strip()
    return words[:1].upper() + words[1:] or stem
