"""Checklists as data: what is asked, which answer lets the work go on, who may answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from anlage.base import Problem

from .fields import Content, Fields, Heading, Reference, read_with


class AnswerKind(StrEnum):
    """What kind of answer an item takes."""

    YES_NO = "yes-no"
    TEXT = "text"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question.

    Attributes:
        id: Its name, unique in the checklist.
        question: What is asked.
        kind: What kind of answer it takes.
        choices: The answers of a choice.
        accepts: Answers that let the work go on; empty when any answer does.
        remedy: What to do when the answer does not.
        rule: The clause behind the question.
    """

    id: str
    question: str
    kind: AnswerKind
    choices: tuple[str, ...]
    accepts: tuple[str, ...]
    remedy: str
    rule: str

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one item."""
        kind = fields.enum("answer", AnswerKind, AnswerKind.YES_NO)
        choices = fields.texts("choices", least=2 if kind is AnswerKind.CHOICE else 0)
        if kind is AnswerKind.YES_NO:
            choices = ("yes", "no")
        accepts = fields.texts("accepts")
        if kind is not AnswerKind.TEXT:
            for one in accepts:
                if one not in choices:
                    fields.wrong("accepts", one, ", ".join(choices), "choose among the answers")
        return cls(
            id=fields.id("id"),
            question=fields.text("question"),
            kind=kind,
            choices=choices,
            accepts=accepts,
            remedy=fields.text("remedy", ""),
            rule=fields.text("rule", ""),
        )

    def judge(self, answer: str | None) -> Problem | None:
        """Give what is wrong with an answer; None when the work may go on."""
        given = (answer or "").strip()
        if not given:
            return self._problem("checklist-open", "no answer", ", ".join(self.choices) or "words")
        if self.choices and given not in self.choices:
            return self._problem("checklist-answer", given[:80], ", ".join(self.choices))
        if self.accepts and given not in self.accepts:
            return self._problem("checklist-stops", given[:80], " or ".join(self.accepts))
        return None

    def _problem(self, code: str, found: str, limit: str) -> Problem:
        return Problem(
            code=code,
            what=self.question,
            found=found,
            limit=limit,
            remedy=self.remedy or "answer it, or stop and tell quality",
            rule=self.rule or None,
            path=self.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """A checklist as defined.

    Attributes:
        heading: Identifier, title and basis.
        role: Who answers it.
        second: Who checks it, another person; None when nobody does.
        items: What is asked, in order.
    """

    heading: Heading
    role: Reference | None
    second: Reference | None
    items: tuple[Item, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a checklist from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a checklist."""
        return cls(
            heading=fields.heading("checklist"),
            role=fields.reference("role", "role"),
            second=fields.reference("second-role", "role"),
            items=fields.each("items", Item.from_fields, least=1, unique="id"),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The roles that answer and check."""
        return tuple(one for one in (self.role, self.second) if one is not None)

    def judge(self, answers: Mapping[str, str]) -> tuple[Problem, ...]:
        """Give every item that keeps the work from going on; answers to nothing asked too."""
        found = [item.judge(answers.get(item.id)) for item in self.items]
        known = {item.id for item in self.items}
        strange = [
            Problem(
                code="checklist-answer",
                what=f"answer to {name[:60]}",
                found="not asked",
                limit=", ".join(sorted(known)),
                remedy="leave it out",
                path=name[:60],
            )
            for name in answers
            if name not in known
        ]
        return (*(one for one in found if one is not None), *strange)
