"""A folder of questions whose answers are known, to measure retrieval on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_cairnloop.core.errors import CairnloopError


class BadCollection(CairnloopError):
    """The folder cannot be read; the message names the file and the line."""


@dataclass(frozen=True)
class Document:
    """An article's title and text; or a past case's text and what it was about."""

    id: str
    title: str
    text: str
    intent: str | None = None


@dataclass(frozen=True)
class Question:
    """What was asked, and the documents that answer it; or what it is about."""

    text: str
    relevant: frozenset[str] = frozenset()
    intent: str | None = None


@dataclass(frozen=True)
class Collection:
    """What is searched, what is asked, and questions that nothing in it answers."""

    documents: Sequence[Document] = ()
    cases: Sequence[Document] = ()
    questions: Sequence[Question] = ()
    off_topic: Sequence[str] = ()
    #: What a reader should know about the folder.
    remarks: Sequence[str] = field(default=())


def load(folder: Path, off_topic: Path | None = None) -> Collection:
    """Read ``corpus.jsonl`` or ``cases.jsonl``, ``queries.jsonl`` and, where there is one, ``off_topic.jsonl``.

    ``off_topic`` names another file, or a folder with ``queries.jsonl``. A query marked ``"answerable": false`` is
    off-topic too. Raises ``BadCollection``.
    """
    if not folder.is_dir():
        raise BadCollection(f"{folder} is no folder")
    by_intent = not (folder / "corpus.jsonl").exists()
    documents = _documents(folder / ("cases.jsonl" if by_intent else "corpus.jsonl"), by_intent)
    questions, off = [], _off_topic(folder, off_topic)
    known = {document.id for document in documents}
    dangling = 0
    for where, line in _lines(folder / "queries.jsonl"):
        if line.get("answerable") is False:
            off.append(_text(line, "text", where))
            continue
        question = _question(line, where, by_intent)
        dangling += len(question.relevant - known)
        questions.append(question)
    if not questions:
        raise BadCollection(f"{folder / 'queries.jsonl'} has no questions")
    remarks = (f"{dangling} relevant ids name no document; they count as never found",) if dangling else ()
    kind: dict[str, Any] = {"cases" if by_intent else "documents": documents}
    return Collection(questions=questions, off_topic=off, remarks=remarks, **kind)


def _documents(path: Path, by_intent: bool) -> list[Document]:
    documents: dict[str, Document] = {}
    for where, line in _lines(path):
        name = _text(line, "_id", where)
        if name in documents:
            raise BadCollection(f"{where}: the _id {name!r} was there before")
        intent = _text(line, "intent", where) if by_intent else None
        title = "" if by_intent else _text(line, "title", where, needed=False)
        text = _text(line, "text", where, needed=not title)
        documents[name] = Document(name, title, text, intent)
    if not documents:
        raise BadCollection(f"{path} is empty")
    return list(documents.values())


def _question(line: Mapping[str, Any], where: str, by_intent: bool) -> Question:
    text = _text(line, "text", where)
    if by_intent:
        return Question(text, intent=_text(line, "intent", where))
    relevant = line.get("relevant")
    if not isinstance(relevant, list) or not relevant or not all(isinstance(each, str | int) for each in relevant):
        raise BadCollection(f'{where}: "relevant" needs to be a list of at least one _id')
    return Question(text, frozenset(map(str, relevant)))


def _off_topic(folder: Path, chosen: Path | None) -> list[str]:
    path = chosen or folder / "off_topic.jsonl"
    if path.is_dir():
        path = path / "queries.jsonl"
    if chosen is None and not path.exists():
        return []
    return [_text(line, "text", where) for where, line in _lines(path)]


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadCollection(f"{path} is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadCollection(f"{path} cannot be read: {error}") from error
    for number, raw in enumerate(content.split("\n"), 1):
        if not raw.strip():
            continue
        where = f"{path}, line {number}"
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise BadCollection(f"{where}: no JSON ({error})") from None
        if not isinstance(line, dict):
            raise BadCollection(f"{where}: needs to be a JSON object")
        yield where, line


def _text(line: Mapping[str, Any], key: str, where: str, *, needed: bool = True) -> str:
    value = line.get(key)
    if key == "_id" and isinstance(value, int):
        value = str(value)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise BadCollection(f'{where}: "{key}" needs to be a text')
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
