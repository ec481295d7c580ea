"""Questions each demo customer might ask next, offered beside the chat."""

from __future__ import annotations

QUESTIONS: dict[str, tuple[str, ...]] = {
    "riya": (
        "How do I change the e-mail address our invoices go to?",
        "Where can I download past invoices?",
        "Can I reset an API key without downtime?",
    ),
    "mina": (
        "How do I add a sixth teammate to our workspace?",
        "What does an extra seat cost in the middle of the month?",
        "How do I give a seat back?",
    ),
    "jonas": (
        "How do I change the billing e-mail address?",
        "Can two people receive our invoices?",
        "Who may change billing details?",
    ),
    "priya": (
        "Why was our CI run skipped?",
        "How do I run a skipped pipeline again?",
        "Does [skip ci] in a commit message skip the whole run?",
    ),
    "tom": (
        "How do I rotate a deploy token before it expires?",
        "How long does a deploy token last?",
        "Does the old token keep working after I rotate it?",
    ),
}
