# An application with a pool, told what to do by watched.py.
require "active_record"
require "pgpool_stats"

$stdout.sync = true
ActiveRecord::Base.establish_connection(
  adapter: "postgresql", host: ENV["PGHOST"], port: ENV["PGPORT"], username: ENV["PGUSER"],
  password: ENV["PGPASSWORD"], database: ENV["PGDATABASE"], pool: 2, checkout_timeout: 3
)
PgpoolStats.watch(ActiveRecord::Base, "activerecord")
pool = ActiveRecord::Base.connection_pool
held = []

$stdin.each_line(chomp: true) do |command|
  case command
  when "take" then held << pool.checkout.tap(&:verify!)
  when "give" then pool.checkin(held.pop)
  when "work" then pool.with_connection { |conn| conn.verify! && conn.execute("SELECT 1") }
  when "end" then pool.disconnect!
  end
  puts "done"
rescue StandardError => error
  puts "failed: #{error.message.split.join(' ')}"
end
