# ActiveRecord: the view shows what ConnectionPool#stat says.
require "active_record"
require_relative "common"

NAME = "activerecord"
REPORTING = { user: "app", options: "-c pgpool_stats.pool=reports -c pgpool_stats.strict_reports=on" }

ActiveRecord::Base.establish_connection(
  adapter: "postgresql", username: "app", database: ENV["PGDATABASE"], pool: 2, checkout_timeout: 0.2
)
# docs: begin activerecord
require "pgpool_stats"
PgpoolStats.watch(ActiveRecord::Base, "activerecord")
# docs: end

reporter = Reporter.new
pool = ActiveRecord::Base.connection_pool

step = lambda do |name, status, connections, held, waiting = 0|
  stat = pool.stat
  check("#{name}: has its row", reporter.report(NAME, stat, OWN))
  equal("#{name}: the pool lent what is held", stat[:busy] + stat[:dead], held)
  reporter.compare(name, NAME, OWN,
                   dialect: "activerecord",
                   max_size: stat[:size],
                   open: stat[:connections],
                   checked_in: stat[:idle],
                   checked_out: held,
                   waiting: waiting,
                   checkouts: nil,
                   timeouts: nil,
                   status: status)
  reporter.connections(name, NAME, connections)
end

step.call("empty", "ok", 0, 0)
held = [pool.checkout]
held[0].execute("SELECT 1")
step.call("partly used", "ok", 1, 1)
held << pool.checkout
held[1].execute("SELECT 1")
step.call("full", "full", 2, 2)

begin
  pool.checkout
  check("timed out: the library says so", false)
rescue ActiveRecord::ConnectionTimeoutError
  check("timed out: the library says so", true)
end
step.call("timed out", "full", 2, 2)

got = nil
waiter = Thread.new { got = pool.checkout(30); sleep }
wait_until("a waiting caller") { pool.stat[:waiting] == 1 }
step.call("waiting", "exhausted", 2, 2, 1)

pool.checkin(held.pop)
wait_until("the hand-over") { got }
step.call("handed over", "full", 2, 2)

# its owner dies without giving it back: dead is lent, too
waiter.kill
waiter.join
equal("dead: the library says so", pool.stat[:dead], 1)
step.call("owner is dead", "full", 2, 2)
pool.reap
wait_until("the reaper") { pool.stat[:dead].zero? }

# reset! brings DISCARD ALL; a label of the connection stays
held[0].reset!
equal("DISCARD ALL: the label stays", held[0].select_value("SHOW pgpool_stats.pool"), NAME)

# a forked worker, as puma's: the parent's connections are left alone, and its
# own have its own label
theirs = held[0].select_value("SELECT pg_backend_pid()")
answer, tell = IO.pipe
child = fork do
  conn = ActiveRecord::Base.connection
  tell.write([conn.select_value("SELECT pg_backend_pid()"),
              conn.select_value("SHOW pgpool_stats.instance")].to_json)
  tell.close
  exit!
end
tell.close
backend, instance = JSON.parse(answer.read)
Process.wait(child)
check("fork: a connection of its own", backend != theirs)
equal("fork: its own label", instance, "#{Socket.gethostname}:#{child}")
equal("fork: the parent's connection goes on", held[0].select_value("SELECT pg_backend_pid()"), theirs)

pool.checkin(held.pop)
equal("returned: the pool lent none", pool.stat[:busy] + pool.stat[:dead], 0)
wait_until("a report of watch()") { (reporter.row(NAME) || {})["waits"] == 2 }
reporter.compare("watched", NAME, dialect: "native", max_size: 2, timeouts: 1)
pool.disconnect!
step.call("disconnected", "ok", 0, 0)

# pools of classes: their name is the same, their instances are not
reported = lambda do |name, instance, open|
  wait_until("#{name}: reported") { (reporter.row("ar-shop", instance) || {}).values_at("dialect", "open") == ["native", open] }
  reporter.compare(name, "ar-shop", instance, max_size: 3, connections: open)
end
forgotten = lambda do |name, instance|
  wait_until("#{name}: forgotten") { reporter.row("ar-shop", instance).nil? }
end
classes = (1..3).map do |number|
  Class.new(ActiveRecord::Base) do
    self.abstract_class = true
    define_singleton_method(:name) { "Shop#{number}" }
    define_singleton_method(:connects) do
      establish_connection(adapter: "postgresql", username: "app", database: ENV["PGDATABASE"], pool: 3)
      PgpoolStats.watch(self, "ar-shop")
      connection.execute("SELECT 1")
    end
  end
end
classes[0].connects
classes[1].connects
reported.call("a class", ME, 1)
reported.call("another class", "#{ME}/2", 1)

# removed and made anew, as around a fork: it is away meanwhile, and has its label then
2.times do
  classes[0].remove_connection
  forgotten.call("removed", ME)
  classes[0].connects
  reported.call("made anew", ME, 1)
end
classes[1].remove_connection
forgotten.call("another is removed", "#{ME}/2")
classes[2].connects
reported.call("its number is free", "#{ME}/2", 1)
done
