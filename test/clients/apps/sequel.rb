# An application with a pool, told what to do by watched.py.
require "sequel"
require "pgpool_stats"

$stdout.sync = true
DB = Sequel.connect(
  adapter: "postgres", host: ENV["PGHOST"], port: ENV["PGPORT"], user: ENV["PGUSER"],
  password: ENV["PGPASSWORD"], database: ENV["PGDATABASE"], max_connections: 2, pool_timeout: 3, test: false
)
PgpoolStats.watch(DB, "sequel")
held = []

# lends a connection to a thread, until the queue says so
def take
  took, give = Queue.new, Queue.new
  Thread.new do
    DB.synchronize { took << nil; give.pop }
    took << nil
  rescue StandardError => error
    took << error
  end
  error = took.pop
  raise error if error
  [took, give]
end

$stdin.each_line(chomp: true) do |command|
  case command
  when "take" then held << take
  when "give"
    took, give = held.pop
    give << nil
    took.pop
  when "work" then DB.get(1)
  when "end" then DB.disconnect
  end
  puts "done"
rescue StandardError => error
  puts "failed: #{error.message.split.join(' ')}"
end
