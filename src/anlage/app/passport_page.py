"""The page that checks passports as one file: it works with no server and no network."""

import html
from pathlib import Path

import anlage

_STATIC = Path(anlage.__file__).parent / "web" / "static" / "anlage"


def offline_page(key: str) -> str:
    """Give the page with its style and script inside, and the trusted key filled in.

    Args:
        key: The key of the issuing site as text; empty to let the reader enter it.
    """
    style = (_STATIC / "anlage.css").read_text("utf-8")
    script = (_STATIC / "passport.js").read_text("utf-8")
    return _PAGE.format(style=style, script=script, key=html.escape(key.strip(), quote=True))


_PAGE = """<!doctype html>
<html lang="en" data-theme="auto"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Check a passport</title><style>{style}</style></head>
<body><main id="main"><h1>Check a passport</h1>
<form id="passport-form" class="sheet"><label for="key">Key of the issuing site</label>
<input id="key" name="key" value="{key}" autocomplete="off" placeholder="z6Mk…">
<label for="passport">Text of its code (AP1:…), or the passport itself</label>
<textarea id="passport" name="passport" required></textarea>
<label for="photo">or its file, or a photo of its code</label>
<input id="photo" name="photo" type="file"><p><button class="main big">Check</button></p></form>
<section id="verdict" class="sheet" aria-live="polite"></section></main>
<script>{script}</script></body></html>
"""  # noqa: E501 - the policy of the page is one value
