"""Who may answer: whoever is signed in as a member of the support team."""

from __future__ import annotations

from flask import Request

from example_app.people import TEAM, Member, signed_in_member
from flask_cairnloop import Operator, OperatorResolver


class TrailmarkOperators(OperatorResolver):
    def resolve(self, request: Request) -> Operator | None:
        return _operator(signed_in_member())

    def find(self, operator_id: str, *, tenant: str = "") -> Operator | None:
        return _operator(TEAM.get(operator_id))


def _operator(member: Member | None) -> Operator | None:
    return Operator(id=member.username, name=member.name, scopes=member.scopes) if member else None
