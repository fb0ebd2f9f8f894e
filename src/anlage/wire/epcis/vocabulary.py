"""The words of the Core Business Vocabulary 2.0 and of the GS1 Web Vocabulary that EPCIS uses.

Word lists are facts of the CBV 2.0 standard; each stands in a document as a bare word, as a web
address, as a compact address (`cbv:BizStep-shipping`) or, from CBV 1.2, as a URN.
"""


def words(text: str) -> frozenset[str]:
    """Give the set of the words of a text."""
    return frozenset(text.split())


CBV = "https://ref.gs1.org/cbv/"
VOC = "https://gs1.org/voc/"

BUSINESS_STEPS = words(
    """
    accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting decommissioning departing destroying disassembling dispensing encoding
    entering_exiting holding inspecting installing killing loading other packing picking
    receiving removing repackaging repairing replacing reserving retail_selling sampling
    sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping
    """
)
DISPOSITIONS = words(
    """
    active available completeness_inferred completeness_verified conformant container_closed
    container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement
    no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved
    retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown
    """
)
TRANSACTION_TYPES = words(
    """
    bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt
    """
)
PARTY_TYPES = words(
    """
    location owning_party possessing_party
    """
)
ERROR_REASONS = words(
    """
    did_not_occur incorrect_data
    """
)
COMPONENTS = words(
    """
    altitude axial_distance azimuth easting elevation_angle height latitude longitude northing
    polar_angle spherical_radius x y z
    """
)
ALERTS = frozenset({"ALARM_CONDITION", "ERROR_CONDITION"})
MEASUREMENTS = words(
    """
    AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity
    Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
    DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity
    ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance
    KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity
    MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
    MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power
    Pressure RadiantFlux RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity
    SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque
    Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber
    """
)
MEASUREMENTS_IN_USE = MEASUREMENTS | {"EffectiveDose", "EffectiveDoseRate", "Molar_concentration"}
"""The measurements of the context, and those that GS1's published examples use beside them."""

URN_PREFIXES = {
    "urn:epcglobal:cbv:bizstep:": f"{CBV}BizStep-",
    "urn:epcglobal:cbv:disp:": f"{CBV}Disp-",
    "urn:epcglobal:cbv:btt:": f"{CBV}BTT-",
    "urn:epcglobal:cbv:sdt:": f"{CBV}SDT-",
    "urn:epcglobal:cbv:er:": f"{CBV}ER-",
}
"""The URNs of CBV 1.2 and the web addresses that took their place."""

EXPANSIONS: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    ("", "bizStep"): (BUSINESS_STEPS, f"{CBV}BizStep-"),
    ("", "disposition"): (DISPOSITIONS, f"{CBV}Disp-"),
    ("persistentDisposition", "set"): (DISPOSITIONS, f"{CBV}Disp-"),
    ("persistentDisposition", "unset"): (DISPOSITIONS, f"{CBV}Disp-"),
    ("bizTransactionList", "type"): (TRANSACTION_TYPES, f"{CBV}BTT-"),
    ("sourceList", "type"): (PARTY_TYPES, f"{CBV}SDT-"),
    ("destinationList", "type"): (PARTY_TYPES, f"{CBV}SDT-"),
    ("errorDeclaration", "reason"): (ERROR_REASONS, f"{CBV}ER-"),
    ("sensorReport", "type"): (MEASUREMENTS, VOC),
    ("sensorReport", "exception"): (ALERTS, VOC),
    ("sensorReport", "component"): (COMPONENTS, f"{CBV}Comp-"),
}
"""Holder and key of each worded value: its words, and what stands before them in a web address."""
EXPANDED_KEYS = frozenset(key for _, key in EXPANSIONS)
