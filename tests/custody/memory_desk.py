"""A desk on facts in memory: the handlers of real use without a journal, quick enough for properties."""

from datetime import UTC, datetime, timedelta

from anlage.app import request_of
from anlage.app.assemble import bind_commands
from anlage.app.engine import _HANDLERS, name_of
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World, write

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROLES = ("operator", "verifier", "store-keeper", "qa-reviewer")


class MemoryDesk:
    """Reads states by folding facts; keeps what is done."""

    world, site = World.SIMULATED, "S1"

    def __init__(self, people=("anna", "ben")):
        bind_commands()
        self.at, self.facts, self.states, self.numbers, self.extra = AT, {}, {}, {}, []
        self.actor = Actor(person=people[0], via="api")
        for person in people:
            stream = Stream(f"person/{person}")
            self.keep([Entry(stream, PersonRegistered(id=person, name=person.title()))])
            for role in ROLES:
                granted = RoleGranted(role=role, role_version=1, requires=(), granted_by="admin")
                self.keep([Entry(stream, granted)])

    def read(self, cls, stream):
        known = self.facts.get(stream, [])
        count, state = self.states.get((cls, stream), (0, None))
        state = cls.begin(stream) if state is None else state
        for one in known[count:]:
            state = state.after(one)
        self.states[cls, stream] = (len(known), state)
        return state

    def next_number(self, series, pattern, purpose):
        self.numbers[series] = self.numbers.get(series, 0) + 1
        return pattern.format(n=self.numbers[series], yy=self.at.strftime("%y"))

    def keep(self, entries):
        for entry in entries:
            past = self.facts.setdefault(entry.stream, [])
            past.append(write(
                entry, number=0, version=len(past) + 1, previous=bytes(32), site="S1",
                by=self.actor, at=self.at, recorded=self.at, salt="0",
            ))  # fmt: skip

    def do(self, request, person="anna", **passing):
        """Do a command as a person, as the engine would."""
        self.at += timedelta(**(passing or {"minutes": 1}))
        self.actor = Actor(person=person, via="api")
        entries = list(_HANDLERS[name_of(request)][1](self, request))
        self.keep(entries)
        return entries

    def ask(self, command, person="anna", **values):
        return self.do(request_of(command, values), person)
