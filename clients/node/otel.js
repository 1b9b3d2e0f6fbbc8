/*
 * otel.js
 *    Forwards an application's OpenTelemetry metrics of pools to PostgreSQL.
 *
 *      const { PoolExporter } = require('pgpool-stats/otel');
 *      const exporter = new PoolExporter({ connectionString: 'postgresql://app@db/shop' });
 *      new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 10000 })] });
 *
 * For an application whose pools are measured already, as by instrumentation-pg:
 * what stands in db.client.connection.* (or, of older instrumentations, in
 * db.client.connections.*) is reported as the dialect otel, without a line for
 * each pool.  A pool that watch() reports is not to be told twice.
 *
 * - Each export is a short connection of pg with the label "reports" and the
 *   application_name "watch orders", and 5 s for everything; it reports each pool
 *   under its name, as host:pid.  The timer is the reader's.
 * - At the provider's shutdown it says goodbye, within 1 s; not if the last report
 *   failed.  Where a report fails, up to five exports are left out.
 * - It raises nothing.  The first failure is logged, and the first success after it,
 *   and each name that no pool can have; a server without the extension is no failure.
 * - It cannot label connections: put the label into what the pool connects with,
 *   options: '-c pgpool_stats.pool=orders', with the name that is reported.
 * - Pools of one name are added up: instrumentation-pg names them host:port/database.
 *
 * new PoolExporter(config, { name, instance, app_version, log }): "config" is pg's, or
 * a function that returns it; "name" a function from the pool's name there,
 * db.client.connection.pool.name, to that in pgpool_stats, 1 to 63 bytes of printable
 * ASCII (what it makes undefined is not reported); "app_version" is service.version of
 * the resource, if it is not given; the others, and the environment, as of watch().
 */
'use strict';

const os = require('os');
const { Client } = require('pg');
const {
  closed, FIRST_WAIT: GOODBYE, now, PgConnection, TIMEOUT, within,
} = require('./pgpool-stats').internals;

const PREFIX = 'db.client.connection'; // and db.client.connections
const NAMES = ['db.client.connection.pool.name', 'pool.name'];
const STATES = ['db.client.connection.state', 'state'];
const VALID = /^[ -~]{1,63}$/; // names, as the server takes them
const PAUSE = 6; // exports, of which one is tried
const CUMULATIVE = 1; // of AggregationTemporality
const [SUCCESS, FAILED] = [0, 1]; // of ExportResultCode

const first = (attributes, names) => names.map((name) => attributes[name]).find((value) => value !== undefined);

class PoolExporter {
  constructor(config, { name = (pool) => pool, instance, app_version: version, log = console.warn } = {}) {
    this.config = typeof config === 'function' ? config : () => config;
    this.name = name;
    this.instance = process.env.PGPOOL_STATS_INSTANCE || instance || `${os.hostname()}:${process.pid}`;
    this.version = version;
    this.log = (text) => { try { log(`pgpool_stats: ${text}`); } catch (error) { /* its own */ } };
    this.labels = true; // does the server take them?
    this.failures = 0; // in a row
    this.pause = 0; // exports to leave out
    this.told = new Set(); // pools that have a report
    this.unnamed = new Set(); // names that no pool can have
  }

  /* Sums since the beginning */
  selectAggregationTemporality() {
    return CUMULATIVE;
  }

  /* The SDK's: one at a time */
  export(metrics, done) {
    if (process.env.PGPOOL_STATS_OFF === '1') done({ code: SUCCESS });
    else if (this.pause > 0) {
      this.pause--;
      done({ code: FAILED });
    } else {
      this.exporting = this.forward(metrics).then(() => {
        if (this.failures) this.log('the pools of OpenTelemetry are reported again');
        this.failures = 0;
        return { code: SUCCESS };
      }, (error) => {
        if (!this.failures++) this.log(`cannot report the pools of OpenTelemetry: ${error.message || error.code || error}`);
        this.pause = Math.min(2 ** this.failures, PAUSE) - 1;
        return { code: FAILED, error };
      }).then(done);
    }
  }

  async forward(metrics) {
    const documents = this.documents(metrics);
    if (documents.size === 0) return;
    await this.connected(TIMEOUT, [...documents.keys()][0], async (connection) => {
      const [there] = await connection.query(
        "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL", []);
      const problems = [];
      for (const [pool, document] of there ? documents : []) {
        try {
          await connection.query('SELECT pgpool_stats.report($1, $2::text::jsonb, $3)',
            [pool, JSON.stringify(document), this.instance]);
          this.told.add(pool);
        } catch (error) {
          problems.push(error); // the others may be well
        }
      }
      if (problems.length) throw problems[0];
    });
  }

  /* What to report of each pool */
  documents({ resource, scopeMetrics }) {
    const documents = new Map();
    const version = this.version || resource.attributes['service.version'];
    for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
      if (metric.descriptor.name.startsWith(PREFIX)) {
        for (const point of metric.dataPoints) this.add(documents, metric.descriptor.name, point, version);
      }
    }
    return documents;
  }

  add(documents, metric, { attributes, value }, version) {
    const pool = this.name(first(attributes, NAMES));
    if (pool === undefined || pool === null || !this.isName(pool)) return;
    if (!documents.has(pool)) {
      documents.set(pool, {
        dialect: 'otel', host: os.hostname(), pid: process.pid, app_version: version,
      });
    }
    const document = documents.get(pool);
    const state = first(attributes, STATES);
    const key = state === undefined ? metric : `${metric}{${state}}`;
    if (typeof value === 'number') document[key] = (document[key] || 0) + value;
    else { // a histogram
      const { sum = 0, count = 0 } = document[key] || {};
      document[key] = { sum: sum + (value.sum || 0), count: count + value.count };
    }
  }

  isName(pool) {
    if (VALID.test(pool)) return true;
    if (!this.unnamed.has(pool)) {
      this.unnamed.add(pool);
      this.log(`cannot report the pool "${pool}": a name is 1 to 63 bytes of printable ASCII; the option "name" can give it another`);
    }
    return false;
  }

  /* Do something on a connection of our own, within some milliseconds, on behalf
   * of a pool. */
  async connected(limit, pool, work) {
    const end = now() + limit;
    let connection;
    let late = true;
    let over = false;
    const open = async () => {
      const config = await this.config();
      if (over) return; // nobody waits for it any more
      connection = new PgConnection(Client, config, pool, this.labels);
      await connection.open();
    };
    const run = async () => {
      await open().catch((error) => {
        if (!this.labels || !/unsupported startup parameter/.test(error.message)) throw error;
        this.labels = false;
        return open();
      });
      if (!over) await work(connection);
    };
    try {
      await within(limit, run().finally(() => { late = false; }), this.ending);
      if (late) throw new Error(`no answer within ${limit / 1000} s`);
    } finally {
      over = true;
      if (connection) await closed(connection, late ? 0 : Math.min(end - now(), GOODBYE), this.ending);
    }
  }

  async forceFlush() {
    await this.exporting;
  }

  /* Whoever waits for this keeps the process. */
  async shutdown() {
    this.ending = true;
    const end = now() + GOODBYE;
    let late = true; // a report that is on its way would bring its rows back
    await within(GOODBYE, Promise.resolve(this.exporting).then(() => { late = false; }), true);
    if (late || this.failures || this.told.size === 0) return;
    const pools = [...this.told];
    this.told.clear();
    await this.connected(Math.max(end - now(), 0), pools[0], async (connection) => {
      for (const pool of pools) {
        await connection.query('SELECT pgpool_stats.forget($1, $2)', [pool, this.instance]);
      }
    }).catch(() => {}); // its rows stay until the server forgets them
  }
}

module.exports = { PoolExporter };
