-- How types of spans hang together: what contains what, what is an account of the same thing.
CREATE VIEW span_type_relation AS
SELECT
  'contains' AS relation,  -- contains, facet, or a link's type
  upper_span.type AS left_type,  -- of the containing, the first, the linking span
  lower_span.type AS right_type,  -- of the contained, the other, the linked span
  count(*) AS relations  -- how many
FROM subspan
JOIN span AS upper_span ON upper_span.uuid = superspan_uuid
JOIN span AS lower_span ON lower_span.uuid = subspan_uuid
GROUP BY upper_span.type, lower_span.type
UNION ALL
SELECT 'facet', one.type, other.type, count(*)
FROM facet
JOIN span AS one ON one.uuid = left_uuid
JOIN span AS other ON other.uuid = right_uuid
GROUP BY one.type, other.type
UNION ALL
SELECT link.type, one.type, other.type, count(*)
FROM link
JOIN span AS one ON one.uuid = span_uuid
JOIN span AS other ON other.uuid = linked_uuid
GROUP BY link.type, one.type, other.type;
