#!/usr/bin/awk -f
#
# layout.awk main/persist.c HEADER ...: prints the types that the save file
# consists of, without comments.  A checksum of that is kept in the file, so
# that one written by a library with other structs or another order of counters
# is not read (make; main/persist.c).
#
# The types are those whose size main/persist.c takes, and all that they use.

{
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "")
	if (sub(/\/\*.*/, ""))
		comment = 1
	else if (comment) {
		if (!sub(/.*\*\//, ""))
			next
		comment = 0
	}
	gsub(/[ \t]+/, " ")
	if ($0 ~ /^ *$/)
		next
}

FILENAME ~ /\.c$/ {
	while (match($0, /sizeof\(Pgps[A-Za-z]+\)/)) {
		need(substr($0, RSTART + 7, RLENGTH - 8))
		$0 = substr($0, RSTART + RLENGTH)
	}
	next
}

/^#define PGPS_[A-Z_]+ / {
	text[$2] = $0 "\n"
}

/^typedef (struct|enum) / {
	name = $3
	inside = 1
}

inside {
	text[name] = text[name] $0 "\n"
	# an enum is used by its name, its members by theirs
	if (match($0, /^ PGPS_[A-Z0-9_]+/))
		member[substr($0, 2, RLENGTH - 1)] = name
}

/^}/ {
	inside = 0
}

function need(name) {
	if (!(name in needed)) {
		needed[name] = 1
		order[++n] = name
	}
}

END {
	for (i = 1; i <= n; i++) {
		rest = text[order[i]]
		printf "%s", rest
		while (match(rest, /(Pgps[A-Za-z0-9]+|PGPS_[A-Z0-9_]+)/)) {
			name = substr(rest, RSTART, RLENGTH)
			need(name in member ? member[name] : name)
			rest = substr(rest, RSTART + RLENGTH)
		}
	}
}
