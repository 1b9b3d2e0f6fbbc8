--
-- Whatever is called is ours or in pg_catalog: dblink is where anybody may have
-- made functions and operators, and some of ours run as who created the
-- extension.  So each function of dblink is called by one of ours that has its
-- name, and knows which it means since it was created.
--

CREATE FUNCTION pgpool_stats_fleet.dblink_get_connections()
RETURNS text[]
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
RETURN dblink_get_connections();
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_get_connections() IS
	'behind get_rows: that of dblink';

CREATE FUNCTION pgpool_stats_fleet.dblink_connect(connection text, conninfo text)
RETURNS text
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
RETURN dblink_connect(connection, conninfo);
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_connect(text, text) IS
	'behind get_rows: that of dblink';

CREATE FUNCTION pgpool_stats_fleet.dblink_disconnect(connection text)
RETURNS text
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
RETURN dblink_disconnect(connection);
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_disconnect(text) IS
	'behind get_rows: that of dblink';

CREATE FUNCTION pgpool_stats_fleet.dblink_send_query(connection text, query text)
RETURNS int
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
RETURN dblink_send_query(connection, query);
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_send_query(text, text) IS
	'behind get_rows: that of dblink';

CREATE FUNCTION pgpool_stats_fleet.dblink_is_busy(connection text)
RETURNS int
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
RETURN dblink_is_busy(connection);
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_is_busy(text) IS
	'behind get_rows: that of dblink';

CREATE FUNCTION pgpool_stats_fleet.dblink_get_result(connection text, fail boolean)
RETURNS SETOF text
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT r.answer FROM dblink_get_result(connection, fail) AS r(answer text);
END;
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_get_result(text, boolean) IS
	'behind get_rows: that of dblink, of one column';

CREATE FUNCTION pgpool_stats_fleet.dblink_error_message(connection text)
RETURNS text
LANGUAGE sql STRICT VOLATILE PARALLEL RESTRICTED
RETURN dblink_error_message(connection);
COMMENT ON FUNCTION pgpool_stats_fleet.dblink_error_message(text) IS
	'behind get_rows: that of dblink';

-- for all that follows, when it is created and when it is called
SET LOCAL search_path TO pgpool_stats_fleet, pg_temp;
