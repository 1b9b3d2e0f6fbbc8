# Shared by core_suite, assert_server and big_endian_server: what is fetched with apt
# and lists of our own, such as the source of the installed PostgreSQL; the system's
# apt is left as it is.  Callers define skip() and set $FETCH, a directory.
# shellcheck shell=bash

# apt with directories of ours: needs no root
our_apt()
{
	"$@" -q -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$FETCH/apt/sources.d" \
		-o Dir::State::Lists="$FETCH/apt/lists" \
		-o Dir::Cache="$FETCH/apt/cache" -o Dir::Log="$FETCH/apt" \
		-o Debug::NoLocking=1 -o APT::Sandbox::User=
}

# The package sources of the system, also for source packages
source_lists()
{
	local file name

	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		name=$FETCH/apt/sources.d/$(basename "$file")
		grep -qE 'debian\.org|ubuntu\.com|postgresql\.org' "$file" 2>/dev/null ||
			continue
		case $file in
			*.sources) sed 's/^Types:.*/Types: deb deb-src/' "$file" >"$name" ;;
			*.list) sed -n 's/^deb \(.*\)/&\ndeb-src \1/p' "$file" >"$name" ;;
		esac
	done
}

# update_lists [APT]: fetch them, with our_apt or another such function
update_lists()
{
	mkdir -p "$FETCH"/apt/{sources.d,lists/partial,cache/archives/partial}
	source_lists
	"${1:-our_apt}" apt-get update >"$FETCH/apt.log" 2>&1 ||
		skip "cannot read the lists of packages: $(tail -n 1 "$FETCH/apt.log")"
}

# need_cache NAME: sets $cache, a folder in the user's; HOME may still be root's
need_cache()
{
	local home

	home=$(getent passwd "$(id -un)" | cut -d : -f 6)
	cache=$home/.cache
	[ ! -w "${XDG_CACHE_HOME:-/nowhere}" ] || cache=$XDG_CACHE_HOME
	cache+=/pgpool_stats/$1
	mkdir -p "$cache" || skip "cannot write $cache"
}

# Version of the source package that is installed
installed_version()
{
	dpkg-query -W -f '${source:Version}' "postgresql-$PG_MAJOR" 2>/dev/null
}

# Unpack the source of the installed version, or of another minor release if
# that is all there is; sets $source and $source_version
get_source()
{
	local version others tried package=postgresql-$PG_MAJOR

	version=$(installed_version) || skip "$package is no Debian package"
	command -v dpkg-source >/dev/null || skip "no dpkg-source (package dpkg-dev)"

	update_lists
	cd "$FETCH"
	others=$(our_apt apt-cache showsrc "$package" 2>/dev/null |
		sed -n 's/^Version: //p' | sort -rV)
	for tried in "$version" $others; do
		our_apt apt-get source --download-only "$package=$tried" \
			>>"$FETCH/apt.log" 2>&1 && break
		rm -f "$FETCH"/*.dsc
		tried=
	done
	[ -n "$tried" ] ||
		skip "no source of $package $version: $(tail -n 1 "$FETCH/apt.log")"
	dpkg-source --no-check -x "$FETCH"/*.dsc "$FETCH/source" >>"$FETCH/apt.log" 2>&1 ||
		skip "cannot unpack the source: $(tail -n 1 "$FETCH/apt.log")"
	# shellcheck disable=SC2034
	source=$FETCH/source source_version=$tried
}
