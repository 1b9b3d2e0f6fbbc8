# The views of the fleet are those of one server with the server before them:
# columns and comments come from the views' own scripts.

FNR == 1 {
	view = FILENAME
	sub(/.*\//, "", view)
	sub(/\.sql$/, "", view)
	columns = ""
	inside = 0
}

$0 == "RETURNS TABLE (" && columns == "" {
	inside = 1
	next
}

inside && $0 == ")" {
	inside = 0
	printf "CREATE VIEW pgpool_stats_fleet.%s AS\n", view
	printf "\tSELECT a.server, r.*\n\tFROM pgpool_stats_fleet.get_rows('%s') AS a\n", view
	printf "\t\tCROSS JOIN LATERAL pg_catalog.jsonb_to_record(a.answer) AS r (\n%s);\n", columns
	printf "GRANT SELECT ON pgpool_stats_fleet.%s TO pg_monitor;\n", view
	printf "COMMENT ON COLUMN pgpool_stats_fleet.%s.server IS 'Name of the server, see servers';\n", view
}

inside {
	columns = columns "\t" $0 "\n"
}

/^COMMENT ON (VIEW|COLUMN) pgpool_stats\./ {
	sub(/pgpool_stats\./, "pgpool_stats_fleet.")
	comment = 1
}

comment {
	print
	comment = !/;$/
}
