-- who may create in the schema may have put there what names in this script would find
DO $$
DECLARE
	stranger text := (
		SELECT coalesce('Role "' || min(r.rolname::text) || '"', 'Everybody')
		FROM pg_catalog.pg_namespace AS n
			CROSS JOIN LATERAL (
				SELECT n.nspowner AS role
				UNION ALL
				SELECT grantee FROM pg_catalog.aclexplode(n.nspacl) WHERE privilege_type = 'CREATE') AS may
			LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = may.role
		WHERE n.nspname = '@extschema@' AND r.rolsuper IS NOT TRUE
		HAVING count(*) > 0);
BEGIN
	IF stranger IS NOT NULL THEN
		RAISE insufficient_privilege USING
			MESSAGE = 'schema "@extschema@" may have objects of somebody who is no superuser',
			DETAIL = stranger || ' may create in it.',
			HINT = 'Drop it: CREATE EXTENSION makes one.';
	END IF;
END;
$$;
