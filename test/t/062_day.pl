# What needs a day to be seen: sizing, and a floor that rises.  The saved
# history of a real pool is given a past: its bucket of now is copied to
# earlier times with other figures.
use strict;
use warnings;
use PgpoolStats;

use constant BUCKET => 10 * 60 * 1_000_000;

# where things are in the file
my %bucket = (
	START => 'start',
	INSTANCES => 'instances',
	MIN_CHECKED_OUT => 'min_checked_out',
	MAX_CONNECTIONS => 'max_connections',
	MAX_IN_XACT => 'max_in_xact',
	XACTS => 'count[PGPS_COUNT_XACTS]',
	XACT_TIME => 'count[PGPS_COUNT_XACT_TIME]',
	WATCHED => 'watched',
	MAX_LENT => 'max_lent',
	CLIENT => 'busiest[PGPS_BASIS_CLIENT]',
	SERVER => 'busiest[PGPS_BASIS_SERVER]');
my %at = compiled(
	'main/persist.c',
	HEADER => 'sizeof(SaveHeader)',
	CRC => 'offsetof(SaveHeader, crc)',
	SIZE => 'offsetof(SaveHeader, size)',
	COUNT => 'offsetof(SaveHeader, count)',
	SECTIONS => 'SECTIONS',
	POOLS => 'POOLS',
	INDEX => 'offsetof(PgpsPoolCopy, index)',
	NAME => 'offsetof(PgpsPoolCopy, data.key.name)',
	HISTORY => 'HISTORY',
	POOL => 'offsetof(PgpsSavedBucket, pool)',
	PERIOD => 'offsetof(PgpsSavedBucket, period)',
	TEN_MINUTES => 'PGPS_TEN_MINUTES',
	LOAD => 'offsetof(PgpsBusy, load)',
	ARRIVALS => 'offsetof(PgpsBusy, arrivals)',
	CAP => 'offsetof(PgpsBusy, cap)',
	map { $_ => "offsetof(PgpsSavedBucket, bucket.$bucket{$_})" } keys %bucket);

my $node = start_node(q{
pgpool_stats.leak_after = 1s
pgpool_stats.cpu_cores = 6
pgpool_stats.effective_spindle_count = 2
});
sql('CREATE ROLE app LOGIN');

my $save = $node->data_dir . '/pg_stat_tmp/pgpool_stats.stat';

my @crc = map {
	my $c = $_;
	$c = $c & 1 ? 0x82F63B78 ^ ($c >> 1) : $c >> 1 foreach 1 .. 8;
	$c;
} 0 .. 255;

sub crc32c
{
	my $crc = 0xFFFFFFFF;

	$crc = $crc[ ($crc ^ $_) & 0xFF ] ^ ($crc >> 8) foreach unpack 'C*', $_[0];
	return $crc ^ 0xFFFFFFFF;
}

sub align
{
	return ($_[0] + 7) & ~7;
}

# A section of the file: bytes of a record, their number, where they are
sub section
{
	my ($file, $n) = @_;
	my @size = unpack "x$at{SIZE} L$at{SECTIONS}", $file;
	my @count = unpack "x$at{COUNT} L$at{SECTIONS}", $file;
	my $offset = $at{HEADER};

	$offset += align($size[$_] * $count[$_]) foreach 0 .. $n - 1;
	return ($size[$n], $count[$n], $offset);
}

# A number at a place
sub get
{
	my ($record, $at, $type) = @_;

	return unpack "x$at $type", $record;
}

sub put
{
	my ($record, $at, $type, $value) = @_;
	my $packed = pack $type, $value;

	substr $$record, $at, length $packed, $packed;
	return;
}

# Give each pool a past.  A callback gets the pool's first bucket and how many
# buckets ago it is to be, and changes it; it returns whether there is one.
sub plant
{
	my ($past) = @_;
	my $file = slurp_file($save, 0);
	my ($size, $count, $offset) = section($file, $at{HISTORY});
	my $old = substr $file, $offset, align($size * $count);
	my ($new, $n) = ('', 0);
	my %now;

	foreach my $i (0 .. $count - 1)
	{
		my $record = substr $old, $i * $size, $size;
		my $pool = get($record, $at{POOL}, 'l');

		# the newest of ten minutes
		$now{$pool} = $record
		  if get($record, $at{PERIOD}, 'l') == $at{TEN_MINUTES}
		  && ( !$now{$pool}
			|| get($record, $at{START}, 'q') > get($now{$pool}, $at{START}, 'q'));
	}
	foreach my $pool (sort { $a <=> $b } keys %now)
	{
		foreach my $ago (0 .. 143)
		{
			my $record = $now{$pool};

			put(\$record, $at{START}, 'q',
				get($record, $at{START}, 'q') - $ago * BUCKET);
			next unless $past->(\$record, $pool, $ago);
			$new .= $record;
			$n++;
		}
	}
	$new .= "\0" x (align(length $new) - length $new);
	substr $file, $offset, length $old, $new;
	put(\$file, $at{COUNT} + 4 * $at{HISTORY}, 'L', $n);
	put(\$file, $at{CRC}, 'L', 0);
	put(\$file, $at{CRC}, 'L', crc32c($file));
	write_file($save, $file);
	return;
}

# Connections on average, arrivals a second, maximum
sub load
{
	my ($record, $basis, $load, $arrivals, $cap) = @_;

	put($record, $basis + $at{LOAD}, 'f', $load);
	put($record, $basis + $at{ARRIVALS}, 'f', $arrivals);
	put($record, $basis + $at{CAP}, 'l', $cap);
	return;
}

#
# The pools as they are: what is measured, and no advice as yet.
#
report('counted', '{"pool_size": 15, "checked_out": 3, "open": 3, "checkouts": 0, "total_use_time": 0}');
report('gauged', '{"pool_size": 3, "checked_out": 2, "open": 3}');
report('leaky', '{"pool_size": 15, "checked_out": 5, "checked_in": 0}');
report('young', '{"pool_size": 5, "checked_out": 1}');
report('small', '{"pool_size": 5, "checked_out": 1, "checked_in": 2}');
report('spiky', '{"pool_size": 30, "checked_out": 18, "open": 18}');
# numbers that somebody made up
my @hoard = sessions(10, 'hoard');
report('boundless', '{"max_size": 2147483647, "checked_out": 1}');
report('flooded', '{"max_size": 2147483647, "checked_out": 1}');
wait_for("SELECT max(max_checked_out) = 18 FROM pgpool_stats.history WHERE pool = 'spiky'");
report('spiky', '{"pool_size": 30, "checked_out": 1, "open": 18}');
my @server = used(1, 'server');
wait_for("SELECT count(*) = 9 FROM pgpool_stats.sizing WHERE observed > '1 s' AND pool IN ('counted', 'gauged', 'leaky', 'young', 'small', 'spiky', 'server', 'boundless', 'flooded')");
$server[0]->query_safe('SELECT pg_sleep(0.2)');
# 10 checkouts of 0.4 s each: 4 s of use
report('counted', '{"pool_size": 15, "checked_out": 3, "open": 3, "checkouts": 10, "total_use_time": 4000}');
wait_for("SELECT arrival_rate > 0 FROM pgpool_stats.sizing WHERE pool = 'counted'");
# now = observed for a few seconds, all in one bucket or in two
my $measured = q{
	SELECT pool, basis, round(mean_use_time), round((load / arrival_rate * 1000)::numeric) = round(mean_use_time),
		wait_probability, suggested, give_back, advice
	FROM pgpool_stats.sizing WHERE pool = 'counted'};
is(sql($measured), 'counted|client|400|t||||too early: 0 of 24 h',
	'use as the pool counts it');
is(sql("SELECT basis, load > 1 AND load <= 2, arrival_rate, mean_use_time, peak, p99 FROM pgpool_stats.sizing WHERE pool = 'gauged'"),
	'client|t|||2|2', 'use as the reports show it');
is(sql("SELECT basis, load > 0, arrival_rate > 0, mean_use_time > 0, suggested FROM pgpool_stats.sizing WHERE pool = 'server'"),
	'server|t|t|t|', 'use as the server sees it');
$_->quit foreach @server;

#
# A day later
#
my %past = (
	# busy at noon, the night is quiet
	counted => sub {
		my ($record, $ago) = @_;
		my $noon = $ago == 80;

		load($record, $at{CLIENT}, $noon ? 8 : 0.5, $noon ? 40 : 2.5, 15);
		put($record, $at{MAX_LENT}, 'l', $noon ? 12 : $ago == 90 ? 11 : 2);
	},
	gauged => sub {
		my ($record, $ago) = @_;

		load($record, $at{CLIENT}, $ago == 7 ? 3 : 1, -1, 3);
	},
	# each of its connections was lent out once
	spiky => sub {
		load($_[0], $at{CLIENT}, 2, -1, 30);
		put($_[0], $at{MAX_LENT}, 'l', 3);
	},
	small => sub {
		load($_[0], $at{CLIENT}, 0.2, -1, 5);
		put($_[0], $at{MAX_LENT}, 'l', 1);
	},
	server => sub {
		load($_[0], $at{CLIENT}, -1, -1, -1);
		load($_[0], $at{SERVER}, 4, 200, -1);
		put($_[0], $at{MAX_LENT}, 'l', 5);
		put($_[0], $at{XACTS}, 'q', 200 * 600);
		put($_[0], $at{XACT_TIME}, 'q', 4 * BUCKET);
	},
	leaky => sub {
		my ($record, $ago) = @_;

		put($record, $at{MIN_CHECKED_OUT}, 'l', $ago > 3 ? $ago % 3 : 6 - $ago);
		load($record, $at{CLIENT}, -1, -1, -1);
	},
	boundless => sub { load($_[0], $at{CLIENT}, 100, -1, 2147483647); },
	flooded => sub { load($_[0], $at{CLIENT}, 2e9, -1, 2147483647); },
	hoard => sub {
		load($_[0], $_, -1, -1, -1) foreach $at{CLIENT}, $at{SERVER};
		put($_[0], $at{MAX_CONNECTIONS}, 'l', 10);
		put($_[0], $at{MAX_IN_XACT}, 'l', 1);
	},
	young => sub { return $_[1] < 33; });
wait_for("SELECT count(*) = 1 FROM pgpool_stats.history WHERE pool = 'hoard' AND bucket = '10 min'");
$_->quit foreach @hoard;
my $ten_minutes = "SELECT date_bin('10 min', now(), '2000-01-01')";
my $planted = sql($ten_minutes);

$node->stop;
# pools by the order of their numbers, which is that of their making
my @pools;
{
	my $file = slurp_file($save, 0);
	my ($size, $count, $offset) = section($file, $at{POOLS});

	foreach my $i (0 .. $count - 1)
	{
		my $pool = substr $file, $offset + $i * $size, $size;

		$pools[ get($pool, $at{INDEX}, 'l') ] = get($pool, $at{NAME}, 'Z*');
	}
}
plant(
	sub {
		my ($record, $pool, $ago) = @_;
		my $past = $past{ $pools[$pool] };

		return 0 unless $past;
		put($record, $at{INSTANCES}, 'l', 1);
		put($record, $at{WATCHED}, 'q', BUCKET);
		my $there = $past->($record, $ago);
		return $pools[$pool] ne 'young' || $there;
	});
$node->start;
unlike(slurp_file($node->logfile), qr/set aside/, 'the file is taken');

sub sizing
{
	my ($pool, $columns) = @_;

	return sql("SELECT $columns FROM pgpool_stats.sizing WHERE pool = '$pool'");
}

# a bucket may have ended since
is(sizing('counted', "observed BETWEEN '23:50' AND '24:00'"), 't', 'a day was watched');
is(sizing('counted', 'config, basis, arrival_rate, mean_use_time, load, peak, p99, suggested'),
	'1 x 15|client|40|200|8|12|11|16', 'the busiest ten minutes');
is(sizing('counted', 'wait_probability = pgpool_stats.wait_probability(15, 8), wait_probability > 0.01'),
	't|t', 'with what it has');
is(sizing('counted', 'advice'),
	'in the busiest 10 min 40 checkouts/s of 200 ms each are 8 lent out on average, of 15, where P(wait) is 0.019; at most 12 at once: 16 per instance are needed',
	'in a sentence');
is(sizing('gauged', 'arrival_rate, mean_use_time, load, wait_probability, suggested'),
	'||3|1|9', 'always full: all wait');
is(sizing('spiky', 'load, peak, suggested'), '2|18|18', 'never below the peak of the week');
is(sizing('young', 'observed < \'6 h\', suggested, wait_probability, give_back, advice'),
	't||||too early: 5 of 24 h', 'not enough of a day');
is(sizing('server', 'basis, load, mean_use_time, peak, suggested, give_back'),
	'server|4|20|5|10|', 'what the server sees');
like(sizing('server', 'advice'),
	qr/^in the busiest 10 min 200 transactions\/s of 20 ms each are 4 in transactions on average; at most 5 at once: at least 10 per instance/,
	'is a lower bound');

# work is bounded, whatever is reported
is(sizing('boundless', 'wait_probability, suggested'), '0|125', 'no end of connections');
is(sizing('flooded', 'load, wait_probability, suggested, advice'),
	'2000000000|||2e+09 connections in use on average are more than a server can have', 'no end of load');

# what is held beyond that could be given back
is(sizing('small', 'suggested, give_back'), '3|0', 'holds none');
my @small = used(5, 'small');
is(sizing('small', 'suggested, give_back'), '3|2', 'holds two too many');
$small[0]->query_safe("SET pgpool_stats.instance = 'j'");
$small[0]->query_safe('SELECT 1');
$small[0]->query_safe('RESET pgpool_stats.instance');
$small[0]->query_safe('SELECT 1');
is(sizing('small', 'give_back'), '0', 'behind a pooler they are not its own');
$_->quit foreach @small;

# the whole server
is(sizing('(server)', 'round(load), round(arrival_rate), round(mean_use_time), suggested'),
	'4|200|20|14', 'the server bears twice its cores and its disks');
like(sizing('(server)', 'advice'),
	qr/^6 cores x 2 \+ 2 spindles keep about 14 connections busy at once; in the busiest 10 min 4 were in transactions on average; the sizes suggested here add up to \d+$/,
	'in a sentence');
is(sql("SELECT pool FROM pgpool_stats.sizing WHERE usename IS DISTINCT FROM 'app'", as => 'app'),
	'(server)', 'pools are not for everybody');

# the setting
set_to('target_wait_probability', '0.2');
wait_for("SELECT suggested = 12 FROM pgpool_stats.sizing WHERE pool = 'counted'");
is(sizing('counted', 'suggested'), '12', 'more may wait; the peak was 12');

#
# Many connections that nobody needs, while the server runs short
#
@hoard = used(10, 'hoard');
my $hoarding = q{SELECT message FROM pgpool_stats.alerts WHERE rule = 'hoarding'};
next_pass();
is(sql($hoarding), '', 'the server has room');
set_to('alert_rules', 'connections@server: warning 1');
becomes($hoarding, 'hoard on postgres: holds 10 connections, of which at most 1 was used at once in 24 h', 'it runs short');
$_->query_safe('BEGIN') foreach @hoard[ 0 .. 1 ];
becomes("SELECT count(*) FROM pgpool_stats.alerts WHERE rule = 'hoarding'", '0', 'two are used at once');
$_->quit foreach @hoard;

#
# Leaks that rose in the last half hour: 3, 4, 5 at the least, 2 before
#
my @leaky = used(5, 'leaky');
report('leaky', '{"pool_size": 15, "checked_out": 5, "checked_in": 0}');
wait_for("SELECT count(*) = 1 FROM pgpool_stats.leaks WHERE pool = 'leaky'");
SKIP:
{
	skip 'ten minutes have passed since', 2 if sql($ten_minutes) ne $planted;
	# (15 - 5) connections at (5 - 1) each half an hour
	is(sql("SELECT extract(epoch FROM exhausts_at - ($ten_minutes)) / 60 = 75 FROM pgpool_stats.leaks WHERE pool = 'leaky'"),
		't', 'all are gone at this rate');
	like(sql("SELECT evidence FROM pgpool_stats.leaks WHERE pool = 'leaky'"),
		qr/; the fewest lent out in 10 min rise: 3, 4, 5, and at most 2 in the 6 h before$/,
		'and the floor is evidence');
}
$_->quit foreach @leaky;

$node->stop;
done_testing();
