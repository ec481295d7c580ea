"""``cl``: what our templates get, the words, moments and addresses they need."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from flask import request, url_for
from markupsafe import Markup

from flask_cairnloop.core import markdown
from flask_cairnloop.core.current import settings
from flask_cairnloop.dashboard import clock, labels
from flask_cairnloop.dashboard.assets import assets_version
from flask_cairnloop.dashboard.labels import Label, Mark, Theme

#: Written when the operator chooses; absent while the system decides.
THEME_COOKIE = "cl_theme"
MANY = 500  # counts above are shown as "500+"


class Display:
    """What templates may call. It holds nothing, so one serves every mount and every request."""

    @property
    def brand(self) -> str:
        """The name at the head of the navigation."""
        return settings.brand

    @property
    def home_url(self) -> str | None:
        """Back to the host's own app."""
        return settings.home_url

    @property
    def stylesheets(self) -> tuple[str, ...]:
        """The host's own, linked after ours."""
        return settings.stylesheets

    @property
    def live(self) -> str:
        """How the page hears of changes: ``sse`` or ``poll``."""
        return settings.live

    @property
    def theme(self) -> Theme:
        """What the operator chose."""
        chosen = request.cookies.get(THEME_COOKIE, "")
        return Theme(chosen) if chosen in set(Theme) else Theme.SYSTEM

    @property
    def themes(self) -> list[Theme]:
        """What they may choose from."""
        return list(Theme)

    @property
    def command_key(self) -> str:
        """The key that sends together with Enter, as the operator's keyboard has it."""
        return "⌘" if any(name in request.user_agent.string for name in ("Mac OS", "iPhone", "iPad")) else "Ctrl "

    @property
    def option_key(self) -> str:
        """The key that, held with Enter, does the other thing."""
        return "⌥" if self.command_key == "⌘" else "Alt "

    def label(self, value: StrEnum) -> Label:
        """The words, tone and icon of a status."""
        return labels.label(value)

    def mark(self, name: str) -> Mark:
        """What something carries besides its status, to be shown as a label."""
        return Mark(name)

    def asset(self, name: str) -> str:
        """The address of one of our files."""
        return url_for(".asset", version=assets_version(), name=name)

    def count(self, number: int | None) -> str:
        """A bounded count: "12", "500+"; a dash for one that could not be read."""
        if number is None:
            return "–"
        return f"{number:,}" if number <= MANY else f"{MANY}+"

    def relative(self, at: datetime) -> str:
        """How long ago."""
        return clock.relative(at)

    def exact(self, at: datetime) -> str:
        """The whole moment."""
        return clock.exact(at)

    def clock(self, at: datetime) -> str:
        """The time of day."""
        return clock.clock(at)

    def day(self, of: date) -> str:
        """A day as a heading."""
        return clock.day(of)

    def initials(self, name: str) -> str:
        """Two letters for an avatar."""
        words = name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper() or "?"

    def message_html(self, text: str) -> Markup:
        """A message as safe HTML."""
        return markdown.message_to_html(text)

    def sentence_html(self, text: str) -> Markup:
        """One sentence of a message as safe HTML, to stand among others."""
        html = markdown.message_to_html(text).strip()
        alone = html.startswith("<p>") and html.endswith("</p>") and html.count("<p>") == 1
        return Markup(html[3:-4]) if alone else Markup(html)

    def article_html(self, text: str) -> Markup:
        """An article as safe HTML."""
        return markdown.to_html(text)

    def plain(self, text: str) -> str:
        """A message's words on one line."""
        return " ".join(text.split())
