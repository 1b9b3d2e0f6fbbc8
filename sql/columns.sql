-- The rows that the library makes are those that are declared in SQL.

-- call every function that makes rows and needs no argument
DO $$
DECLARE
	f regproc;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = prolang
		WHERE pronamespace = 'pgpool_stats'::regnamespace AND proretset
			AND lanname = 'c' AND pronargs = pronargdefaults
		ORDER BY proname COLLATE "C"
	LOOP
		EXECUTE format('SELECT * FROM %s()', f);
		RAISE INFO '%', f;
	END LOOP;
END $$;

-- each makes sure of that: another name, order, type, one too many
CREATE FUNCTION renamed() RETURNS TABLE (reason text, counted bigint)
AS '$libdir/pgpool_stats', 'pgps_get_rejected_by_reason' LANGUAGE C STRICT;
CREATE FUNCTION reordered() RETURNS TABLE (count bigint, reason text)
AS '$libdir/pgpool_stats', 'pgps_get_rejected_by_reason' LANGUAGE C STRICT;
CREATE FUNCTION retyped() RETURNS TABLE (reason text, count int)
AS '$libdir/pgpool_stats', 'pgps_get_rejected_by_reason' LANGUAGE C STRICT;
CREATE FUNCTION lengthened() RETURNS TABLE (reason text, count bigint, last_rejected timestamptz)
AS '$libdir/pgpool_stats', 'pgps_get_rejected_by_reason' LANGUAGE C STRICT;
-- too few; also when there is no row
CREATE FUNCTION shortened() RETURNS TABLE (id int, rule text, pool text)
AS '$libdir/pgpool_stats', 'pgps_get_silences' LANGUAGE C STRICT;
SELECT * FROM renamed();
SELECT * FROM reordered();
SELECT * FROM retyped();
SELECT * FROM lengthened();
SELECT * FROM shortened();
DROP FUNCTION renamed, reordered, retyped, lengthened, shortened;
