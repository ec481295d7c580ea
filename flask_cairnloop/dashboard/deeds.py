"""The words of everything the audit log records: one table for the page and its export."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "conversation.open": "Conversation opened",
    "conversation.resolve": "Conversation resolved",
    "conversation.reopen": "Conversation opened again",
    "conversation.archive": "Conversation archived",
    "conversation.rename": "Subject changed",
    "conversation.set_priority": "Priority changed",
    "conversation.tag": "Tags changed",
    "conversation.hand_over": "A person was asked for",
    "conversation.hand_back": "Automatic answers allowed again",
    "message.receive": "Customer wrote",
    "message.send": "Reply sent",
    "message.state": "Desk stated a fact",
    "note.add": "Internal note left",
    "draft.create": "Draft made",
    "draft.deny": "Draft refused by policy",
    "draft.request": "Draft asked for",
    "draft.approve": "Draft approved and sent",
    "draft.edit": "Draft sent in other words",
    "draft.discard": "Draft discarded",
    "draft.supersede": "Draft overtaken",
    "article.create": "Article begun",
    "article.rename": "Article renamed",
    "article.save_draft": "Article draft saved",
    "article.restore": "Older version restored",
    "article.discard_draft": "Article draft thrown away",
    "article.publish": "Article published",
    "article.unpublish": "Article taken back",
    "article.archive": "Article archived",
    "article.unarchive": "Article brought back",
    "article.import": "Article imported",
    "article.export": "Article exported",
    "action.proposal_created": "Action proposed",
    "action.proposal_blocked": "Action blocked",
    "action.approval_requested": "Approval asked for",
    "action.approved": "Action approved",
    "action.rejected": "Action rejected",
    "action.deferred": "Action deferred",
    "action.returned": "Deferred action came back",
    "action.withdrawn": "Action withdrawn",
    "action.expired": "Action expired",
    "action.revalidation_passed": "Action checked again: fit to run",
    "action.revalidation_failed": "Action checked again: no longer valid",
    "action.execution_started": "Action begun",
    "action.execution_attempt_failed": "Action failed; it will be tried again",
    "action.execution_succeeded": "Action completed",
    "action.execution_failed": "Action failed",
    "action.outcome_lost": "Outcome of an action lost",
    "action.settled": "Outcome of an action settled by hand",
}


def deed(action: str) -> str:
    """An action in words; one there are none for is spelt out."""
    return WORDS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize()
