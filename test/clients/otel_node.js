// Pools that the SDK of OpenTelemetry measures, forwarded by a metric exporter.
'use strict';

const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg');

const instrumentation = new PgInstrumentation(); // before pg is loaded

// docs: begin otel-js
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { PoolExporter } = require('pgpool-stats/otel');

const exporter = new PoolExporter({ user: 'app' });
const provider = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 10000 })],
});
instrumentation.setMeterProvider(provider);
// docs: end

const { resourceFromAttributes } = require('@opentelemetry/resources');
const { Pool } = require('pg');
const {
  Reporter, check, equal, label, me, run, until,
} = require('./common');

const { PGHOST: host, PGPORT: port, PGDATABASE: database } = process.env;

function pool(name, settings) {
  return new Pool({
    user: 'app', host, port, database, max: 2, options: label(name, me), ...settings,
  });
}

run(async () => {
  const reporter = await new Reporter().open();
  const connects = () => reporter.one(
    "SELECT coalesce(sum(connects), 0)::int FROM pgpool_stats.pools WHERE pool = 'reports'");
  const name = `${host}:${port}/${database}`;
  const other = `127.0.0.1:${port}/${database}`;

  // as it is named there; who waits is measured when a connection moves
  const shop = pool(name);
  const taken = [await shop.connect(), await shop.connect()];
  const waits = [shop.connect(), shop.connect()];
  taken.pop().release();
  taken.push(await waits.shift());
  await provider.forceFlush();
  await reporter.compare('full', name, me, {
    dialect: 'otel', status: 'exhausted', max_size: 2, open: 2, checked_out: 2, checked_in: 0, waiting: 1,
    connections: 2, notes: null,
  });
  taken.forEach((client) => client.release());
  (await waits.shift()).release();
  await provider.forceFlush();
  await reporter.compare('given back', name, me, { status: 'ok', open: 2, waiting: 0 });
  await shop.end();

  // another one, without a line for it, on the same connection
  const second = pool(other, { host: '127.0.0.1', max: 3 });
  await second.query('SELECT 1');
  const before = await connects();
  await provider.forceFlush();
  await reporter.compare('another pool', other, me, { dialect: 'otel', max_size: 3, connections: 1 });
  await until('a connection for both', async () => await connects() > before);
  equal('one connection for both', await connects() - before, 1);
  await second.end();

  await provider.shutdown();
  equal('shutdown: forgotten', await reporter.one(
    'SELECT count(*)::int FROM pgpool_stats.instances WHERE instance = $1 AND last_report IS NOT NULL', me), 0);

  // names, failures, a database without the extension
  const said = [];
  const settings = { user: 'app', host, port, database };
  const whole = 'w'.repeat(63);
  const names = { [name]: 'otel-named' };
  const named = new PoolExporter(() => settings, {
    name: (from) => names[from], instance: 'me', log: (text) => said.push(text),
  });
  const reader = new PeriodicExportingMetricReader({ exporter: named, exportIntervalMillis: 100000 });
  const naming = new MeterProvider({
    readers: [reader], resource: resourceFromAttributes({ 'service.version': '2.41.0' }),
  });
  instrumentation.setMeterProvider(naming);
  const third = pool(name);
  const fourth = pool('fourth', { host: '127.0.0.1' });
  await third.query('SELECT 1');
  await fourth.query('SELECT 1');
  await naming.forceFlush();
  await reporter.compare('a name of its own', 'otel-named', 'me', {
    dialect: 'otel', max_size: 2, app_version: '2.41.0',
  });
  equal('no name: not reported', await reporter.one(
    "SELECT string_agg(pool, ' ') FROM pgpool_stats.instances WHERE instance = 'me'"), 'otel-named');
  names[other] = whole;
  await naming.forceFlush();
  await reporter.compare('a whole name', whole, 'me', { dialect: 'otel', app_version: '2.41.0' });

  // a name that no pool can have is no failure, and does not hold up the others
  names[other] = `${whole}w`;
  await naming.forceFlush();
  const since = await reporter.one('SELECT clock_timestamp()::text');
  await naming.forceFlush();
  equal('a name that is too long: the others are reported', await reporter.one(
    "SELECT last_report > $1::timestamptz FROM pgpool_stats.instances WHERE pool = 'otel-named'", since), true);
  equal('that is said once', said.splice(0).join(),
    `pgpool_stats: cannot report the pool "${whole}w": a name is 1 to 63 bytes of printable ASCII; the option "name" can give it another`);
  delete names[other];

  settings.port = 1;
  for (let i = 0; i < 3; i++) await naming.forceFlush().catch(() => {});
  equal('a failure is said once', said.length, 1);
  check('what is said', /^pgpool_stats: cannot report the pools of OpenTelemetry: ./.test(said[0]), said[0]);
  settings.port = port;
  await until('it is reported again', async () => {
    await naming.forceFlush().catch(() => {});
    return said.length > 1;
  });
  equal('and that', said[1], 'pgpool_stats: the pools of OpenTelemetry are reported again');
  settings.database = 'postgres';
  await naming.forceFlush();
  equal('without the extension: nothing is said', said.length, 2);
  settings.database = database;
  await naming.shutdown();
  equal('goodbye', await reporter.row('otel-named', 'me'), null);
  await third.end();
  await fourth.end();
});
