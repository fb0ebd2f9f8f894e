"""APP: the wiring: settings, assembly, the command engine, the installation, verification.

Touches: everything below.
Touched by: web, cli.
Start at: engine.py (how a command runs), then installation.py.
"""

from .accounts import Tell, telling
from .backup import backup, restore
from .claims import OpenClaim, open_claims, take_by_agreement
from .code_name import code_name
from .code_reading import CodeRead, keep_scan, understand
from .commands.collection_counts import counts_asked
from .commands.infusion import collection_in_effect
from .conditions import predicted, take_in, way_figure
from .custody import custody_histories, custody_on_record
from .desk import (
    check_login,
    configure,
    has_account,
    make_account,
    make_token,
    prepare_desk,
    reset_password,
)
from .dictionary import dictionary, write_dictionary
from .documents import batch_record, certificate_of_analysis, documents_of
from .engine import (
    Desk,
    Engine,
    NumberGiven,
    Outcome,
    command,
    command_classes,
    name_of,
    request_of,
)
from .epcis_export import epcis_of
from .exporting import export
from .founding import first_administrator
from .gathering import Gatherer
from .headers import must_name_nobody
from .incoming import read_delivery
from .installation import Installation
from .job_runner import Runner
from .jobs import Cancelled, JobKind, Jobs, Work, job, job_kinds, job_request
from .label_printing import TAGGED, label_layout, label_values, tag_values
from .lanes import add_to_pool, advice, checked_way, read_pool, records_to_share, rules_in_force
from .measuring import MeasureFile, keep_file, measure, measure_request, measurement_of
from .methods import know_methods
from .metrics import as_data as metrics_as_data
from .metrics import coverage, measured
from .network_recipes import recipe_tasks
from .network_report import drawings_of, key_figures, network_report, side_by_side
from .networks import check_network, know_networks, network_content, network_examples
from .passport_page import offline_page
from .passport_record import passport_record
from .personal import keep_personal, read_personal
from .plant_clock import SimulatedClock, open_clocked, opened, set_speed
from .promises import Course, Promised, promised, promises_of_journey, release_promises
from .recipes import know_recipes
from .scanning import Meant, Scanned, meaning
from .sentences import sentence, told
from .serving import must_be_free, serve
from .settings import Settings, settings
from .shipment_papers import HANDLING, papers_of, print_papers
from .signatures import Wanted, signature_fields, signatures_wanted, with_signatures
from .stowing import around, pickable, suggestions
from .tag_list import ForeignTag, TagList, tag_list
from .verification import custody_shown, read_key, verify, verify_bytes

__all__ = [
    "counts_asked",
    "label_layout",
    "TAGGED",
    "label_values",
    "tag_values",
    "passport_record",
    "ForeignTag",
    "TagList",
    "tag_list",
    "dictionary",
    "write_dictionary",
    "recipe_tasks",
    "Tell",
    "telling",
    "keep_personal",
    "must_name_nobody",
    "read_key",
    "read_personal",
    "Cancelled",
    "Course",
    "Desk",
    "Engine",
    "Gatherer",
    "OpenClaim",
    "code_name",
    "offline_page",
    "coverage",
    "measured",
    "metrics_as_data",
    "CodeRead",
    "keep_scan",
    "understand",
    "epcis_of",
    "open_claims",
    "take_by_agreement",
    "Installation",
    "MeasureFile",
    "JobKind",
    "Jobs",
    "Meant",
    "add_to_pool",
    "advice",
    "around",
    "checked_way",
    "read_delivery",
    "read_pool",
    "records_to_share",
    "rules_in_force",
    "HANDLING",
    "papers_of",
    "predicted",
    "print_papers",
    "take_in",
    "way_figure",
    "pickable",
    "suggestions",
    "Scanned",
    "meaning",
    "NumberGiven",
    "Outcome",
    "Promised",
    "Runner",
    "Settings",
    "Wanted",
    "Work",
    "job",
    "job_kinds",
    "job_request",
    "signature_fields",
    "signatures_wanted",
    "with_signatures",
    "SimulatedClock",
    "backup",
    "check_login",
    "check_network",
    "batch_record",
    "certificate_of_analysis",
    "command",
    "documents_of",
    "drawings_of",
    "key_figures",
    "side_by_side",
    "restore",
    "configure",
    "first_administrator",
    "has_account",
    "reset_password",
    "make_account",
    "make_token",
    "opened",
    "prepare_desk",
    "must_be_free",
    "serve",
    "set_speed",
    "command_classes",
    "export",
    "keep_file",
    "know_methods",
    "know_networks",
    "know_recipes",
    "measure",
    "measure_request",
    "measurement_of",
    "name_of",
    "network_content",
    "network_examples",
    "network_report",
    "open_clocked",
    "promised",
    "promises_of_journey",
    "release_promises",
    "request_of",
    "sentence",
    "told",
    "settings",
    "collection_in_effect",
    "custody_histories",
    "custody_on_record",
    "custody_shown",
    "verify",
    "verify_bytes",
]
