"""Markdown in: safe HTML, plain text, or sections out. Raw HTML in it is text, never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode
    from nh3 import Cleaner

SCHEMES = frozenset({"http", "https", "mailto"})
LINK_REL = "nofollow noopener noreferrer"
_INLINE = {"a", "br", "code", "del", "em", "s", "strong"}
_BLOCKS = {"blockquote", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}}
_BARE_LINK = re.compile(r"https?://\w[^\s<>\"'`|\\^{}]+", re.IGNORECASE)
_AFTER_LINK = ".,;:!?…*_~"


class BlockKind(StrEnum):
    """What a block of text is, which says where it may be cut."""

    PARAGRAPH = "paragraph"
    LIST = "list"
    CODE = "code"
    TABLE = "table"


@dataclass(frozen=True)
class Block:
    """A readable piece of a section: a paragraph, a list's items, the lines of code, a table's rows."""

    kind: BlockKind
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole block."""
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Section:
    """The blocks under one heading; ``path`` leads there from the outermost one, empty before the first."""

    path: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        """All blocks, a blank line between them."""
        return "\n\n".join(block.text for block in self.blocks)


def to_html(text: str) -> Markup:
    """An article as safe HTML. Headings begin at h2, since the page owns the h1; images become links."""
    return Markup(_cleaner().clean(_article_parser().render(text)))


def message_to_html(text: str) -> Markup:
    """A message as safe HTML: line breaks are kept, and there are no headings, tables or indented code."""
    return Markup(_cleaner().clean(_message_parser().render(text)))


def to_text(text: str) -> str:
    """The words of an article, without its marks."""
    parts = [part for section in to_sections(text) for part in (*section.path[-1:], section.text)]
    return "\n\n".join(part for part in parts if part)


def to_sections(text: str) -> list[Section]:
    """The article cut at its headings, in order. A heading with nothing under it has no section."""
    from markdown_it.tree import SyntaxTreeNode

    sections: list[Section] = []
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []

    def close() -> None:
        if blocks:
            sections.append(Section(tuple(title for _, title in path), tuple(blocks)))
            blocks.clear()

    for node in SyntaxTreeNode(_plain_parser().parse(text)).children:
        if node.type == "heading":
            close()
            level = int(node.tag[1])
            path = [step for step in path if step[0] < level]
            if title := _inline(node):
                path.append((level, title))
        else:
            blocks.extend(_blocks(node))
    close()
    return sections


def _blocks(node: SyntaxTreeNode) -> Iterator[Block]:
    if node.type in {"bullet_list", "ordered_list"}:
        yield Block(BlockKind.LIST, tuple(_items(node)))
    elif node.type in {"fence", "code_block"}:
        yield from _block(BlockKind.CODE, node.content.rstrip("\n").split("\n"))
    elif node.type == "table":
        rows = [row for part in node.children for row in part.children]
        lines = [" | ".join(_inline(cell) for cell in row.children) for row in rows]
        yield from _block(BlockKind.TABLE, lines)
    elif node.type == "blockquote":
        for child in node.children:
            yield from _blocks(child)
    elif node.type in {"paragraph", "heading"}:
        yield from _block(BlockKind.PARAGRAPH, [_inline(node)])


def _block(kind: BlockKind, lines: Sequence[str]) -> Iterator[Block]:
    if any(line.strip() for line in lines):
        yield Block(kind, tuple(lines))


def _items(node: SyntaxTreeNode, depth: int = 0) -> Iterator[str]:
    """One line per item; what an item holds beyond its first paragraph follows, indented under it."""
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    margin = "  " * depth
    for item in node.children:
        mark = f"{number}." if number is not None else "-"
        lines: list[str] = []
        for child in item.children:
            if child.type in {"bullet_list", "ordered_list"}:
                lines += _items(child, depth + 1)
            else:
                lines += [f"{margin}  {line}" for block in _blocks(child) for line in block.lines]
        first = lines[0].strip() if lines else ""
        yield "\n".join([f"{margin}{mark} {first}".rstrip(), *lines[1:]])
        number = None if number is None else number + 1


def _inline(node: SyntaxTreeNode) -> str:
    """The words of inline content; a link keeps its address behind its words."""
    inline = next((child for child in node.children if child.type == "inline"), None)
    if inline is None:
        return ""
    return re.sub(r"[ \t]+", " ", "".join(_words(child) for child in inline.children)).strip()


def _words(node: SyntaxTreeNode) -> str:
    if node.type in {"softbreak", "hardbreak"}:
        return " " if node.type == "softbreak" else "\n"
    if node.type in {"text", "code_inline"}:
        return str(node.content)
    words = str(node.content) if node.type == "image" else "".join(_words(child) for child in node.children)
    if node.type not in {"link", "image"}:
        return words
    href = str(node.attrs.get("href") or node.attrs.get("src") or "")
    shown = href.removeprefix("mailto:")
    if not words or words in {href, shown}:
        return shown
    return f"{words} ({shown})" if href.partition(":")[0].lower() in SCHEMES else words


@cache
def _cleaner() -> Cleaner:
    from nh3 import Cleaner

    return Cleaner(
        tags=_INLINE | _BLOCKS | _TABLES,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel=LINK_REL,
        clean_content_tags={"script", "style"},
    )


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    if tag == "code" and not re.fullmatch(r"language-[\w+#-]{1,30}", value):
        return None
    return value


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@cache
def _plain_parser() -> MarkdownIt:
    return _parser()


@cache
def _article_parser() -> MarkdownIt:
    parser = _parser()
    parser.core.ruler.push("cl_headings", _lower_headings)
    parser.core.ruler.push("cl_links", _link_bare_addresses)
    parser.add_render_rule("image", _image)
    return parser


@cache
def _message_parser() -> MarkdownIt:
    parser = _parser().disable(["heading", "lheading", "code", "table", "reference"])
    parser.options["breaks"] = True
    parser.core.ruler.push("cl_links", _link_bare_addresses)
    parser.add_render_rule("image", _image)
    return parser


def _image(self: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    """Link to an image instead of loading it: loading tells its server who reads."""
    token = tokens[index]
    address = str(token.attrs.get("src", ""))
    return f'<a href="{escape(address)}">{escape(token.content or address)}</a>'


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"


def _link_bare_addresses(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_with_links(token.children))


def _with_links(children: Sequence[Token]) -> Iterator[Token]:
    inside = 0
    for child in children:
        inside += child.nesting if child.type.startswith("link_") else 0
        if child.type == "text" and not inside and "://" in child.content:
            yield from _split_links(child.content, child.level)
        else:
            yield child


def _split_links(text: str, level: int) -> Iterator[Token]:
    from markdown_it.token import Token

    def words(content: str, level: int) -> Token:
        return Token("text", "", 0, content=content, level=level)

    at = 0
    for match in _BARE_LINK.finditer(text):
        address = _trim(match.group())
        if match.start() > at:
            yield words(text[at : match.start()], level)
        yield Token("link_open", "a", 1, attrs={"href": address}, level=level)
        yield words(address, level + 1)
        yield Token("link_close", "a", -1, level=level)
        at = match.start() + len(address)
    if at < len(text):
        yield words(text[at:], level)


def _trim(address: str) -> str:
    """Leave the sentence's own punctuation, and a bracket that was opened before the address, outside."""
    while address[-1] in _AFTER_LINK or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address
