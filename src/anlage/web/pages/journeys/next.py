"""What comes next in a journey, and whose work it is."""

from collections.abc import Mapping

from anlage.plant import JourneyStage
from anlage.web.actions import Action

COORDINATOR, NURSE, KEEPER = "coordinator", "collection-nurse", "store-keeper"
PHYSICIAN, WARD, OPERATOR = "physician", "ward-nurse", "operator"

RECEIPT, GO = "/journeys/{coi}/receipt", "/journeys/{coi}/lymphodepletion"
BEDSIDE = "/journeys/{coi}/bedside"
NEXT: Mapping[JourneyStage, tuple[Action, ...]] = {
    JourneyStage.ORDERED: (Action("Report the checks", "check-patient", (COORDINATOR,), True),),
    JourneyStage.CHECKED: (Action("Report the consent", "give-consent", (COORDINATOR,), True),),
    JourneyStage.CONSENTED: (Action("Book a slot", "book-slot", (COORDINATOR,), True),),
    JourneyStage.BOOKED: (
        Action("Order the collection", "order-collection", (COORDINATOR,), True),
        Action("Move the slot", "book-slot", (COORDINATOR,)),
    ),
    JourneyStage.COLLECTION_ORDERED: (
        Action("Collect", "record-collection", (NURSE,), True, "/journeys/{coi}/collection"),
    ),
    JourneyStage.COLLECTED: (
        Action("Receive the collection", "accept-collection", (KEEPER,), True, RECEIPT),
    ),
    JourneyStage.ACCEPTED: (Action("Begin the lot", "begin-lot", (OPERATOR,), True),),
    JourneyStage.MAKING: (
        Action("Prepare the patient by exception", "clear-lymphodepletion", (PHYSICIAN,), page=GO),
    ),
    JourneyStage.DOSE_RELEASED: (
        Action("Receive the dose", "receive-dose", (WARD,), True),
        Action("Prepare the patient by exception", "clear-lymphodepletion", (PHYSICIAN,), page=GO),
    ),
    JourneyStage.ON_SITE: (
        Action("Go for lymphodepletion", "clear-lymphodepletion", (PHYSICIAN,), True, GO),
    ),
    JourneyStage.CLEARED: (
        Action("Go to the bedside", "confirm-bedside", (WARD,), True, BEDSIDE),
        Action("Receive the dose", "receive-dose", (WARD,)),
    ),
    JourneyStage.CONFIRMED: (
        Action("Report the infusion", "record-infusion", (WARD,), True, BEDSIDE),
    ),
    JourneyStage.INFUSED: (
        Action(
            "Report a follow-up visit", "record-follow-up", (PHYSICIAN, WARD, COORDINATOR), True
        ),
        Action("What is left of the dose", "destroy-remainder", (WARD,), page=BEDSIDE),
    ),
}
ALWAYS = (
    Action("Consent withdrawn", "withdraw-consent", (COORDINATOR, PHYSICIAN)),
    Action("Cancel", "cancel-journey", (COORDINATOR, PHYSICIAN)),
)
