"""Reading a network file and saying all that is wrong with it."""

from dataclasses import dataclass

from anlage.base import Problem, Refused

from .errors import CAPACITY_IMPOSSIBLE, NAME_UNKNOWN, VALUE_IMPOSSIBLE
from .fields import Judgement
from .judge import judge
from .measure import Unfit
from .model import Network
from .places import airport
from .reading import Locate, read_text, years
from .recipe_step import Recipes, no_recipes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was read, and what is wrong with it.

    Attributes:
        network: The model; None when something is wrong.
        problems: All that is wrong, by line.
    """

    network: Network | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Tell whether the network can be run."""
        return not self.problems


def check(
    text: str,
    *,
    path: str | None = None,
    locate: Locate = airport,
    recipes: Recipes = no_recipes,
) -> Checked:
    """Read a network and judge it; a text that is no YAML is one problem.

    Args:
        text: The file.
        path: Its name, for the problems' place.
        locate: Gives an airport's place.
        recipes: Gives a recipe's tasks, for steps that name one.

    Example:
        >>> check("network: empty").problems[0].code
        'network-key-missing'
    """
    try:
        network, judgement, _ = read_text(text, path=path, locate=locate, recipes=recipes)
    except Refused as refusal:
        return Checked(network=None, problems=refusal.problems)
    whole = Judgement(path)
    whole.lines = judgement.lines
    judge(network, whole)
    judgement.problems.extend(_beyond(whole.problems, judgement.problems))
    problems = tuple(sorted(judgement.problems, key=lambda problem: problem.line or 0))
    return Checked(network=None if problems else network, problems=problems)


def _beyond(whole: list[Problem], values: list[Problem]) -> list[Problem]:
    """Give the problems of the whole that do not merely follow from an unreadable value.

    Where a section or a step could not be read, what refers to it is not judged.
    """
    if not values:
        return whole
    if any(problem.what.startswith("the network") for problem in values):
        return []
    lines = {problem.line for problem in values}
    sure = {NAME_UNKNOWN, CAPACITY_IMPOSSIBLE, VALUE_IMPOSSIBLE}
    return [
        problem
        for problem in whole
        if problem.code in sure and problem.line not in lines and ": step " not in problem.what
    ]


def read(
    text: str,
    *,
    path: str | None = None,
    locate: Locate = airport,
    recipes: Recipes = no_recipes,
) -> Network:
    """Give the network of a text; the arguments are those of `check`.

    Raises:
        Refused: It has a problem; all of them are in the refusal.
    """
    checked = check(text, path=path, locate=locate, recipes=recipes)
    if checked.network is None:
        raise Refused.of(checked.problems)
    return checked.network


def checked_model(network: Network) -> Network:
    """Give back a network that was built in Python, once it is judged.

    Raises:
        Refused: It has a problem.
    """
    judgement = Judgement(None)
    judge(network, judgement)
    if judgement.problems:
        raise Refused.of(judgement.problems)
    return network


def read_years(text: str, what: str) -> float:
    """Give a length of time in years from a number of years, or a time with its unit.

    Raises:
        Refused: It is neither.
    """
    try:
        return years(text)
    except Unfit as unfit:
        raise Refused.of([unfit.problem(what, None, None)]) from None
