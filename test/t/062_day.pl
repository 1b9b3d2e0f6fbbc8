# What needs a day to be seen: sizing, and a floor that rises.  The saved
# history of a real pool is given a past: its bucket of now is copied to
# earlier times with other figures.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	BUCKET => 10 * 60 * 1_000_000,
	RECORD => 176,              # sizeof(PgpsSavedBucket)
	TEN_MINUTES => 1,
	# where fields are in it
	PERIOD => 16,
	START => 24,
	INSTANCES => 32,
	MIN_CHECKED_OUT => 44,
	XACTS => 120,
	XACT_TIME => 128,
	WATCHED => 136,
	MAX_LENT => 144,
	CLIENT => 148,
	SERVER => 160,
};

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
shared_preload_libraries = 'pgpool_stats'
pgpool_stats.sample_interval = 100ms
pgpool_stats.leak_after = 1s
pgpool_stats.cpu_cores = 6
pgpool_stats.effective_spindle_count = 2
});
$node->start;
$node->safe_psql('postgres',
	'CREATE EXTENSION pgpool_stats; CREATE ROLE app LOGIN');

my $save = $node->data_dir . '/pg_stat_tmp/pgpool_stats.stat';

sub one
{
	return $node->safe_psql('postgres', $_[0]);
}

sub report
{
	my ($pool, $stats) = @_;

	one("SELECT pgpool_stats.report('$pool', '{$stats}', 'i')");
	return;
}

sub sessions
{
	my ($pool, $n) = @_;

	return map {
		my $session = $node->background_psql('postgres',
			extra_params => [ '-d',
				'dbname=postgres host=' . $node->host
				  . " options='-c pgpool_stats.pool=$pool -c pgpool_stats.instance=i'" ]);
		$session->query_safe('SELECT 1');
		$session;
	} (1 .. $n);
}

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

# Sections of the file, each with bytes of a record, their number, where they
# are.  How many there are follows from the length of the file.
sub sections
{
	my ($file) = @_;

	foreach my $n (1 .. 20)
	{
		my @size = unpack "x32 L$n", $file;
		my @count = unpack "x32 x" . 4 * $n . " L$n", $file;
		my $offset = align(32 + 8 * $n);
		my @sections;

		foreach my $i (0 .. $n - 1)
		{
			push @sections, [ $size[$i], $count[$i], $offset, 32 + 4 * ($n + $i) ];
			$offset += align($size[$i] * $count[$i]);
		}
		return @sections if $offset == length $file;
	}
	die 'the file is not understood';
}

# Give each pool a past.  A callback gets the pool's first bucket and how many
# buckets ago it is to be, and changes it; it returns whether there is one.
sub plant
{
	my ($past) = @_;
	my $file = slurp_file($save, 0);
	my ($history) = grep { $_->[0] == RECORD } sections($file);
	my ($size, $count, $offset, $count_at) = @$history;
	my $old = substr $file, $offset, align($size * $count);
	my ($new, $n) = ('', 0);
	my %now;

	foreach my $i (0 .. $count - 1)
	{
		my $record = substr $old, $i * $size, $size;
		my ($pool) = unpack 'l', $record;
		my ($period, $start) = (unpack('l', substr $record, PERIOD, 4),
			unpack('q', substr $record, START, 8));

		# the newest of ten minutes
		$now{$pool} = $record
		  if $period == TEN_MINUTES
		  && ( !$now{$pool}
			|| $start > unpack('q', substr $now{$pool}, START, 8));
	}
	foreach my $pool (sort { $a <=> $b } keys %now)
	{
		foreach my $ago (0 .. 143)
		{
			my $record = $now{$pool};

			substr $record, START, 8,
			  pack('q', unpack('q', substr $record, START, 8) - $ago * BUCKET);
			next unless $past->(\$record, $pool, $ago);
			$new .= $record;
			$n++;
		}
	}
	$new .= "\0" x (align(length $new) - length $new);
	substr $file, $offset, length $old, $new;
	substr $file, $count_at, 4, pack 'L', $n;
	substr $file, 12, 4, pack 'L', 0;
	substr $file, 12, 4, pack 'L', crc32c($file);
	open my $out, '>:raw', $save or die $!;
	print $out $file;
	close $out;
	return;
}

# Connections on average, arrivals a second, maximum
sub load
{
	my ($record, $basis, $load, $arrivals, $cap) = @_;

	substr $$record, $basis, 12, pack 'ffl', $load, $arrivals, $cap;
	return;
}

sub put
{
	my ($record, $at, $type, $value) = @_;

	my $packed = pack $type, $value;
	substr $$record, $at, length $packed, $packed;
	return;
}

sub wait_for
{
	my ($name, $condition) = @_;

	$node->poll_query_until('postgres', "SELECT $condition")
	  or die "never: $name";
	return;
}

#
# The pools as they are: what is measured, and no advice as yet.
#
one(q{SELECT pgpool_stats.report('counted', '{"pool_size": 15, "checked_out": 3, "open": 3, "checkouts": 0, "total_use_time": 0}', 'i')});
one(q{SELECT pgpool_stats.report('gauged', '{"pool_size": 3, "checked_out": 2, "open": 3}', 'i')});
report('leaky', '"pool_size": 15, "checked_out": 5, "checked_in": 0');
report('young', '"pool_size": 5, "checked_out": 1');
report('small', '"pool_size": 5, "checked_out": 1, "checked_in": 2');
report('spiky', '"pool_size": 30, "checked_out": 18, "open": 18');
wait_for('the collector has seen the peak',
	"max(max_checked_out) = 18 FROM pgpool_stats.history WHERE pool = 'spiky'");
report('spiky', '"pool_size": 30, "checked_out": 1, "open": 18');
my @server = sessions('server', 1);
wait_for('the collector has looked',
	"count(*) = 7 FROM pgpool_stats.sizing WHERE observed > '1 s' AND pool IN ('counted', 'gauged', 'leaky', 'young', 'small', 'spiky', 'server')"
);
$server[0]->query_safe('SELECT pg_sleep(0.2)');
# 10 checkouts of 0.4 s each: 4 s of use
one(q{SELECT pgpool_stats.report('counted', '{"pool_size": 15, "checked_out": 3, "open": 3, "checkouts": 10, "total_use_time": 4000}', 'i')});
wait_for('the load is worked out',
	"arrival_rate > 0 FROM pgpool_stats.sizing WHERE pool = 'counted'");
# now = observed for a few seconds, all in one bucket or in two
my $measured = q{
	SELECT pool, basis, round(mean_use_time), round((load / arrival_rate * 1000)::numeric) = round(mean_use_time),
		wait_probability, suggested, give_back, advice
	FROM pgpool_stats.sizing WHERE pool = 'counted'};
is(one($measured), 'counted|client|400|t||||too early: 0 of 24 h',
	'use as the pool counts it');
is( one("SELECT basis, load > 1 AND load <= 2, arrival_rate, mean_use_time, peak, p99 FROM pgpool_stats.sizing WHERE pool = 'gauged'"),
	'client|t|||2|2',
	'use as the reports show it');
is( one("SELECT basis, load > 0, arrival_rate > 0, mean_use_time > 0, suggested FROM pgpool_stats.sizing WHERE pool = 'server'"),
	'server|t|t|t|',
	'use as the server sees it');
$_->quit foreach @server;

#
# A day later
#
my %past = (
	# busy at noon, the night is quiet
	counted => sub {
		my ($record, $ago) = @_;
		my $noon = $ago == 80;

		load($record, CLIENT, $noon ? 8 : 0.5, $noon ? 40 : 2.5, 15);
		put($record, MAX_LENT, 'l', $noon ? 12 : $ago == 90 ? 11 : 2);
	},
	gauged => sub {
		my ($record, $ago) = @_;

		load($record, CLIENT, $ago == 7 ? 3 : 1, -1, 3);
	},
	# each of its connections was lent out once
	spiky => sub {
		load($_[0], CLIENT, 2, -1, 30);
		put($_[0], MAX_LENT, 'l', 3);
	},
	small => sub {
		load($_[0], CLIENT, 0.2, -1, 5);
		put($_[0], MAX_LENT, 'l', 1);
	},
	server => sub {
		load($_[0], CLIENT, -1, -1, -1);
		load($_[0], SERVER, 4, 200, -1);
		put($_[0], MAX_LENT, 'l', 5);
		put($_[0], XACTS, 'q', 200 * 600);
		put($_[0], XACT_TIME, 'q', 4 * BUCKET);
	},
	leaky => sub {
		my ($record, $ago) = @_;

		put($record, MIN_CHECKED_OUT, 'l', $ago > 3 ? $ago % 3 : 6 - $ago);
		load($record, CLIENT, -1, -1, -1);
	},
	young => sub { return $_[1] < 33; });
my $ten_minutes = "SELECT date_bin('10 min', now(), '2000-01-01')";
my $planted = one($ten_minutes);

$node->stop;
# pools by the order of their numbers, which is that of their making
my @pools;
{
	my $file = slurp_file($save, 0);
	my ($size, $count, $offset) = @{ (sections($file))[0] };

	foreach my $i (0 .. $count - 1)
	{
		my ($index, $name) = unpack 'l x4 x8 Z*', substr $file, $offset + $i * $size, $size;
		$pools[$index] = $name;
	}
}
plant(
	sub {
		my ($record, $pool, $ago) = @_;
		my $past = $past{ $pools[$pool] };

		return 0 unless $past;
		put($record, INSTANCES, 'l', 1);
		put($record, WATCHED, 'q', BUCKET);
		my $there = $past->($record, $ago);
		return $pools[$pool] ne 'young' || $there;
	});
$node->start;
unlike(slurp_file($node->logfile), qr/set aside/, 'the file is taken');

sub sizing
{
	my ($pool, $columns) = @_;

	return one("SELECT $columns FROM pgpool_stats.sizing WHERE pool = '$pool'");
}

# a bucket may have ended since
is(sizing('counted', "observed BETWEEN '23:50' AND '24:00'"), 't', 'a day was watched');
is( sizing('counted', 'config, basis, arrival_rate, mean_use_time, load, peak, p99, suggested'),
	'1 x 15|client|40|200|8|12|11|16',
	'the busiest ten minutes');
is( sizing('counted', 'wait_probability = pgpool_stats.wait_probability(15, 8), wait_probability > 0.01'),
	't|t', 'with what it has');
is( sizing('counted', 'advice'),
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

# what is held beyond that could be given back
is(sizing('small', 'suggested, give_back'), '3|0', 'holds none');
my @small = sessions('small', 5);
is(sizing('small', 'suggested, give_back'), '3|2', 'holds two too many');
$small[0]->query_safe("SET pgpool_stats.instance = 'j'");
$small[0]->query_safe('SELECT 1');
$small[0]->query_safe('RESET pgpool_stats.instance');
$small[0]->query_safe('SELECT 1');
is(sizing('small', 'give_back'), '0', 'behind a pooler they are not its own');
$_->quit foreach @small;

# the whole server
is( sizing('(server)', 'round(load), round(arrival_rate), round(mean_use_time), suggested'),
	'4|200|20|14', 'the server bears twice its cores and its disks');
like(sizing('(server)', 'advice'),
	qr/^6 cores x 2 \+ 2 spindles keep about 14 connections busy at once; in the busiest 10 min 4 were in transactions on average; the sizes suggested here add up to \d+$/,
	'in a sentence');
is( $node->safe_psql('postgres', "SELECT pool FROM pgpool_stats.sizing WHERE usename IS DISTINCT FROM 'app'", extra_params => [ '-U', 'app' ]),
	'(server)', 'pools are not for everybody');

# the setting
$node->append_conf('postgresql.conf', 'pgpool_stats.target_wait_probability = 0.2');
$node->reload;
wait_for('the setting', "suggested = 12 FROM pgpool_stats.sizing WHERE pool = 'counted'");
is(sizing('counted', 'suggested'), '12', 'more may wait; the peak was 12');

#
# Leaks that rose in the last half hour: 3, 4, 5 at the least, 2 before
#
my @leaky = sessions('leaky', 5);
report('leaky', '"pool_size": 15, "checked_out": 5, "checked_in": 0');
wait_for('leaks', "count(*) = 1 FROM pgpool_stats.leaks WHERE pool = 'leaky'");
SKIP:
{
	skip 'ten minutes have passed since', 2 if one($ten_minutes) ne $planted;
	# (15 - 5) connections at (5 - 1) each half an hour
	is( one("SELECT extract(epoch FROM exhausts_at - ($ten_minutes)) / 60 = 75 FROM pgpool_stats.leaks WHERE pool = 'leaky'"),
		't',
		'all are gone at this rate');
	like(one("SELECT evidence FROM pgpool_stats.leaks WHERE pool = 'leaky'"),
		qr/; the fewest lent out in 10 min rise: 3, 4, 5, and at most 2 in the 6 h before$/,
		'and the floor is evidence');
}
$_->quit foreach @leaky;

$node->stop;
done_testing();
