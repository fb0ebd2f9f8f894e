"""APP: the wiring: settings, assembly, the command engine, the installation, verification.

Touches: everything below.
Touched by: web, cli.
Start at: engine.py (how a command runs), then installation.py.
"""

from .accounts import Tell, telling
from .backup import backup, restore
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
from .exporting import export
from .founding import first_administrator
from .gathering import Gatherer
from .headers import must_name_nobody
from .installation import Installation
from .job_runner import Runner
from .jobs import Cancelled, JobKind, Jobs, Work, job, job_kinds, job_request
from .measuring import MeasureFile, keep_file, measure, measure_request, measurement_of
from .personal import keep_personal, read_personal
from .plant_clock import SimulatedClock, open_clocked, opened, set_speed
from .recipes import know_recipes
from .scanning import Meant, Scanned, meaning
from .sentences import sentence
from .serving import serve
from .settings import Settings, settings
from .signatures import Wanted, signature_fields, signatures_wanted, with_signatures
from .stowing import around, pickable, suggestions
from .verification import custody_shown, read_key, verify, verify_bytes

__all__ = [
    "dictionary",
    "write_dictionary",
    "Tell",
    "telling",
    "keep_personal",
    "must_name_nobody",
    "read_key",
    "read_personal",
    "Cancelled",
    "Desk",
    "Engine",
    "Gatherer",
    "Installation",
    "MeasureFile",
    "JobKind",
    "Jobs",
    "Meant",
    "around",
    "pickable",
    "suggestions",
    "Scanned",
    "meaning",
    "NumberGiven",
    "Outcome",
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
    "batch_record",
    "certificate_of_analysis",
    "command",
    "documents_of",
    "restore",
    "configure",
    "first_administrator",
    "has_account",
    "reset_password",
    "make_account",
    "make_token",
    "opened",
    "prepare_desk",
    "serve",
    "set_speed",
    "command_classes",
    "export",
    "keep_file",
    "know_recipes",
    "measure",
    "measure_request",
    "measurement_of",
    "name_of",
    "open_clocked",
    "request_of",
    "sentence",
    "settings",
    "custody_shown",
    "verify",
    "verify_bytes",
]
