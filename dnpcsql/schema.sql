-- Made of schema.py, which explains every column: python -m dnpcsql.schema

CREATE TABLE event (
	span_uuid TEXT NOT NULL,
	time_unix_nano BIGINT NOT NULL,
	type TEXT NOT NULL,
	source_id INTEGER NOT NULL,
	line BIGINT NOT NULL,
	note TEXT,
	attributes TEXT,
	dropped_attributes_count INTEGER,
	time FLOAT GENERATED ALWAYS AS (time_unix_nano / 1e9) VIRTUAL,
	uuid TEXT GENERATED ALWAYS AS (span_uuid || '.' || line || '.' || type) VIRTUAL,
	PRIMARY KEY (span_uuid, time_unix_nano, type, source_id, line),
	CHECK (typeof(time_unix_nano) = 'integer')
)
 WITHOUT ROWID;

CREATE TABLE facet (
	left_uuid TEXT NOT NULL,
	right_uuid TEXT NOT NULL,
	note TEXT,
	source_id INTEGER,
	PRIMARY KEY (left_uuid, right_uuid)
)
 WITHOUT ROWID;

CREATE INDEX facet_reverse ON facet (right_uuid, left_uuid);

CREATE TABLE link (
	span_uuid TEXT NOT NULL,
	linked_uuid TEXT NOT NULL,
	type TEXT NOT NULL,
	ordinal INTEGER NOT NULL,
	trace_id TEXT,
	span_id TEXT,
	trace_state TEXT,
	flags BIGINT,
	attributes TEXT,
	dropped_attributes_count INTEGER,
	source_id INTEGER,
	PRIMARY KEY (span_uuid, linked_uuid, type, ordinal)
)
 WITHOUT ROWID;

CREATE INDEX link_parsl ON link (linked_uuid, span_uuid) WHERE type = 'parsl';

CREATE INDEX link_reverse ON link (linked_uuid, span_uuid);

CREATE TABLE problem (
	source_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	line BIGINT NOT NULL,
	text TEXT NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (source_id, kind, line, text)
)
 WITHOUT ROWID;

CREATE INDEX problem_kind ON problem (kind);

CREATE TABLE resource (
	id TEXT NOT NULL,
	attributes TEXT,
	schema_url TEXT,
	dropped_attributes_count INTEGER,
	entity_refs TEXT,
	PRIMARY KEY (id)
)
 WITHOUT ROWID;

CREATE TABLE sample (
	span_uuid TEXT NOT NULL,
	time_unix_nano BIGINT NOT NULL,
	source_id INTEGER NOT NULL,
	line BIGINT NOT NULL,
	metrics TEXT,
	PRIMARY KEY (span_uuid, time_unix_nano, source_id, line),
	CHECK (typeof(time_unix_nano) = 'integer')
)
 WITHOUT ROWID;

CREATE TABLE scope (
	id TEXT NOT NULL,
	name TEXT,
	version TEXT,
	attributes TEXT,
	schema_url TEXT,
	dropped_attributes_count INTEGER,
	PRIMARY KEY (id)
)
 WITHOUT ROWID;

CREATE TABLE source (
	id INTEGER NOT NULL,
	path TEXT NOT NULL,
	importer TEXT,
	size BIGINT,
	modified_unix_nano BIGINT,
	fingerprint TEXT,
	imported_at FLOAT,
	runs TEXT,
	lines BIGINT,
	records BIGINT,
	understood BIGINT,
	problems BIGINT,
	messages TEXT,
	shares TEXT,
	utc_offset TEXT,
	utc_offset_how TEXT,
	PRIMARY KEY (id),
	UNIQUE (path)
)
 WITHOUT ROWID;

CREATE INDEX source_fingerprint ON source (fingerprint);

CREATE TABLE span (
	uuid TEXT NOT NULL,
	type TEXT NOT NULL,
	note TEXT,
	trace_high TEXT NOT NULL,
	trace_id TEXT GENERATED ALWAYS AS (trace_high || substr(uuid, 1, 12)) VIRTUAL,
	span_id TEXT GENERATED ALWAYS AS (coalesce(original_span_id, substr(uuid, 13))) VIRTUAL,
	parent_uuid TEXT,
	name TEXT,
	kind INTEGER,
	start_unix_nano BIGINT,
	end_unix_nano BIGINT,
	status_code INTEGER,
	status_message TEXT,
	attributes TEXT,
	dropped_attributes_count INTEGER,
	dropped_events_count INTEGER,
	dropped_links_count INTEGER,
	resource_id TEXT,
	scope_id TEXT,
	trace_state TEXT,
	flags BIGINT,
	original_span_id TEXT,
	source_id INTEGER,
	line BIGINT,
	PRIMARY KEY (uuid),
	CHECK (typeof(start_unix_nano) IN ('integer', 'null')),
	CHECK (typeof(end_unix_nano) IN ('integer', 'null'))
)
 WITHOUT ROWID;

CREATE INDEX span_executor_htex_interchange ON span (uuid) WHERE type = 'parsl.executor.htex.interchange';

CREATE INDEX span_monitoring_task ON span (CAST(substr(uuid, 15, 10) AS INTEGER)) WHERE type = 'parsl.monitoring.task';

CREATE INDEX span_monitoring_try ON span (CAST(substr(uuid, 15, 10) AS INTEGER)) WHERE type = 'parsl.monitoring.try';

CREATE INDEX span_monitoring_workflow ON span (uuid) WHERE type = 'parsl.monitoring.workflow';

CREATE INDEX span_original ON span (original_span_id) WHERE original_span_id IS NOT NULL;

CREATE INDEX span_rundir_task ON span (CAST(substr(uuid, 15, 10) AS INTEGER)) WHERE type = 'parsl.rundir.task';

CREATE INDEX span_rundir_try ON span (CAST(substr(uuid, 15, 10) AS INTEGER)) WHERE type = 'parsl.rundir.try';

CREATE INDEX span_rundir_workflow ON span (uuid) WHERE type = 'parsl.rundir.workflow';

CREATE TABLE subspan (
	superspan_uuid TEXT NOT NULL,
	subspan_uuid TEXT NOT NULL,
	"key" TEXT NOT NULL,
	note TEXT,
	source_id INTEGER,
	PRIMARY KEY (superspan_uuid, subspan_uuid, "key")
)
 WITHOUT ROWID;

CREATE INDEX subspan_reverse ON subspan (subspan_uuid, superspan_uuid);
