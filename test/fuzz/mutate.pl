# mutate.pl SEED COUNT FILE...: mutations of the JSON documents that stand in
# regression tests, as SQL literals or as whole lines, one a line; the same
# ones for the same seed and files.
use strict;
use warnings;
no warnings "recursion";
use JSON::PP;

my ($seed, $count, @files) = @ARGV;
srand($seed);

my $json = JSON::PP->new->allow_nonref->canonical->ascii;

# a document is a list of lists: [object, key, value, ...], [array, value ...]
# or [raw, text], so that a key can be there twice and a number be anything
my @fixtures;
my %keys;

sub tree
{
	my ($value) = @_;

	if (ref $value eq 'HASH')
	{
		$keys{$_} = 1 foreach keys %$value;
		return [ 'object', map { ($_, tree($value->{$_})) } sort keys %$value ];
	}
	return [ 'array', map { tree($_) } @$value ] if ref $value eq 'ARRAY';
	return [ 'raw', $json->encode($value) ];
}

sub text
{
	my ($kind, @rest) = @{ $_[0] };

	return $rest[0] if $kind eq 'raw';
	return '[' . join(',', map { text($_) } @rest) . ']' if $kind eq 'array';
	my @pairs;
	while (my ($key, $value) = splice(@rest, 0, 2))
	{
		push @pairs, $json->encode($key) . ':' . text($value);
	}
	return '{' . join(',', @pairs) . '}';
}

sub copy
{
	my ($kind, @rest) = @{ $_[0] };

	return [ $kind, map { ref $_ ? copy($_) : $_ } @rest ];
}

foreach my $file (@files)
{
	open(my $in, '<', $file) or die "$file: $!";
	while (my $line = <$in>)
	{
		while ($line =~ /'([{\["](?:[^']|'')*)'|^([{\["].*)/g)
		{
			my $found = $2 // $1 =~ s/''/'/gr;
			my $value = eval { $json->decode($found) };
			push @fixtures, tree($value) if defined $value;
		}
	}
}
die "no documents in @files" unless @fixtures;

my @keys = sort keys %keys;
my @numbers = (
	'0', '-0', '1', '-1', '2', '3', '1.5', '-1.5', '1e3', '1e-3', '1e400', '1e-400',
	'2147483646', '2147483647', '2147483648', '-2147483648', '4294967295',
	'9007199254740993', '9223372036854775', '9223372036854775807',
	'9223372036854775808', '-9223372036854775808', '-9223372036854775809',
	'18446744073709551615', '9' x 300, '0.' . '9' x 300);
my @texts = (
	'', ' ', 'x', '5', '-5', ' 5', '5 ', '0x10', '1e5', 'NaN', 'Infinity', '-Infinity',
	'PT1.5S', 'PT', 'P', 'P1D', '-PT1S', 'PT-1S', 'PT9999999999999999999999S', 'PT1', 'PT1.1.1S',
	'00:00:01.5', '1.00:00:00', '::', '1:', ':1', '1:2:3:4', '.::', '-1:2:3', '9' x 50 . ':00:00',
	'1h2m', '5ns', "1\x{b5}s", "\x{e4}", "\x{1f600}", '1ms1', 'ms', '9' x 500, 'x' x 5000, '%s%n', '../..',
	"a\nb", 'NullPool', 'Pool size: 2  Connections in pool: 0 Current Overflow: -2 Current Checked out connections: 99999999999',
	'SingletonThreadPool id:', 'native', 'bb8', 'prisma', 'pgbouncer_pools', 'klingon', 'VALUE', 'pgbouncer');
my @shapes = (
	'null', 'true', 'false', '{}', '[]', '[[]]', '[{}]', '{"":1}', '{"a":{"b":{"c":{"d":{"e":{"f":1}}}}}}',
	'{"secs":1,"nanos":5}', '{"secs":-1}', '{"nanos":"x"}', '{"secs":1e300,"nanos":1e300}', '{"secs":1,"x":1}',
	'{"value":1}', '{"sum":1,"count":2}', '{"idle":1,"used":2}', '{"name":"a","value":1}',
	'[{"name":"a","value":1}]', '[{"key":"a","value":{"sum":1}},1,null]', '[{"statistic":"VALUE","value":3}]',
	'[{"statistic":"COUNT","value":3},{"statistic":"TOTAL_TIME","value":{"secs":1}}]',
	'{"attributes":{"state":"idle"}}', '{"attributes":{"state":{}}}', '[' x 200 . ']' x 200);

sub pick { return $_[ int(rand(@_)) ] }

sub value
{
	my $kind = int(rand(10));

	return [ 'raw', pick(@numbers) ] if $kind < 4;
	return [ 'raw', $json->encode(pick(@texts)) ] if $kind < 7;
	return tree($json->decode(pick(@shapes))) if $kind < 9;
	return copy(pick(@fixtures));
}

# another spelling, another key, or none
sub key
{
	my ($key) = @_;
	my $kind = int(rand(9));

	return uc $key if $kind == 0;
	return join('_', split(//, $key)) if $kind == 1;
	return " -$key.{}" if $kind == 2;
	return substr($key, 0, int(rand(length($key) + 1))) if $kind == 3;
	return $key . pick('s', '*', '|', "\x{e4}", "\t", 'x' x 70) if $kind == 4;
	return pick(qw(host pid instance app_version dialect read write name value measurements)) if $kind == 5;
	return pick('', "\x{1f600}", 'k' x 63, 'k' x 64, 'k' x 65, '_' x 200, 'k' x 3000) if $kind == 6;
	return pick(@keys);
}

# all objects and arrays of a document
sub nodes
{
	my ($node) = @_;

	return () if $node->[0] eq 'raw';
	return ($node, map { ref $_ ? nodes($_) : () } @$node[ 1 .. $#$node ]);
}

sub mutate
{
	my ($document) = @_;
	my @nodes = nodes($document);
	my $kind = int(rand(12));

	return value() if !@nodes;
	return [ 'array', $document, copy(pick(@fixtures)) ] if $kind == 0 && rand() < 0.3;
	return [ 'object', pick(@keys), $document ] if $kind == 1 && rand() < 0.3;
	return [ 'object', 'read', $document, 'write', copy(pick(@fixtures)) ] if $kind == 2 && rand() < 0.1;

	my $node = pick(@nodes);

	if ($node->[0] eq 'array')
	{
		my $i = 1 + int(rand(scalar @$node));

		if ($kind < 4) { splice(@$node, $i, 1) if $i < @$node }
		elsif ($kind < 8) { splice(@$node, $i, 0, value()) }
		elsif (@$node > 1) { push @$node, map { copy($node->[1]) } 1 .. pick(1, 2, 20) }
		return $document;
	}

	my $pairs = (@$node - 1) / 2;
	my $i = 1 + 2 * int(rand($pairs || 1));

	if ($kind < 2 || $pairs == 0) { push @$node, key(pick(@keys)), value() }
	elsif ($kind < 4) { splice(@$node, $i, 2) }
	elsif ($kind < 6) { $node->[$i] = key($node->[$i]) }
	elsif ($kind == 6) { push @$node, key($node->[$i]), copy($node->[ $i + 1 ]) }
	elsif ($kind == 7)
	{
		my $other = pick(@fixtures);
		push @$node, @{ copy($other) }[ 1 .. $#$other ] if $other->[0] eq 'object';
	}
	else { $node->[ $i + 1 ] = value() }
	return $document;
}

for (1 .. $count)
{
	my $document = copy(pick(@fixtures));

	$document = mutate($document) for 1 .. pick(1, 1, 2, 3, 5, 10);
	my $line = text($document);

	# no backslash is special in CSV
	$line =~ s/"/""/g;
	print "\"$line\"\n";
}
