"""What a method of measurement may be used for, and what it was shown to do.

A method is developed to understand, then to develop, and only after validation to control a lot.
The card travels with every result, so that a number is never offered for a decision that its
method is not qualified for (ICH Q2(R2) and Q14 hold a procedure to its intended purpose).
"""

from dataclasses import dataclass

from anlage.library import MethodPurpose as Purpose

__all__ = ["MethodCard", "Purpose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCard:
    """The identity, the purposes and the proven range of one method.

    Attributes:
        name: Stable name, in kebab-case.
        version: Version of the method; a change that moves a number changes it.
        purposes: What the method is made for.
        qualified_for: What it has been validated for; empty until someone has.
        trained_domain: The material, instrument and range it was developed on, in words.
        sources: Data sets, publications and standards it rests on.

    Example:
        >>> card = MethodCard(
        ...     name="cell-count", version="1", purposes=(Purpose.DEVELOPMENT,),
        ...     qualified_for=(), trained_domain="discs", sources=("renderer",),
        ... )
        >>> card.may_serve(Purpose.CONTROL)
        False
    """

    name: str
    version: str
    purposes: tuple[Purpose, ...]
    qualified_for: tuple[Purpose, ...]
    trained_domain: str
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that nothing is qualified beyond its purpose."""
        if not self.name or not self.version or not self.purposes:
            raise ValueError("a method has a name, a version and at least one purpose")
        if beyond := set(self.qualified_for) - set(self.purposes):
            names = ", ".join(sorted(purpose.value for purpose in beyond))
            raise ValueError(f"method {self.name} is qualified beyond its purposes: {names}")

    def may_serve(self, purpose: Purpose) -> bool:
        """Tell whether a result of the method may be offered for the purpose.

        Understanding and development need the purpose alone; control needs qualification.
        """
        if purpose is Purpose.CONTROL:
            return purpose in self.qualified_for
        return purpose in self.purposes

    def as_dict(self) -> dict[str, str | list[str]]:
        """Give the card as a JSON object."""
        return {
            "name": self.name,
            "version": self.version,
            "purposes": [purpose.value for purpose in self.purposes],
            "qualified_for": [purpose.value for purpose in self.qualified_for],
            "trained_domain": self.trained_domain,
            "sources": list(self.sources),
        }

    def warnings_for(
        self, purposes: tuple[Purpose, ...], *, validated_for: tuple[Purpose, ...] = ()
    ) -> tuple[str, ...]:
        """Say, one sentence each, for which purposes the method is used beyond what it may.

        Args:
            purposes: What the user wants to do with the results.
            validated_for: What the site has validated it for, on its own samples.
        """
        held = {*self.qualified_for, *validated_for}
        qualified = ", ".join(one.value for one in Purpose if one in held) or "nothing yet"
        return tuple(
            f"{self.name} {self.version} is used for {one.value}, but is made for "
            f"{', '.join(made.value for made in self.purposes)} and qualified for {qualified}"
            for one in purposes
            if one not in self.purposes or (one is Purpose.CONTROL and one not in held)
        )
