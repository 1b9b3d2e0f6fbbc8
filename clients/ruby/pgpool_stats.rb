# Tells a PostgreSQL server with pgpool_stats of a pool in this process.
#
#   require "pgpool_stats"
#   PgpoolStats.watch(ActiveRecord::Base, "orders")    # before it connects
#
# Instead of ActiveRecord::Base, a class with a connection of its own, or a
# database of Sequel.
#
# - New connections carry the label "orders" and host:pid of the process that opens
#   them, after a fork, too; it is added to what stands in their options.  The first
#   one waits, at most 1 s, until a connection of ours has shown that the server takes
#   the label (a PgBouncer may not): if it does not, they go without, which is said
#   once.
# - From the first connection of a process on, a thread reports about every 10 s, or
#   30 s while nothing changes.  It has a short connection of its own, made with what
#   the pool connected with last, labelled "reports", application_name "watch orders",
#   with 5 s to connect and for each statement.  Pools that connect alike share it.  It
#   never goes through the pool and sends no SET.
# - Several hosts in the parameters are told as such: then a server does not expect to
#   have all connections of the pool.
# - What the pools do not tell is counted where they are asked for a connection:
#   checkouts, waits and the time they took, timeouts, errors.
# - When a report fails, the next ones come more rarely, up to once a minute.  The
#   first failure is logged, and the first report that succeeds again.
# - Without the extension on the server it is silent and asks again every five minutes.
# - When the process ends it says goodbye, within 1 s; not if the last report failed.
# - Nothing of it is ever raised into the application.
#
# PgpoolStats.logger is where it says something, by warn; else on standard error.  In
# the environment, PGPOOL_STATS_INSTANCE is in place of host:pid, PGPOOL_STATS_EVERY in
# place of 10, PGPOOL_STATS_WAIT in place of 1; with PGPOOL_STATS_OFF=1 nothing is done.

require "json"
require "pg"
require "socket"

module PgpoolStats
  def self.environment(name, otherwise)
    value = ENV[name].to_f
    value.positive? ? value : otherwise
  end

  EVERY = environment("PGPOOL_STATS_EVERY", 10) # seconds
  TIMEOUT = 5
  FIRST_WAIT = environment("PGPOOL_STATS_WAIT", 1)
  RETRY = 1
  GOODBYE = FIRST_WAIT
  QUIET = 3    # times as long while nothing changes ...
  REFUSED = 6  # ... at most while reports fail
  MISSING = 30 # ... and without the extension

  @pools = []
  @mutex = Mutex.new
  @jitter = 1 # processes are not to report in step

  class << self
    attr_accessor :logger
    attr_reader :pools, :mutex, :jitter

    def watch(pool, name)
      return if ENV["PGPOOL_STATS_OFF"] == "1"
      return if @pools.any? { |each| each.name == name && each.kind.target.equal?(pool) } # as after a fork
      kind = pool.respond_to?(:connection_pool) ? ActiveRecordPool : SequelPool
      raise ArgumentError, "it is no pool that is known" unless kind.fits?(pool)
      watched = Watched.new(kind.new(pool), name)
      at_exit { goodbye } if @pools.empty?
      @mutex.synchronize { @pools << watched }
      watched.kind.attach(watched)
      nil
    rescue StandardError => error
      say("cannot watch pool #{name}: #{error.message}")
    end

    def say(text)
      text = "pgpool_stats: #{text}"
      logger ? logger.warn(text) : warn(text)
      nil
    rescue StandardError
      nil
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # One thread a process, from the first connection on
    def start
      return if @thread_pid == Process.pid
      @thread_pid = Process.pid
      Thread.new { run }.name = "pgpool_stats"
    end

    def run
      loop do
        @jitter = 0.7 + 0.6 * rand
        @pools.dup.each { |each| each.turn if each.due && each.due - now < EVERY * 0.15 }
        due = @pools.map(&:due).compact.min || now + EVERY
        sleep([due - now, EVERY * 0.05].max)
      end
    end

    def goodbye
      deadline = now + GOODBYE
      @pools.map { |each| Thread.new { each.forget } }.each { |thread| thread.join([deadline - now, 0].max) }
    end
  end

  # Of the connection that this thread opens
  module Label
    # names of the same
    %i[new open connect].each do |how|
      define_method(how) do |*args, **more|
        watched = Thread.current[:pgpool_stats]
        next super(*args, **more) unless watched
        args, more = [], args.last if more.empty? && args.last.is_a?(Hash)
        begin
          more = more.merge(options: watched.options(more)).compact unless more.empty?
        rescue StandardError => error
          PgpoolStats.say("no label for pool #{watched.name}: #{error.message}")
        end
        watched.opening { super(*args, **more) }
      end
    end
  end

  # ActiveRecord: a pool may be made anew, as after a fork, with its configuration or
  # another
  class ActiveRecordPool
    attr_reader :target

    def self.fits?(base)
      base.connection_pool.respond_to?(:stat)
    end

    def initialize(base)
      @target = base
      @owner = base.connection_specification_name
    end

    def attach(watched)
      ActiveRecordPool.watched[pool.db_config] = watched
      ActiveRecord::ConnectionAdapters::ConnectionPool.prepend(Hooks)
    end

    @watched = {}.compare_by_identity
    class << self
      attr_reader :watched

      # Who watches a pool; of a configuration that is asked once
      def watching(pool)
        config = pool.db_config
        @watched.fetch(config) do
          @watched[config] = PgpoolStats.pools.find do |each|
            each.kind.is_a?(ActiveRecordPool) && each.kind.pool.equal?(pool)
          end
        end
      end
    end

    # nil when it was removed: then a class has that of the class above it
    def pool
      @target.connection_pool if @target.connection_specification_name == @owner
    rescue ActiveRecord::ConnectionNotEstablished
      nil
    end

    module Hooks
      def checkout(*args)
        watched = ActiveRecordPool.watching(self)
        return super unless watched
        stat = self.stat
        waits = stat[:size] && stat[:connections] >= stat[:size] && stat[:idle] <= stat[:waiting]
        watched.asked(waits, ActiveRecord::ConnectionTimeoutError) { super }
      end

      private

      def new_connection(*args)
        watched = ActiveRecordPool.watching(self)
        return super unless watched
        PgpoolStats.labelled(watched) do
          super.tap do |adapter|
            # since 7.1 it connects later
            later = adapter.instance_variable_get(:@connection_parameters)
            lazy = later && !adapter.instance_variable_get(:@raw_connection) &&
              !adapter.instance_variable_get(:@connection)
            later[:options] = watched.options(later) if lazy && !later.frozen?
          end
        end
      end
    end

    # nil when it was removed
    def figures
      stat = pool&.stat
      stat && {
        max_size: stat[:size], open: stat[:connections], checked_in: stat[:idle],
        checked_out: stat[:busy] + stat[:dead], waiting: stat[:waiting]
      }
    end
  end

  # Sequel's threaded pools
  class SequelPool
    attr_reader :target

    def self.fits?(database)
      database.respond_to?(:pool) && database.respond_to?(:connect)
    end

    def initialize(database)
      @target = database
      @pool = database.pool
    end

    def attach(watched)
      pool = @pool
      kind = self
      @target.singleton_class.prepend(Module.new do
        define_method(:connect) do |*args|
          PgpoolStats.labelled(watched) { super(*args) }
        end
      end)
      @pool.singleton_class.prepend(Module.new do
        define_method(:acquire) do |*args|
          idle = kind.idle
          waits = pool.size >= pool.max_size && (idle.nil? || idle.empty?)
          watched.asked(waits, Sequel::PoolTimeout) { super(*args) }
        end
        private :acquire
      end)
      @target.disconnect # Sequel.connect has opened one, to try
    end

    # what "threaded" has, and "timed_queue", which is usual from Ruby 3.2 on
    def idle
      @pool.instance_variable_get(:@available_connections) || @pool.instance_variable_get(:@queue)
    end

    def figures
      lent = @pool.instance_variable_get(:@allocated)
      figures = { max_size: @pool.max_size, open: @pool.size }
      figures.merge!(checked_out: lent.size, checked_in: idle.size) if lent && idle
      figures
    end
  end

  def self.labelled(watched)
    PG::Connection.singleton_class.prepend(Label)
    before = Thread.current[:pgpool_stats]
    Thread.current[:pgpool_stats] = watched
    yield
  ensure
    Thread.current[:pgpool_stats] = before
  end

  class Watched
    attr_reader :kind, :name, :number, :due, :accepted, :params

    def initialize(kind, name)
      @kind = kind
      @name = name
      @mutex = Mutex.new
      # of several pools of one name, which is this?
      taken = PgpoolStats.pools.select { |other| other.name == name && other.kind.figures }.map(&:number)
      @number = (1..).find { |number| !taken.include?(number) }
      born
    end

    # A forked process has all to itself.
    def born
      @pid = Process.pid
      base = ENV["PGPOOL_STATS_INSTANCE"] || "#{Socket.gethostname}:#{@pid}"
      @instance = @number > 1 ? "#{base}/#{@number}" : base
      @counts = { checkouts: 0, waits: 0, total_wait_time: 0.0, timeouts: 0, errors: 0, waiting: 0 }
      @turns = Mutex.new
      @asked = @asked_at = @due = @last = nil
      @failures = @unseen = @opening = 0
      @reported = @seen = @ended = false
    end

    def count(what, n = 1)
      @mutex.synchronize { @counts[what] += n }
    end

    # Around a checkout, which has to wait or not
    def asked(waits, timeout)
      began = PgpoolStats.now
      count(:waits) if waits
      count(:waiting) if waits
      connection = yield
      count(:checkouts)
      connection
    rescue timeout
      count(:timeouts)
      raise
    rescue StandardError
      count(:errors)
      raise
    ensure
      count(:waiting, -1) if waits
      count(:total_wait_time, (PgpoolStats.now - began) * 1000) if waits
    end

    # Around the making of a connection
    def opening
      @mutex.synchronize { @opening += 1 }
      yield
    rescue PG::Error => error
      refused?(error)
      raise
    ensure
      @mutex.synchronize { @opening -= 1 }
    end

    # The options of a new connection: those it has, and the label
    def options(params)
      born unless @pid == Process.pid
      @params = params
      connecting
      before = params[:options] || ENV["PGOPTIONS"]
      return before unless @accepted
      [before, "-c pgpool_stats.pool=#{escape(@name)} -c pgpool_stats.instance=#{escape(@instance)}"].compact.join(" ")
    end

    # Report, if there is anything new, for all pools that connect alike.
    def turn
      return unless @turns.try_lock
      group = [self]
      begin
        return if @ended
        return gone unless figures
        return later(EVERY) if quiet?
        group += PgpoolStats.pools.select { |other| other.goes_along?(self) }
        there = begin
          connected(TIMEOUT) { |conn| report(conn, group) }
        rescue PG::Error => error
          raise unless refused?(error)
          connected(TIMEOUT) { |conn| report(conn, group) }
        end
        group.each { |each| each.succeeded(there) }
      rescue StandardError => error
        group.each { |each| each.failed(error) }
      ensure
        group.each(&:turned)
      end
    end

    # Can it be reported on the connection of another?  Then its turn begins.
    def goes_along?(leader)
      !equal?(leader) && @pid == Process.pid && !@accepted.nil? && @accepted == leader.accepted &&
        @params == leader.params && @turns.try_lock
    end

    def turned
      @turns.unlock
    end

    def succeeded(there)
      PgpoolStats.say("pool #{@name} is reported again") if @failures.positive?
      @failures = 0
      @reported = there
      later(there ? EVERY : EVERY * MISSING)
    end

    def failed(error)
      @failures += 1
      PgpoolStats.say("cannot report pool #{@name}: #{error.message.split.join(' ')}") if @failures == 1
      @reported = false
      @last = nil
      later(EVERY * [2**[@failures - 1, 10].min, REFUSED].min)
    end

    # Goodbye, after the report that is on its way: that would bring it back.
    def forget
      return unless @pid == Process.pid
      @ended = true
      @turns.synchronize { unreport }
    end

    # On a connection on which questions can be asked
    def tell(&ask)
      figures = self.figures
      return if @ended || figures.nil?
      document = { dialect: "native", host: Socket.gethostname, pid: @pid, every: EVERY * QUIET, hosts: hosts }
      yield("SELECT pgpool_stats.report($1, $2, $3)", @name, JSON.generate(document.merge(figures)), @instance)
      @last = figures
      @sent_at = PgpoolStats.now
      look(&ask) if @accepted && !@seen && hosts == 1 && figures[:open] - @opening > 0
    end

    private

    # The pool is no more, or not yet again: as before a fork
    def gone
      unreport
      @last = nil
      later(EVERY)
    end

    def unreport
      return unless @reported
      @reported = false
      connected(GOODBYE) { |conn| ask(conn, "SELECT pgpool_stats.forget($1, $2)", @name, @instance) }
    rescue StandardError
      nil # its row stays until the server forgets it
    end

    def escape(value)
      value.gsub(/[\\\s]/) { |character| "\\#{character}" }
    end

    def later(after)
      @due = PgpoolStats.now + after * PgpoolStats.jitter
    end

    # The first connection waits a moment until it is known whether the server
    # takes the label.
    def connecting
      @due ||= PgpoolStats.now + EVERY
      PgpoolStats.start
      return unless @accepted.nil?
      if !@asked&.alive? && (@asked_at.nil? || PgpoolStats.now - @asked_at > RETRY)
        @asked_at = PgpoolStats.now
        @asked = Thread.new { turn }
      end
      deadline = PgpoolStats.now + FIRST_WAIT
      sleep(0.002) while @accepted.nil? && @asked&.alive? && PgpoolStats.now < deadline
    end

    def refused?(error)
      return false if @accepted == false || !error.message.include?("unsupported startup parameter")
      @accepted = false
      PgpoolStats.say("connections of pool #{@name} get no label: #{error.message.split.join(' ')}")
      true
    end

    def connected(limit)
      params = @params.merge(application_name: "watch #{@name}", connect_timeout: [limit, 2].max.ceil)
      unless @accepted == false
        params[:options] = [params[:options] || ENV["PGOPTIONS"], "-c pgpool_stats.pool=reports"].compact.join(" ")
      end
      @deadline = PgpoolStats.now + limit
      conn = PG::Connection.new(**params)
      yield conn
    ensure
      conn&.close
    end

    # One value, or an error when there is no answer in time
    def ask(conn, query, *values)
      conn.send_query_params(query, values)
      left = @deadline - PgpoolStats.now
      raise PG::ConnectionBad, "no answer within #{TIMEOUT} s" unless left.positive? && conn.block(left)
      conn.get_last_result.getvalue(0, 0)
    end

    # nil when the pool is no more
    def figures
      counts = @mutex.synchronize { @counts.dup }
      told = @kind.figures
      told && { waiting: counts[:waiting] }.merge(told, counts.reject { |what,| what == :waiting })
    end

    def quiet?
      @last && PgpoolStats.now - @sent_at < EVERY * QUIET * 0.95 && @last == figures
    end

    def report(conn, group)
      there = ask(conn, "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL") == "t"
      @accepted = true if @accepted.nil? # this connection had a label
      group.each { |each| each.tell { |*question| ask(conn, *question) } } if there
      there
    end

    # How many servers its connections may be on
    def hosts
      host = @params[:host] || ENV["PGHOST"]
      host.is_a?(Array) ? host.size : host.to_s.split(",").size.clamp(1..)
    end

    # Do the connections carry the label?  Told once, if two reports did not find it.
    def look
      labelled = yield("SELECT coalesce(bool_or(connections > 0 OR via IS NOT NULL), false)" \
        " FROM pgpool_stats.instances WHERE pool = $1 AND instance = $2", @name, @instance) == "t"
      @unseen += 1
      @seen = labelled || @unseen == 2
      return if labelled || !@seen
      PgpoolStats.say("pool #{@name} has open connections, and the server sees none with the label" \
        " pgpool_stats.pool=#{@name}: watch it before it connects")
    end
  end
end
