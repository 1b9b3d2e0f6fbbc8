# Shared by suite, demo and lint: a private PostgreSQL in the workspace $W.
# shellcheck shell=bash disable=SC2034

export LC_ALL=C.UTF-8
umask 077

SRC=$W/src
LOG=$W/log
BIN=$W/lib/postgresql/$PG_MAJOR/bin
PGXS_DIR=$W/lib/postgresql/$PG_MAJOR/lib/pgxs
PATH=$BIN:$PATH
# what tests leave behind is left in the workspace
export TMPDIR=$W/tmp
mkdir -p "$LOG" "$TMPDIR"
# headers that test/run has unpacked, for whatever is compiled here
[ ! -d "$W/dev" ] ||
	export C_INCLUDE_PATH=$W/dev/usr/include:$W/dev/usr/include/$(gcc -print-multiarch)

# now, in microseconds
now()
{
	echo "${EPOCHREALTIME/./}"
}

# seconds since such a moment
since()
{
	awk "BEGIN { printf \"%.1f\", ($(now) - $1) / 1e6 }"
}

# PostgreSQL finds its other files from where its executable really is: the
# programs must be copies, the rest may be links.  The argument is what /usr is
# for the original; without one it is /usr.
copy_installation()
{
	local top=${1:-/usr}
	local from=$top/lib/postgresql/$PG_MAJOR share=$top/share/postgresql/$PG_MAJOR

	mkdir -p "$W/lib/postgresql/$PG_MAJOR" "$W/share/postgresql" "$W/include"
	cp -RL "$from/bin" "$W/lib/postgresql/$PG_MAJOR/"
	cp -Rs "$from/lib" "$W/lib/postgresql/$PG_MAJOR/"
	cp -RLs "$share" "$W/share/postgresql/"
	if [ -d "$W/dev" ] && [ "$top" = /usr ]; then
		copy_headers
	else
		ln -s "$top/include/postgresql" "$W/include/postgresql"
	fi
	# messages in other languages
	ln -s "$top/share/locale" "$W/share/locale"
	find "$W/lib" "$W/share" -name 'pgpool_stats*' -delete
}

# What test/run has unpacked, where pg_config of the copy says that it is
copy_headers()
{
	local dev=$W/dev/usr libdir

	ln -s "$dev/include/postgresql" "$W/include/postgresql"
	# some may be installed, too
	cp -Rsf "$dev/lib/postgresql/$PG_MAJOR/lib" "$W/lib/postgresql/$PG_MAJOR/"
	libdir=$(pg_config --libdir)
	mkdir -p "$libdir"
	ln -s "/usr${libdir#"$W"}/libpq.so.5" "$libdir/libpq.so"
	ln -s "/usr${libdir#"$W"}/libcares.so.2" "$libdir/libcares.so"
}

# Build and install into the copy; arguments are make's
build()
{
	make -s -C "$SRC" PG_CONFIG="$BIN/pg_config" clean >/dev/null
	make -j "$(nproc)" -C "$SRC" PG_CONFIG="$BIN/pg_config" "$@"
}

# start_server NAME [LINE OF postgresql.conf ...]: no TCP unless a line says
# so, and then with passwords; its socket is in the workspace; sets PGHOST and
# PGUSER for what follows
start_server()
{
	local name=$1
	local data=$W/$name

	shift
	initdb -D "$data" -U postgres --auth-local=trust \
		--auth-host=scram-sha-256 --no-locale -E UTF8 --no-sync \
		--no-instructions >"$LOG/initdb-$name.log" 2>&1 || {
		tail -n 20 "$LOG/initdb-$name.log"
		return 1
	}
	cat "$SRC/test/pgpool_stats.conf" >>"$data/postgresql.conf"
	printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$data'" \
		"fsync = off" "$@" >>"$data/postgresql.conf"
	pg_ctl -D "$data" -l "$LOG/$name.log" -w start >/dev/null || {
		tail -n 20 "$LOG/$name.log"
		return 1
	}
	export PGHOST=$data PGUSER=postgres
}

# All servers of the workspace, whoever started them
stop_servers()
{
	local file

	find "$W" -name postmaster.pid -print 2>/dev/null | while read -r file; do
		pg_ctl -D "${file%/*}" -m immediate -w stop >/dev/null 2>&1 || :
	done
}
