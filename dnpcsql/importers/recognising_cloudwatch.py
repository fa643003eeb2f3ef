"""By what exports of AWS CloudWatch Logs are known: by what is in them."""

from __future__ import annotations

import re
from pathlib import Path

from dnpcsql.importers.unpacked import unpacked_head

# {"results": [[{"field": "@timestamp", "value": "2022-08-03 11:26:38.130"}, …
_FIELDS = re.compile(rb'\{\s*"(?:field|value)":\s*"')
# [{"@timestamp": "2022-08-03 11:26:38.130", "@message": …
_INSIGHTS = re.compile(rb'^\s*\[\s*\{\s*"@(?:timestamp|message|ptr)":')
# {"events": [{"logStreamName": "…", "timestamp": 1659525998130, "message": "…", "ingestionTime": …
_EVENTS = re.compile(
    rb'^\s*\{\s*"events":\s*\[.{0,2000}?"timestamp":\s*\d{12,13}\s*[,}]', re.DOTALL
)
# @timestamp,@message
# timestamp,message
# 1659525998130,"…     (others have columns of these names as well)
_CSV = re.compile(
    rb'^"?(?:@timestamp"?,|[^\n]{0,500},"?@message"?\r?\n'
    rb'|timestamp"?,"?message"?\r?\n"?\d{12,13}"?,)'
)


def cloudwatch(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is an export of CloudWatch Logs."""
    text = unpacked_head(head).removeprefix(b"\xef\xbb\xbf")
    if text.lstrip()[:1] in (b"{", b"["):
        results = b'"results"' in text or text.lstrip()[:1] == b"["
        query = results and b'"@' in text and _FIELDS.search(text) is not None
        return query or _INSIGHTS.match(text) is not None or _EVENTS.match(text) is not None
    return _CSV.match(text) is not None
