CREATE FUNCTION pgpool_stats.get_info()
RETURNS TABLE (
	loaded boolean,
	version text,
	collector_pid int,
	last_pass timestamptz,
	sees_all boolean,
	instances_used int,
	instances_max int,
	overflowed_instances bigint,
	unlabelled_connections int,
	unmapped_keys bigint,
	dropped bigint,
	stats_reset timestamptz,
	started_at timestamptz,
	notes text
)
AS 'MODULE_PATHNAME', 'pgps_get_info'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgpool_stats.get_info() IS
	'behind the view info';

CREATE VIEW pgpool_stats.info AS
	SELECT * FROM pgpool_stats.get_info();
GRANT SELECT ON pgpool_stats.info TO PUBLIC;
COMMENT ON VIEW pgpool_stats.info IS
	'How pgpool_stats itself is doing (one row)';
COMMENT ON COLUMN pgpool_stats.info.loaded IS 'Is the library in shared_preload_libraries?';
COMMENT ON COLUMN pgpool_stats.info.version IS 'Version of the library';
COMMENT ON COLUMN pgpool_stats.info.collector_pid IS 'Process of the collector; null = not running';
COMMENT ON COLUMN pgpool_stats.info.last_pass IS 'When the collector last ran';
COMMENT ON COLUMN pgpool_stats.info.sees_all IS 'Do you see the pools of all roles?';
COMMENT ON COLUMN pgpool_stats.info.instances_used IS 'Instances kept now';
COMMENT ON COLUMN pgpool_stats.info.instances_max IS 'Instances there is room for';
COMMENT ON COLUMN pgpool_stats.info.overflowed_instances IS 'Reports and connections put into (other)';
COMMENT ON COLUMN pgpool_stats.info.unlabelled_connections IS 'Connections without pgpool_stats.pool';
COMMENT ON COLUMN pgpool_stats.info.unmapped_keys IS 'Keys in reports that were not understood';
COMMENT ON COLUMN pgpool_stats.info.dropped IS 'Rows removed early to make room';
COMMENT ON COLUMN pgpool_stats.info.stats_reset IS 'Since when the counters have counted';
COMMENT ON COLUMN pgpool_stats.info.started_at IS 'When the server started';
COMMENT ON COLUMN pgpool_stats.info.notes IS 'What cannot be seen, and why';
