/*
 * pgpool-stats.js
 *    Tells a PostgreSQL server with pgpool_stats of a pool in this process.
 *
 *      const { watch } = require('pgpool-stats');
 *      watch(pool, 'orders');              // before the pool connects
 *
 * "pool" is a pg.Pool, or what has one inside: pg-promise, Drizzle, TypeORM's
 * DataSource (before initialize()); or knex, objection's knex, MikroORM up to 6,
 * sequelize, postgres.js.  To kysely, Prisma's adapter-pg and others give a pg.Pool
 * of your own, and watch that.  For slonik see slonik.js.
 *
 * - New connections carry the label "orders" and host:pid of the process; it is
 *   added to what stands in their options.  The first one waits, at most 1 s,
 *   until a connection of ours has shown that the server takes the label (a
 *   PgBouncer may not): if it does not, they go without, which is said once.
 * - From the first connection on, a report about every 10 s, or 30 s while
 *   nothing changes.  It has a short connection of its own, made the way the
 *   pool makes its own, labelled "reports", application_name "watch orders",
 *   with 5 s for everything.  Pools that connect alike share it.  It never goes
 *   through the pool, holds no handle that keeps the process, and sends no SET.
 * - What pools do not tell is counted where they are asked for a connection:
 *   checkouts, waits and the time they took, timeouts, failed connects.
 * - When a report fails, the next ones come more rarely, up to once a minute.
 *   The first failure is logged, and the first report that succeeds again.
 * - Without the extension on the server it is silent and asks again every five
 *   minutes.
 * - When the pool is closed, or the process has nothing more to do, it says
 *   goodbye, within 1 s; not if the last report failed.
 * - Nothing of it ever raises into the application.
 *
 * watch(pool, name, { instance, every, app_version, log }): "instance" in place of
 * host:pid; "every" in place of 10; "app_version" is shown in pgpool_stats.instances;
 * "log" in place of console.warn.  It returns { report, stop }: report() sends one
 * now (on AWS Lambda, where there is no timer, at the end of an invocation), stop()
 * says goodbye.  In the environment, PGPOOL_STATS_INSTANCE and PGPOOL_STATS_EVERY
 * are the same for all pools, PGPOOL_STATS_WAIT is how many seconds a first
 * connection and goodbye may take; with PGPOOL_STATS_OFF=1 nothing is done.
 */
'use strict';

const net = require('net');
const os = require('os');

const EVERY = 10; // seconds; the rest in milliseconds
const TIMEOUT = 5000;
const FIRST_WAIT = 1000 * (process.env.PGPOOL_STATS_WAIT || 1);
const RETRY = 1000;
const GOODBYE = FIRST_WAIT;
const QUIET = 3; // times as long while nothing changes ...
const REFUSED = 6; // ... at most while reports fail
const MISSING = 30; // ... and without the extension
const REPORTS = '-c pgpool_stats.pool=reports';

const now = () => Number(process.hrtime.bigint() / 1000000n);

/* A promise, or undefined when it took too long.  The timer keeps the process
 * only if somebody waits for the answer. */
function within(ms, promise, keep) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
    if (!keep) timer.unref();
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const escape = (value) => String(value).replace(/[\\\s]/g, '\\$&');
const more = (options, label) => (options ? `${options} ${label}` : label);

/*
 * The pools
 *
 * Each kind tells its figures, in our own words; counts what it does not tell;
 * has its connections labelled; opens one of our own; says when it is closed.
 */

/* What a caller who asks for a connection adds to the counters */
class Counters {
  constructor() {
    this.told = { checkouts: 0, waits: 0, total_wait_time: 0, timeouts: 0, errors: 0 };
  }

  /* Returns what to call when it has one, or an error */
  asked(waits, isTimeout) {
    const began = now();
    if (waits) this.told.waits++;
    return (error) => {
      if (waits) this.told.total_wait_time += now() - began;
      if (!error) this.told.checkouts++;
      else if (isTimeout(error)) this.told.timeouts++;
      else this.told.errors++;
    };
  }

  /* The same around a function that returns a promise */
  async around(waits, isTimeout, ask) {
    const answered = this.asked(waits, isTimeout);
    try {
      const connection = await ask();
      answered();
      return connection;
    } catch (error) {
      answered(error);
      throw error;
    }
  }
}

/* pg's Client, whose connections get the label of a watched pool */
function labelled(Client, watched) {
  return class extends Client {
    connect(callback) {
      const opened = (error) => {
        watched.opening--;
        if (error) watched.refused(error);
      };
      const connect = (done) => {
        if (done) return super.connect((error, ...rest) => { opened(error); return done(error, ...rest); });
        return super.connect().then(() => opened(), (error) => { opened(error); throw error; });
      };
      const label = () => {
        const { connectionParameters: parameters } = this;
        if (watched.accepted) parameters.options = more(parameters.options, watched.label());
      };
      watched.opening++; // the pool counts it from now on
      const { connectionTimeoutMillis: limit } = watched.pool;
      const wait = watched.connecting(limit && limit / 2);
      if (!wait) {
        label();
        return connect(callback);
      }
      const ready = wait.then(label);
      if (callback) {
        ready.then(() => connect(callback));
        return undefined;
      }
      return ready.then(() => connect());
    }
  };
}

/* A connection of our own, of pg's Client */
class PgConnection {
  constructor(Client, config, name, label) {
    this.client = new Client({ ...config, password: config.password, connectionTimeoutMillis: TIMEOUT });
    const { connectionParameters: parameters } = this.client;
    const { host, port, database, user, options } = parameters;
    this.key = JSON.stringify([host, port, database, user, options]);
    parameters.application_name = `watch ${name}`;
    if (label) parameters.options = more(options, REPORTS);
    this.client.on('error', () => {});
  }

  open() {
    const opened = this.client.connect();
    const { connection } = this.client; // libpq's client has none
    if (connection) connection.stream.unref();
    return opened;
  }

  async query(text, values) {
    const { rows } = await this.client.query({ text, values, rowMode: 'array' });
    return rows[0];
  }

  close() {
    const { connection } = this.client;
    return this.client.end().catch(() => {}).finally(() => connection && connection.stream.destroy());
  }

  abort() {
    const { connection } = this.client;
    if (connection) connection.stream.destroy();
    else this.client.end(() => {});
  }
}

class PgPool {
  constructor(pool) {
    this.pool = pool;
    this.Client = pool.Client;
  }

  get connectionTimeoutMillis() {
    return this.pool.options.connectionTimeoutMillis;
  }

  attach(watched, counters) {
    const { pool } = this;
    const { connect } = pool;
    const isTimeout = (error) => /^timeout exceeded/.test(error.message);

    pool.Client = labelled(this.Client, watched);
    pool.connect = (callback) => {
      const waits = pool.totalCount >= pool.options.max && pool.waitingCount >= pool.idleCount;
      if (typeof callback !== 'function') {
        return counters.around(waits, isTimeout, () => connect.call(pool));
      }
      const answered = counters.asked(waits, isTimeout);
      return connect.call(pool, (error, ...rest) => {
        answered(error);
        return callback(error, ...rest);
      });
    };
    closing(pool, 'end', watched);
  }

  figures() {
    const { totalCount, idleCount, waitingCount, options: { max, min } } = this.pool;
    return {
      max_size: Number.isFinite(max) ? max : undefined,
      unlimited: Number.isFinite(max) ? undefined : true,
      min_size: min,
      open: totalCount,
      checked_in: idleCount,
      checked_out: totalCount - idleCount,
      waiting: waitingCount,
    };
  }

  async connection(name, label) {
    const { options } = this.pool;
    return new PgConnection(this.Client, options, name, label);
  }
}

class Tarn {
  constructor(knex) {
    this.knex = knex.client;
    this.pool = knex.client.pool;
    this.driver = knex.client.driver;
  }

  attach(watched, counters) {
    const { pool } = this;
    const pending = new Map();
    const isTimeout = (error) => error.constructor.name === 'TimeoutError';
    const answer = (id, error) => {
      if (pending.has(id)) pending.get(id)(error);
      pending.delete(id);
    };

    // those that it has opened have no label: others are opened instead
    const early = new WeakSet([...pool.free, ...pool.used].map(({ resource }) => resource));
    const { validate } = pool;
    pool.validate = (connection) => (watched.accepted && early.has(connection) ? false : validate(connection));

    this.knex.driver = Object.create(this.driver, {
      Client: { value: labelled(this.driver.Client, watched) },
    });
    pool.on('acquireRequest', (id) => {
      watched.connecting(); // the reporter begins, also where all are open
      const waits = pool.numUsed() + pool.numPendingCreates() >= pool.max &&
        pool.numPendingAcquires() >= pool.numFree();
      pending.set(id, counters.asked(waits, isTimeout));
    });
    pool.on('acquireSuccess', (id) => answer(id));
    pool.on('acquireFail', (id, error) => answer(id, error));
    closing(pool, 'destroy', watched);
  }

  figures() {
    const { pool } = this;
    return {
      max_size: pool.max,
      min_size: pool.min,
      open: pool.numUsed() + pool.numFree() + pool.numPendingCreates(),
      checked_in: pool.numFree(),
      checked_out: pool.numUsed(),
      waiting: pool.numPendingAcquires(),
    };
  }

  async connection(name, label) {
    const { connection } = this.knex.config;
    const settings = typeof connection === 'function' ? await connection() : this.knex.connectionSettings;
    const config = typeof settings === 'string' ? { connectionString: settings } : settings;
    return new PgConnection(this.driver.Client, config, name, label);
  }
}

class SequelizePool {
  constructor(sequelize, manager) {
    this.sequelize = sequelize;
    this.manager = manager;
    this.lib = manager.lib;
    // with replication, that of the primary
    this.pool = manager.pool.write || manager.pool;
  }

  attach(watched, counters) {
    const { pool, manager } = this;
    const { acquire } = pool;
    const isTimeout = (error) => error.constructor.name === 'TimeoutError';
    const self = this;

    class Client extends labelled(this.lib.Client, watched) {
      constructor(config) {
        super(config);
        self.config = config;
      }
    }
    manager.lib = Object.create(this.lib, { Client: { value: Client } });
    pool.acquire = () => {
      const waits = pool.available === 0 && pool.size >= pool.maxSize;
      return counters.around(waits, isTimeout, () => acquire.call(pool));
    };
    closing(pool, 'destroyAllNow', watched);
  }

  figures() {
    const { size, available, using, waiting, maxSize, minSize } = this.pool;
    return {
      max_size: maxSize, min_size: minSize, open: size, checked_in: available, checked_out: using, waiting,
    };
  }

  /* As the pool was connected last; a hook may have a new password */
  async connection(name, label) {
    if (!this.config) return null;
    const login = { ...this.manager.config };
    await this.sequelize.runHooks('beforeConnect', login);
    const config = { ...this.config, user: login.username, password: login.password };
    return new PgConnection(this.lib.Client, config, name, label);
  }
}

/* postgres.js has no figures: the label says its maximum, and the server counts */
class PostgresJs {
  constructor(sql) {
    this.sql = sql;
    this.options = sql.options;
    this.start = sql.options.connection;
    this.postgres = require('postgres');
  }

  get connectionTimeoutMillis() {
    return this.options.connect_timeout * 1000;
  }

  attach(watched, counters) {
    const { options, start } = this;
    const { name, instance } = watched;
    counters.told = {};
    const label = {
      'pgpool_stats.pool': name, 'pgpool_stats.instance': instance, 'pgpool_stats.pool_size': options.max,
    };

    // what a new connection says at its start
    Object.defineProperty(options, 'connection', {
      enumerable: true,
      get: () => (watched.accepted ? { ...start, ...label } : start),
    });
    // it asks for a socket first, which can wait; and then whether it made it
    const wait = async () => {
      await watched.connecting();
      options.socket = undefined;
      if (watched.accepted === undefined) setImmediate(() => { options.socket = wait; });
      return new net.Socket();
    };
    if (!options.socket) options.socket = wait;
    else watched.connecting();
    closing(this.sql, 'end', watched);
  }

  figures() {
    const { host, port, max } = this.options;
    const servers = new Set(host.map((each, i) => `${each}:${port[i]}`)).size;
    return { max_size: max, hosts: servers > 1 ? servers : undefined };
  }

  async connection(name, label) {
    const { options, start } = this;
    const own = {
      ...options, max: 1, connect_timeout: TIMEOUT / 1000, connection: { ...start, application_name: `watch ${name}` },
    };
    if (label) own.connection['pgpool_stats.pool'] = 'reports';
    own.socket = () => {
      own.socket = undefined;
      return new net.Socket().unref();
    };
    const sql = this.postgres(own);
    const end = () => sql.end({ timeout: 0 }).catch(() => {});
    return {
      key: sql,
      open: async () => {},
      query: async (text, values) => (await sql.unsafe(text, values).values())[0],
      close: end,
      abort: end,
    };
  }
}

/* What a closed pool does in the end */
function closing(pool, method, watched) {
  const close = pool[method];

  pool[method] = function (...args) {
    const callback = args[args.length - 1];
    if (typeof callback === 'function') {
      args[args.length - 1] = (...results) => watched.stop().then(() => callback(...results));
      return close.apply(this, args);
    }
    const closed = close.apply(this, args);
    return Promise.resolve(closed).then((result) => watched.stop().then(() => result));
  };
}

const isPgPool = (pool) => Boolean(pool && typeof pool.connect === 'function' && pool.options &&
  typeof pool.totalCount === 'number' && pool.Client);

function kindOf(target) {
  const inner = [target, target.$pool, target.$client, target.driver && target.driver.master].find(isPgPool);

  if (inner) return new PgPool(inner);
  if (target.em && target.em.getConnection && target.em.getConnection().getKnex) return kindOf(target.em.getConnection().getKnex());
  if (target.client && target.client.pool && target.client.pool.numUsed) return new Tarn(target);
  if (target.connectionManager && target.connectionManager.pool && target.connectionManager.lib) {
    return new SequelizePool(target, target.connectionManager);
  }
  if (target.options && target.options.connection && target.options.shared) return new PostgresJs(target);
  throw new Error('is no pool that is known: give its pg.Pool');
}

/* End a connection of our own, within some milliseconds */
async function closed(connection, limit, keep) {
  let late = true;
  if (limit > 0) await within(limit, connection.close().then(() => { late = false; }), keep);
  if (late) connection.abort();
}

/*
 * A pool that is watched
 */
class Watched {
  constructor(pool, name, { instance, every = Number(process.env.PGPOOL_STATS_EVERY) || EVERY, app_version: version, log = console.warn } = {}) {
    const base = process.env.PGPOOL_STATS_INSTANCE || instance || `${os.hostname()}:${process.pid}`;
    const taken = reporter.pools.filter((other) => other.name === name).map((other) => other.instance);
    let free = base;
    for (let i = 2; taken.includes(free); i++) free = `${base}/${i}`;

    this.pool = pool;
    this.name = name;
    this.instance = free;
    this.every = every * 1000;
    this.version = version;
    this.log = (text) => { try { log(`pgpool_stats: ${text}`); } catch (error) { /* its own */ } };
    this.counters = new Counters();
    this.accepted = undefined; // does the server take the label?
    this.asked = undefined; // the first connection of ours, while it lasts
    this.failures = 0;
    this.reported = false; // the last report was taken
    this.opening = 0;
    this.along = []; // whom its report tells of, too
    this.unseen = 0; // reports with open connections of which none had the label
    pool.attach(this, this.counters);
  }

  label() {
    return `-c pgpool_stats.pool=${escape(this.name)} -c pgpool_stats.instance=${escape(this.instance)}`;
  }

  /* The pool opens a connection.  Undefined when it is known whether that gets
   * the label, else a promise for when it is, or when that took too long. */
  connecting(limit = FIRST_WAIT) {
    if (this.stopped) return undefined;
    reporter.start(this);
    if (this.accepted !== undefined) return undefined;
    if (!this.asked && now() - (this.lastAsked || 0) >= RETRY) {
      this.lastAsked = now();
      this.asked = this.turn().finally(() => { this.asked = undefined; });
    }
    return this.asked ? within(Math.min(FIRST_WAIT, limit || FIRST_WAIT), this.asked, true) : undefined;
  }

  /* A connection failed.  Returns whether the label was why. */
  refused(error) {
    if (this.accepted === false || !/unsupported startup parameter/.test(error.message)) return false;
    this.accepted = false;
    this.log(`connections of pool ${this.name} get no label: ${error.message}`);
    return true;
  }

  /* One report at a time; never raises. */
  turn() {
    if (!this.turning) {
      this.turning = this.send().finally(() => { this.turning = undefined; });
    }
    return this.turning;
  }

  /* A report, and those of other pools that connect alike */
  async send() {
    this.along = reporter.pools.filter((each) => each !== this && each.key && each.key === this.key && each.due);
    const group = [this, ...this.along];
    try {
      await this.connected(TIMEOUT, async (connection) => {
        for (const each of group.filter((one) => !one.stopped)) {
          try {
            each.succeeded(await each.report(connection));
          } catch (error) {
            each.failed(error);
          }
        }
      });
    } catch (error) {
      if (this.refused(error)) return this.send();
      group.forEach((each) => each.failed(error));
    }
    return undefined;
  }

  isDue() {
    // those that are due soon go along
    return this.due && this.due - now() < this.every * 0.15;
  }

  next(after) {
    this.due = now() + after * reporter.jitter;
  }

  succeeded(there) {
    if (this.failures) this.log(`pool ${this.name} is reported again`);
    this.failures = 0;
    this.reported = there;
    this.next(this.every * (there ? 1 : MISSING));
  }

  failed(error) {
    if (!this.failures++) this.log(`cannot report pool ${this.name}: ${error.message || error.code || error}`);
    this.reported = false;
    this.last = undefined;
    this.next(this.every * Math.min(2 ** (this.failures - 1), REFUSED));
  }

  /* Do something on a connection of our own, within some milliseconds.  While
   * somebody waits for it, his timer keeps the process. */
  async connected(limit, work) {
    const end = now() + limit;
    const labels = this.accepted !== false;
    let connection;
    let late = true;
    let over = false;
    const run = async () => {
      connection = await this.pool.connection(this.name, labels);
      if (over) return; // nobody waits for it any more
      if (connection) {
        await connection.open();
        if (labels) this.accepted = true;
        this.key = connection.key;
        await work(connection);
      }
      late = false;
    };
    try {
      await within(limit, run(), this.stopped);
      if (late) throw new Error(`no answer within ${limit / 1000} s`);
    } finally {
      over = true;
      if (connection) await closed(connection, late ? 0 : Math.min(end - now(), GOODBYE), this.stopped);
    }
  }

  figures() {
    return { ...this.pool.figures(), ...this.counters.told };
  }

  /* Has nothing changed since a report that is not old yet? */
  isQuiet() {
    return this.last && now() - this.sentAt < this.every * QUIET * 0.95 &&
      JSON.stringify(this.last) === JSON.stringify(this.figures());
  }

  async report(connection) {
    const figures = this.figures();
    const [there] = await connection.query(
      "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL", []);

    if (!there) return false;
    const document = JSON.stringify({
      dialect: 'native',
      host: os.hostname(),
      pid: process.pid,
      every: reporter.timers ? this.every * QUIET / 1000 : undefined,
      app_version: this.version,
      ...figures,
    });
    await connection.query('SELECT pgpool_stats.report($1, $2::text::jsonb, $3)', [this.name, document, this.instance]);
    this.last = figures;
    this.sentAt = now();
    const open = figures.open - this.opening;
    if (this.accepted && open > 0 && !this.seen && !this.stopped) await this.look(connection);
    return true;
  }

  /* Do the connections carry the label?  Told once, if two reports did not find it. */
  async look(connection) {
    const [labelled] = await connection.query('SELECT coalesce(bool_or(connections > 0 OR via IS NOT NULL), false)' +
      ' FROM pgpool_stats.instances WHERE pool = $1 AND instance = $2', [this.name, this.instance]);

    this.seen = labelled || ++this.unseen === 2;
    if (!labelled && this.seen) {
      this.log(`pool ${this.name} has open connections, and the server sees none with the label ` +
        `pgpool_stats.pool=${this.name}: watch it before it connects`);
    }
  }

  /* Goodbye: the server forgets this instance.  Nobody waits longer than a second. */
  async stop() {
    if (this.stopped) return;
    this.stopped = true;
    reporter.drop(this);
    const end = now() + GOODBYE;
    const telling = [this, ...reporter.pools.filter((each) => each.along.includes(this))];
    let late = true; // a report that is on its way would bring it back
    await within(GOODBYE, Promise.all(telling.map((each) => each.turning)).then(() => { late = false; }), true);
    if (late || !this.reported) return;
    this.reported = false;
    try {
      await this.connected(Math.max(end - now(), 0), (connection) => connection.query(
        'SELECT pgpool_stats.forget($1, $2)', [this.name, this.instance]));
    } catch (error) {
      // its row stays until the server forgets it
    }
  }
}

/*
 * The reporter of this process: one timer for all its pools, which does not
 * keep the process
 */
const reporter = {
  pools: [],
  jitter: 1, // processes are not to report in step
  timers: !process.env.AWS_LAMBDA_FUNCTION_NAME,

  start(watched) {
    if (!this.listens) {
      this.listens = true;
      process.once('beforeExit', () => Promise.all(this.pools.map((each) => each.stop())));
    }
    if (!watched.due) {
      watched.due = now() + watched.every;
      this.wind();
    }
  },

  drop(watched) {
    this.pools = this.pools.filter((other) => other !== watched);
    this.wind();
  },

  /* Set the timer to when the next report is due. */
  wind() {
    const due = Math.min(...this.pools.map((each) => each.due || Infinity));
    clearTimeout(this.timer);
    if (!this.timers || this.turns || due === Infinity) return;
    this.timer = setTimeout(() => this.turn(), Math.max(due - now(), 0));
    this.timer.unref();
  },

  async turn() {
    this.turns = true;
    this.jitter = 0.7 + 0.6 * Math.random();
    for (const each of this.pools) {
      if (!each.isDue()) continue;
      if (each.isQuiet()) each.next(each.every);
      else await each.turn();
    }
    this.turns = false;
    this.wind();
  },
};

/* Undefined where there is nothing to watch */
function watchKind(kind, name, settings) {
  if (process.env.PGPOOL_STATS_OFF === '1') return undefined;
  try {
    const watched = new Watched(kind(), name, settings);
    reporter.pools.push(watched);
    return watched;
  } catch (error) {
    console.warn(`pgpool_stats: cannot watch pool ${name}: ${error.message}`);
    return undefined;
  }
}

/* One more report */
async function report(watched) {
  await watched.turning; // it may have older figures
  await watched.turn();
}

/* TypeORM makes its pools, one for each server, when it is initialized, and lets
 * go of a pool whose first connection fails. */
function watchTypeOrm(driver, name, settings) {
  const { postgres } = driver;
  const made = new WeakSet();
  const all = async (what) => { await Promise.all(reporter.pools.filter((each) => made.has(each)).map(what)); };

  class Pool extends postgres.Pool {
    #first;

    constructor(...args) {
      super(...args);
      this.#first = watchKind(() => new PgPool(this), name, settings);
      if (this.#first) made.add(this.#first);
    }

    connect(callback) {
      const watched = this.#first;
      this.#first = undefined;
      if (!watched || typeof callback !== 'function') return super.connect(callback);
      return super.connect((error, ...rest) => {
        if (error) watched.stop();
        return callback(error, ...rest);
      });
    }
  }
  driver.postgres = Object.create(postgres, { Pool: { value: Pool } });
  return { report: () => all(report), stop: () => all((each) => each.stop()) };
}

function watch(pool, name, settings) {
  const driver = pool && pool.driver;
  if (driver && driver.postgres && !driver.master && typeof driver.postgres.Pool === 'function' &&
      process.env.PGPOOL_STATS_OFF !== '1') {
    return watchTypeOrm(driver, name, settings);
  }
  const watched = watchKind(() => kindOf(pool), name, settings);
  if (!watched) return { report: async () => {}, stop: async () => {} };
  return { report: () => report(watched), stop: () => watched.stop() };
}

// internals: for the files beside this one
module.exports = {
  watch,
  internals: {
    closed, closing, FIRST_WAIT, now, PgConnection, TIMEOUT, watchKind, within,
  },
};
