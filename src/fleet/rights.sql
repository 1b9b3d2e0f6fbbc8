-- Members of pg_monitor read; nobody else does anything.  What a view calls is
-- called by its reader.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgpool_stats_fleet FROM PUBLIC;
GRANT USAGE ON SCHEMA pgpool_stats_fleet TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgpool_stats_fleet.get_all_answers(text),
	pgpool_stats_fleet.get_overview_rows(), pgpool_stats_fleet.get_rows(text),
	pgpool_stats_fleet.get_rank(text), pgpool_stats_fleet.check_plan(jsonb, text)
	TO pg_monitor;
