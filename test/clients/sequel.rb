# Sequel: the view shows the sizes of its pool, and how many it lent.
require "sequel"
require_relative "common"

NAME = "sequel"

db = Sequel.connect(
  adapter: "postgres", user: "app", database: ENV["PGDATABASE"], max_connections: 2, pool_timeout: 1
)
# docs: begin sequel
require "pgpool_stats"
PgpoolStats.watch(db, "sequel")
# docs: end

# the pool of Ruby 3.2 and later has no reader for it
lent = -> { db.pool.instance_variable_get(:@allocated).size }
stats = lambda do
  { open: db.pool.size, checked_out: lent.call, max_size: db.pool.max_size }
end

reporter = Reporter.new

step = lambda do |name, status, connections, held|
  check("#{name}: has its row", reporter.report(NAME, stats.call, OWN))
  equal("#{name}: the pool lent what is held", lent.call, held)
  reporter.compare(name, NAME, OWN,
                   dialect: "native", max_size: 2, open: db.pool.size,
                   checked_out: held, checked_in: db.pool.size - held,
                   waiting: nil, timeouts: nil, status: status)
  reporter.connections(name, NAME, connections)
end

# Threads that hold a connection until they are told, however long they wait
release = Queue.new
hold = lambda do
  Thread.new do
    db.synchronize { |conn| Thread.current[:got] = conn; release.pop }
  rescue Sequel::PoolTimeout
    retry
  end
end

step.call("empty", "ok", 0, 0)
threads = [hold.call]
wait_until("one lent") { threads[0][:got] }
step.call("partly used", "ok", 1, 1)
threads << hold.call
wait_until("two lent") { threads[1][:got] }
step.call("full", "exhausted", 2, 2)

waiter = hold.call
waiter.report_on_exception = false
sleep 0.2
check("waiting: it waits", waiter[:got].nil? && waiter.alive?)
step.call("waiting", "exhausted", 2, 2)
release << true
wait_until("the hand-over") { waiter[:got] }
step.call("handed over", "exhausted", 2, 2)

begin
  db.synchronize { nil }
  check("timed out: the library says so", false)
rescue Sequel::PoolTimeout
  check("timed out: the library says so", true)
end
step.call("timed out", "exhausted", 2, 2)

2.times { release << true }
(threads << waiter).each(&:join)
step.call("returned", "ok", 2, 0)
check("its own words", reporter.report(NAME, { size: db.pool.size, max_size: db.pool.max_size }, OWN))
reporter.compare("its own words", NAME, OWN, dialect: "sequel", open: 2, max_size: 2)
wait_until("a report of watch()") { (reporter.row(NAME) || {}).values_at("checked_out", "waiting") == [0, 0] }
reporter.compare("watched", NAME, dialect: "native", max_size: 2, checked_out: 0, checked_in: 2, waiting: 0)
equal("the label is there", db["SHOW pgpool_stats.pool"].single_value, NAME)
db.disconnect
step.call("disconnected", "ok", 0, 0)

# pools that connect alike share a connection for their reports
many = (1..6).map do |i|
  one = Sequel.connect(adapter: "postgres", user: "app", database: ENV["PGDATABASE"], max_connections: 1)
  PgpoolStats.watch(one, "rbmany#{i}")
  one.get(1)
  one
end
reporter.in_one("rbmany", many.size)
done
