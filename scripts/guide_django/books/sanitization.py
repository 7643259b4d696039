"""Harmless HTML and plain text, as §11.1 makes them."""

import bleach
from django.utils.html import escape, strip_tags

TAGS = ["p", "br", "strong", "em", "u", "a", "ul", "ol", "li"]


def sanitize_html(text):
    cleaned = bleach.clean(text, tags=TAGS, attributes={"a": ["href", "title"]}, strip=True)
    return bleach.linkify(cleaned, parse_email=False)


def sanitize_plain_text(text):
    return escape(strip_tags(text))
