/* pgpool_stats--1.0.sql: client connection pools, not related to Pgpool-II */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgpool_stats" to load this file. \quit

-- who owns the schema may have put there what names in this script would find
DO $$
DECLARE
	stranger text := (
		SELECT r.rolname FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
		WHERE n.nspname = 'pgpool_stats' AND NOT r.rolsuper);
BEGIN
	IF stranger IS NOT NULL THEN
		RAISE insufficient_privilege USING
			MESSAGE = pg_catalog.format('schema "pgpool_stats" belongs to role "%s", who is no superuser', stranger),
			HINT = 'Drop it: CREATE EXTENSION makes one.';
	END IF;
END;
$$;

COMMENT ON SCHEMA pgpool_stats IS
	'client connection pools (not Pgpool-II): start with overview';
GRANT USAGE ON SCHEMA pgpool_stats TO PUBLIC;
