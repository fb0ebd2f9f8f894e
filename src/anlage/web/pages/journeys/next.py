"""What comes next in a journey, and whose work it is."""

from collections.abc import Mapping

from anlage.plant import JourneyStage
from anlage.web.actions import Action

COORDINATOR, NURSE, KEEPER = "coordinator", "collection-nurse", "store-keeper"
PHYSICIAN, WARD, OPERATOR = "physician", "ward-nurse", "operator"

NEXT: Mapping[JourneyStage, tuple[Action, ...]] = {
    JourneyStage.ORDERED: (Action("Report the checks", "check-patient", (COORDINATOR,), True),),
    JourneyStage.CHECKED: (Action("Report the consent", "give-consent", (COORDINATOR,), True),),
    JourneyStage.CONSENTED: (Action("Book a slot", "book-slot", (COORDINATOR,), True),),
    JourneyStage.BOOKED: (
        Action("Order the collection", "order-collection", (COORDINATOR,), True),
        Action("Move the slot", "book-slot", (COORDINATOR,)),
    ),
    JourneyStage.COLLECTION_ORDERED: (
        Action("Report the collection", "record-collection", (NURSE,), True),
        Action("The collection failed", "fail-collection", (NURSE,)),
    ),
    JourneyStage.COLLECTED: (
        Action("Accept the collection, or reject it", "accept-collection", (KEEPER,), True),
    ),
    JourneyStage.ACCEPTED: (Action("Begin the lot", "begin-lot", (OPERATOR,), True),),
    JourneyStage.MAKING: (
        Action("Prepare the patient by exception", "clear-lymphodepletion", (PHYSICIAN,)),
    ),
    JourneyStage.DOSE_RELEASED: (
        Action("Receive the dose", "receive-dose", (WARD,), True),
        Action("Prepare the patient by exception", "clear-lymphodepletion", (PHYSICIAN,)),
    ),
    JourneyStage.ON_SITE: (
        Action("Go for lymphodepletion", "clear-lymphodepletion", (PHYSICIAN,), True),
    ),
    JourneyStage.CLEARED: (
        Action("Compare band and bag at the bedside", "confirm-bedside", (WARD,), True),
        Action("Receive the dose", "receive-dose", (WARD,)),
    ),
    JourneyStage.CONFIRMED: (Action("Report the infusion", "record-infusion", (WARD,), True),),
    JourneyStage.INFUSED: (
        Action(
            "Report a follow-up visit", "record-follow-up", (PHYSICIAN, WARD, COORDINATOR), True
        ),
        Action("Return what is left", "return-remainder", (WARD,)),
        Action("Destroy what is left", "destroy-remainder", (WARD,)),
    ),
}
ALWAYS = (
    Action("Consent withdrawn", "withdraw-consent", (COORDINATOR, PHYSICIAN)),
    Action("Cancel", "cancel-journey", (COORDINATOR, PHYSICIAN)),
)
