"""OpenTelemetry's protocol: what it says of spans, as this database's rows and back.

`attributes` is its typed values as JSON text; `json_codec` and `protobuf_codec` decode and encode
a ResourceSpans; `wire` encodes without the protobuf library; `reading` brings foreign spans back
out of the tables.
"""
