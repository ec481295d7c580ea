"""Who may answer: whoever is signed in as a member of the support team."""

from __future__ import annotations

from flask import Request

from example_app.people import signed_in_member
from flask_cairnloop import Operator, OperatorResolver


class TrailmarkOperators(OperatorResolver):
    def resolve(self, request: Request) -> Operator | None:
        member = signed_in_member()
        return Operator(id=member.username, name=member.name) if member else None
