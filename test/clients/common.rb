# What the client tests in Ruby share: ask the server, compare, poll.
require "json"
require "pg"
require "socket"

ME = "#{Socket.gethostname}:#{Process.pid}"
OWN = "#{ME}.own" # what the library itself says; watch() reports beside it
$failures = 0

def check(name, good, detail = nil)
  $failures += 1 unless good
  puts(good ? "ok - #{name}" : "not ok - #{name}: #{detail}")
  $stdout.flush
end

def equal(name, got, expected)
  check(name, got == expected, "got #{got.inspect}, expected #{expected.inspect}")
end

def done
  exit!($failures.zero? ? 0 : 1)
end

def wait_until(what)
  15000.times do
    return if yield
    sleep 0.02
  end
  check("waited for #{what}", false)
end

def label(pool, instance)
  "-c pgpool_stats.pool=#{pool} -c pgpool_stats.instance=#{instance}"
end

# A connection of its own, in strict mode.
class Reporter
  def initialize
    @conn = PG.connect(user: "app", options: label("reporter", "reporter") +
      " -c pgpool_stats.strict_reports=on")
  end

  def one(query, *args)
    @conn.exec_params(query, args).values.dig(0, 0)
  end

  def report(pool, stats, instance = ME)
    one("SELECT pgpool_stats.report($1, $2, $3)", pool, JSON.generate(stats), instance) == "t"
  end

  def forget(pool)
    one("SELECT pgpool_stats.forget($1, $2)", pool, ME)
  end

  def row(pool, instance = ME)
    text = one("SELECT to_jsonb(i) FROM pgpool_stats.instances i WHERE pool = $1 AND instance = $2",
               pool, instance)
    text && JSON.parse(text)
  end

  def compare(step, pool, instance = ME, **expected)
    row = row(pool, instance)
    return check("#{step}: has a row", false) if row.nil?
    expected.each { |column, value| equal("#{step}: #{column}", row[column.to_s], value) }
    equal("#{step}: nothing unmapped", (row["unmapped"] || []) - ["every"], [])
  end

  # Many reports of so many pools, and how often somebody connected for that
  def in_one(pools, number)
    connects = -> { one("SELECT sum(connects) FROM pgpool_stats.pools WHERE pool = 'reports'").to_i }
    seen = lambda do |times|
      wait_until("#{times} reports of #{number} pools") do
        one("INSERT INTO seen SELECT pool, last_report FROM pgpool_stats.instances" \
          " WHERE pool ~ $1 AND last_report IS NOT NULL ON CONFLICT DO NOTHING", "^#{pools}\\d+$")
        one("SELECT count(*) = $1 AND min(n) > $2 FROM (SELECT count(*) AS n FROM seen GROUP BY pool) AS s",
            number, times) == "t"
      end
    end
    one("CREATE TEMP TABLE seen (pool text, at timestamptz, UNIQUE (pool, at))")
    seen.call(1)
    one("TRUNCATE seen")
    before = connects.call
    seen.call(5)
    made = connects.call - before
    check("#{number} pools report 5 times, and do not connect #{number * 5} times", made < number * 2.5, made)
  end

  def connections(step, pool, expected)
    count = -> { (row(pool) || {})["connections"] || 0 }
    wait_until("#{step}: #{expected} connections") { count.call == expected }
    equal("#{step}: the server counts the pool's connections", count.call, expected)
  end
end
