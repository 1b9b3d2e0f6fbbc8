# Shared by versions and debian_packages: systems of other releases of Debian, made by
# debootstrap and kept in the cache of root, for the next time; they may be removed
# at any time.  What runs in one sees its own processes and mounts only, and all of
# it ends with the script that started it.
# shellcheck shell=bash

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pgpool_stats/versions

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# What a command that failed wrote at the end of the system's log
die_of()
{
	tail -n 15 "$root.log" >&2
	die "$1: see $root.log"
}

[ "$(id -u)" -eq 0 ] || die "only root can make a system and enter it"

# A system has the name of a release of PostgreSQL, and after it an architecture that
# is not the machine's, but which its processor can run: 15, 15-i386

# Suites of Debian: the first is the system's, the others are looked into, too
suites_of()
{
	case ${1%-*} in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo sid ;;
		19) echo sid experimental ;;
		*) die "which Debian has PostgreSQL $1?" ;;
	esac
}

# The release before, and the suite that it is from
older_of()
{
	case ${1%-*} in
		17) echo 15 bookworm ;;
		18) echo 17 trixie ;;
		19) echo 18 sid ;;
	esac
}

# Run a program as root of such a system, which has our sources in /src.  Its root
# is no chroot: an ordinary user gets no namespaces in one, which tests need.
inside()
{
	local root=$1

	shift
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child bash -euc '
		mount --bind "$1" "$1"
		cd "$1"
		mount --bind "$2" src
		mount --rbind /dev dev
		mount -t proc proc proc
		pivot_root . .
		umount -l .
		shift 2
		exec "$@"' inside "$root" "$top" \
		env -u TMPDIR HOME=/root LC_ALL=C.UTF-8 CI=true \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# Unless it is there, make a system of these suites
need_system()
{
	local root=$1 suite=$2 mirror arch=()

	shift 2
	[ ! -e "$root.made" ] || return 0
	command -v debootstrap >/dev/null || die "apt-get install debootstrap"
	echo "making a system of $suite $* in $root"
	rm -rf --one-file-system "$root"
	mkdir -p "$root"
	[[ ${root##*/} != *-* ]] || arch=(--arch="${root##*-}")
	debootstrap "${arch[@]}" --variant=minbase --include=ca-certificates "$suite" "$root" >"$root.log" 2>&1 ||
		die_of "debootstrap failed"
	# no service starts there
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	mirror=$(awk '$1 == "deb" { print $2; exit }' "$root/etc/apt/sources.list")
	for suite; do
		echo "deb $mirror $suite main" >>"$root/etc/apt/sources.list"
		printf 'Package: src:postgresql-*\nPin: release a=%s\nPin-Priority: 990\n\n' \
			"$suite" >>"$root/etc/apt/preferences"
	done
	mkdir -p "$root/src"
	cp /etc/resolv.conf "$root/etc/"
	# npm there trusts whom it trusts here
	if [ -d /usr/local/share/ca-certificates ]; then
		cp -R /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
		inside "$root" update-ca-certificates >>"$root.log" 2>&1 || die_of "update-ca-certificates failed"
	fi
	# as apt here checks its lists
	apt-config dump | grep '^Acquire::Check-' >"$root/etc/apt/apt.conf.d/90host" || :
	inside "$root" apt-get update -q >>"$root.log" 2>&1 || die_of "apt-get failed"
	inside "$root" apt-get install -y -q --no-install-recommends procps >>"$root.log" 2>&1 ||
		die_of "apt-get failed"
	touch "$root.made"
}

# The release before beside it, to be upgraded from
need_older()
{
	local root=$1 older=$2 suite=$3 mirror

	! inside "$root" test -d "/usr/lib/postgresql/$older" || return 0
	mirror=$(awk '$1 == "deb" { print $2; exit }' "$root/etc/apt/sources.list")
	echo "deb $mirror $suite main" >"$root/etc/apt/sources.list.d/older.list"
	mkdir -p "$root/etc/postgresql-common"
	echo "create_main_cluster = false" >"$root/etc/postgresql-common/createcluster.conf"
	{
		inside "$root" apt-get update -q &&
			inside "$root" apt-get install -y -q --no-install-recommends "postgresql-$older"
	} >>"$root.log" 2>&1 || die_of "apt-get failed"
}

# pgindent and its list of types, of the package of the server's development files,
# whose other needs are none of its
need_pgindent()
{
	local root=$1 major=$2

	[ ! -x "$root/usr/local/bin/pgindent" ] || return 0
	# shellcheck disable=SC2016
	inside "$root" bash -euc '
		apt-get update -q
		apt-get install -y -q --no-install-recommends perl
		cd "$(mktemp -d)"
		apt-get download -q "postgresql-server-dev-$1"
		dpkg-deb -x *.deb .
		cp "usr/share/postgresql/$1/typedefs.list" /usr/local/etc/
		cp usr/lib/postgresql/$1/bin/{pg_bsd_indent,pgindent} /usr/local/bin/
		rm -r "$PWD"' need_pgindent "$major" >>"$root.log" 2>&1 || die_of "cannot get pgindent"
}
