"""Pages that are made, not written: the trace matrix, the commands, the changes to come."""

import sys
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]


def on_files(files, config):
    """Add the made pages."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    from tests.conformance.matrix import as_page

    files.append(File.generated(config, "validation/trace-matrix.md", content=as_page()))
    files.append(File.generated(config, "reference/commands.md", content=_commands()))
    for name, made in (
        ("settings", _settings),
        ("refusals", _refusals),
        ("dictionary", _dictionary),
    ):
        files.append(File.generated(config, f"reference/{name}.md", content=made()))
    return files


def _commands():
    from anlage.app import command_classes
    from anlage.app.assemble import bind_commands

    bind_commands()
    lines = [
        "# Commands",
        "",
        "Each by page (`/act/NAME`), interface (`POST /api/commands/NAME`) and engine.",
    ]
    for name, cls in command_classes().items():
        first = (cls.__doc__ or "").strip().split("\n")[0]
        fields = [one for one in cls.__dataclass_fields__ if one != "signature"]
        signed = " Signed." if "signature" in cls.__dataclass_fields__ else ""
        lines += ["", f"## {name}", "", first + signed, "", ", ".join(f"`{one}`" for one in fields)]
    return "\n".join(lines) + "\n"


def _settings():
    from anlage.app import Settings

    lines = [
        "# Settings",
        "",
        "Each as `ANLAGE_NAME` in the environment, or `name` in `anlage.toml` of the installation's folder.",
        "",
        "| setting | default | what |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        lines.append(f"| `{name}` | `{default}` | {field.description} |")
    return "\n".join(lines) + "\n"


def _refusals():
    from anlage.app.dictionary import refusal_codes

    lines = [
        "# Codes of refusals",
        "",
        "A refusal says what, which one, the value found, the limit, what to do next and the rule. Its code is stable.",
        "",
        "| code | raised in |",
        "|---|---|",
    ]
    for code, places in refusal_codes(ROOT / "src" / "anlage").items():
        lines.append(f"| `{code}` | {', '.join(f'`{one}`' for one in places)} |")
    return "\n".join(lines) + "\n"


def _dictionary():
    from anlage.app import dictionary

    found = dictionary()
    lines = [
        "# Data dictionary",
        "",
        "`anlage dictionary -o DIR` writes a JSON Schema (draft 2020-12) of everything named here.",
        "",
        "## Facts",
        "",
        "| fact | version | says | fields |",
        "|---|---|---|---|",
    ]
    for kind, schema in found["facts"].items():
        fields = ", ".join(f"`{one}`" for one in schema["properties"])
        lines.append(f"| `{kind}` | {schema['x-version']} | {schema['description']} | {fields} |")
    lines += ["", "## Kinds of definition", "", "| kind | fields |", "|---|---|"]
    for kind, schema in found["definitions"].items():
        fields = ", ".join(f"`{one}`" for one in schema.get("properties", {}))
        lines.append(f"| `{kind}` | {fields} |")
    lines += ["", "## Views", "", "| view | version | folds | what |", "|---|---|---|---|"]
    for name, view in found["views"].items():
        families = ", ".join(view["families"]) or "all"
        lines.append(f"| `{name}` | {view['version']} | {families} | {view['about']} |")
    return "\n".join(lines) + "\n"
