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
