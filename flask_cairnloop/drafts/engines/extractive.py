"""The generator that writes nothing of its own: it quotes the sentences that answer. No key, no network, no chance."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from flask_cairnloop.drafts.stems import stems
from flask_cairnloop.drafts.views import ConversationView
from flask_cairnloop.host.draft_generator import DraftGenerator, DraftKind, DraftProposal, Sentence
from flask_cairnloop.knowledge.sentences import split_sentences
from flask_cairnloop.retrieval.results import Evidence, Grounding, GroundingLevel

WORDS = 72  # quoted; with the courtesies a reply stays below 90
SENTENCES = 6
PASSAGES = 2
NEARLY_AS_GOOD = 0.8  # a second passage counts only if its support is at least this share of the first's
FOLLOWING = 0.5
CLOSING = "If this does not solve it, just reply here and we will look into it."
TABLE_MARK = " | "
BREAK = "\n\n"  # between the blocks of a passage
ASK_WHICH = "So that we help with the right thing: is this about"

_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-]){0,29}")
_CODE = re.compile(
    r"^\s*(?:[$#>%]\s|[{}\[\]<@]|[\w.-]+\s?=|[a-z_][\w.-]*:(?:\s|$)|(?:import|from|def|class|return|export|sudo)\s)"
    r"|\s--?[a-z]|\(\)|[{;]\s*$|=>|::|://\S*\s?\\?$"
)
_PROSE = re.compile(r"[.!?…。！？][\"'”’)\]]*\s*$|^\s*(?:[-*•]|\d{1,3}[.)])\s")


class ExtractiveGenerator(DraftGenerator):
    """The default generator: the same question and evidence always give the same draft."""

    def generate_draft(self, conversation: ConversationView, grounding: Grounding) -> DraftProposal:
        """Quote on strong evidence, ask one question on weaker, pass on to a person otherwise."""
        if grounding.level == GroundingLevel.STRONG:
            return _reply(conversation, grounding)
        if grounding.level == GroundingLevel.CLARIFICATION:
            return _clarification(conversation, grounding)
        return escalation(grounding)


def escalation(grounding: Grounding) -> DraftProposal:
    """A word to the operator; nothing for the customer."""
    near = list(_by_title(grounding.evidence))
    nearest = f" Nearest: {listed(near)}." if near else ""
    return DraftProposal(
        kind=DraftKind.ESCALATION,
        sentences=(),
        summary=f"{grounding.reason} This needs a person.{nearest}",
        confidence=grounding.score,
        missing="An article that answers this question.",
    )


def _reply(conversation: ConversationView, grounding: Grounding) -> DraftProposal:
    quoted = _quote(grounding)
    cited = [each for each in grounding.evidence if any(each.id in one.evidence_ids for one in quoted)]
    return DraftProposal(
        kind=DraftKind.REPLY,
        sentences=(_greeting(conversation), *quoted, Sentence(CLOSING)),
        summary=f"{grounding.reason} Quoted from {listed(list(_by_title(cited)))}.",
        confidence=grounding.score,
    )


def _clarification(conversation: ConversationView, grounding: Grounding) -> DraftProposal:
    near = _by_title(_nearly_as_good(grounding.evidence))
    titles = list(near)[:2]
    asked = " or ".join(f"“{title}”" for title in titles) + (", or something else?" if len(titles) == 1 else "?")
    question = Sentence(f"{ASK_WHICH} {asked}", tuple(near[title].id for title in titles))
    return DraftProposal(
        kind=DraftKind.CLARIFICATION,
        sentences=(_greeting(conversation), question),
        summary=f"{grounding.reason} One question back.",
        confidence=grounding.score,
        missing="What exactly the customer means.",
    )


def _greeting(conversation: ConversationView) -> Sentence:
    names = (conversation.customer_name or "").split()
    return Sentence(f"Hi {names[0]}," if names and _NAME.fullmatch(names[0]) else "Hello,")


def _by_title(evidence: Sequence[Evidence]) -> dict[str, Evidence]:
    """The best passage of each article, by the article's title, best first."""
    found: dict[str, Evidence] = {}
    for each in evidence:
        found.setdefault(each.title, each)
    return found


def listed(titles: Sequence[str]) -> str:
    """Titles in quotation marks, one after the other."""
    return ", ".join(f"“{title}”" for title in titles)


def _quote(grounding: Grounding) -> list[Sentence]:
    """A run of sentences around the best match in the best passage, then, while there is room, in the next."""
    passages = _passages(grounding.evidence)
    weigh = _Weigher(grounding.question, [text for _, texts in passages for text in texts])
    runs: list[tuple[Evidence, list[str]]] = []
    room, left = WORDS, SENTENCES
    said: set[str] = set()
    for evidence, texts in passages:
        fresh = [text for text in texts if text not in said]
        run = _finished(_run(fresh, [weigh(text) for text in fresh], room, left))
        said.update(run)
        room, left = room - sum(map(_length, run)), left - len(run)
        if run:
            runs.append((evidence, run))
    if len({evidence.source for evidence, _ in runs}) == 1:
        runs.sort(key=lambda run: run[0].chunk_id or 0)
    quoted = [Sentence(text, (evidence.id,)) for evidence, run in runs for text in run]
    return quoted or [Sentence(passages[0][1][0], (passages[0][0].id,))]


def _passages(evidence: Sequence[Evidence]) -> list[tuple[Evidence, list[str]]]:
    """The passages to quote from, with what can be quoted; where nothing can, with everything."""
    best = _nearly_as_good(evidence)[:PASSAGES]
    quotable = [(each, texts) for each in best if (texts := _sentences(each.content))]
    return quotable or [(each, [_trimmed(text) for text in split_sentences(each.content)]) for each in best]


def _sentences(content: str) -> list[str]:
    """What can be quoted: no code, no table's row without its table, and no announcement of either."""
    marked = [(text, _is_prose(text, block)) for block in content.split(BREAK) for text in split_sentences(block)]
    kept: list[str] = []
    follows = False  # whether what comes next is quoted, so that it may be announced; hence from the end
    for text, prose in reversed(marked):
        follows = prose and (follows or not text.endswith(":"))
        if follows:
            kept.insert(0, _trimmed(text))
    return kept


def _is_prose(text: str, block: str) -> bool:
    return TABLE_MARK not in text and not _is_code(block)


def _is_code(block: str) -> bool:
    """Whether a block, whose marks are gone, was code: a line looks like it and none ends like a sentence."""
    lines = [line for line in block.split("\n") if line.strip()]
    return any(map(_CODE.search, lines)) and not any(_PROSE.search(line) for line in lines)


def _trimmed(text: str) -> str:
    """A sentence that would not fit into any reply, ended where the room ends."""
    words = text.split()
    return text if len(words) <= WORDS else f"{' '.join(words[: WORDS - 1])} …"


def _nearly_as_good(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The best passage and those whose support comes near its own."""
    enough = NEARLY_AS_GOOD * (evidence[0].support or 0.0)
    return [each for each in evidence if (each.support or 0.0) >= enough]


def _run(texts: Sequence[str], weights: Sequence[float], room: int, left: int) -> list[str]:
    """Neighbouring sentences around the heaviest, grown towards the heavier side while they fit."""
    if not texts or left < 1:
        return []
    start = max(range(len(texts)), key=lambda place: (weights[place], -place))
    room -= _length(texts[start])
    if room < 0:
        return []
    first = last = start
    while last - first + 1 < left:
        after = [last + 1] if last + 1 < len(texts) and _length(texts[last + 1]) <= room else []
        before = [first - 1] if first > 0 and _length(texts[first - 1]) <= room else []
        if not after and not before:
            break
        # What follows is usually the next step, so on equal terms it goes first.
        grown = max(after + before, key=lambda place: weights[place] + (FOLLOWING if place > last else 0.0))
        room -= _length(texts[grown])
        first, last = min(first, grown), max(last, grown)
    return list(texts[first : last + 1])


def _finished(run: list[str]) -> list[str]:
    """Without an announcement at the end whose list or command found no room."""
    while run and run[-1].endswith(":"):
        run.pop()
    return run


def _length(text: str) -> int:
    return len(text.split())


class _Weigher:
    """How much of the question a sentence takes up; a word that few sentences have counts for more."""

    def __init__(self, question: str, texts: Sequence[str]) -> None:
        self._asked = frozenset(stems(question))
        self._sharing = Counter(stem for text in texts for stem in self._asked & set(stems(text)))
        self._all = len(texts)

    def __call__(self, text: str) -> float:
        return sum(self._weight(stem) for stem in sorted(self._asked & set(stems(text))))

    def _weight(self, stem: str) -> float:
        sharing = self._sharing[stem]
        return math.log(1 + (self._all - sharing + 0.5) / (sharing + 0.5))
