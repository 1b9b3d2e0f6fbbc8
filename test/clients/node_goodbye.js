// Goodbye keeps nobody longer than it promises, whatever the server does, and
// who gave up does not connect afterwards.
'use strict';

process.env.PGPOOL_STATS_WAIT = '1'; // what it promises; other tests need not keep to it

const net = require('net');
const makeKnex = require('knex');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { watch } = require('pgpool-stats');
const { PoolExporter } = require('pgpool-stats/otel');
const {
  Reporter, check, equal, me, run, until,
} = require('./common');

const PROMISED = 1000; // milliseconds
const { PGPORT, PGDATABASE: database, PGPASSWORD: password } = process.env;
const log = () => {};

/* A server that may be silent, hold back what it says, or not hang up */
class Server {
  async open() {
    this.mode = 'passes';
    this.clients = []; // their ports
    this.held = [];
    this.listener = net.createServer({ allowHalfOpen: true }, (client) => this.accept(client));
    await new Promise((resolve) => { this.listener.listen(0, '127.0.0.1', resolve); });
    this.port = this.listener.address().port;
    return this;
  }

  accept(client) {
    this.clients.push(client.remotePort);
    client.on('error', () => {});
    if (this.mode === 'silent') return;
    const server = net.connect(PGPORT, '127.0.0.1').on('error', () => {});
    client.pipe(server);
    server.on('data', (data) => {
      if (this.mode === 'holds') this.held.push(() => client.write(data));
      else client.write(data);
    });
    server.on('end', () => { if (this.mode === 'passes') client.end(); });
  }

  letGo() {
    this.mode = 'does not hang up';
    this.held.splice(0).forEach((say) => say());
  }

  /* How many connected before this moment: they are accepted in their order. */
  async number() {
    const last = net.connect(this.port, '127.0.0.1').on('error', () => {});
    await until('a connection', () => this.clients.includes(last.localPort));
    const number = this.clients.indexOf(last.localPort);
    this.clients.splice(number, 1);
    last.destroy();
    return number;
  }
}

/* What reports and says goodbye: of both, how a connection is made may take its time */
const kinds = {
  watch: (name, config) => {
    const knex = makeKnex({ client: 'pg', connection: config, pool: { min: 0, max: 2 } });
    const handle = watch(knex, name, { log, every: 1000 });
    return { report: () => handle.report(), goodbye: () => handle.stop() };
  },
  exporter: (name, config) => {
    const exporter = new PoolExporter(config, { log });
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1000000 });
    const meter = new MeterProvider({ readers: [reader] }).getMeter('goodbye');
    meter.createUpDownCounter('db.client.connection.count').add(1, {
      'db.client.connection.pool.name': name, 'db.client.connection.state': 'used',
    });
    return { report: () => reader.forceFlush(), goodbye: () => exporter.shutdown() };
  },
};

/* Timers go off in the order in which they are due, however slow the machine is. */
async function inTime(step, goodbye, halfway = () => {}) {
  let late = false;
  setTimeout(halfway, 0.6 * PROMISED);
  setTimeout(() => { late = true; }, 1.4 * PROMISED);
  await goodbye();
  check(`${step}: in time`, !late);
}

async function tests(kind) {
  const begin = async (what) => {
    const name = `goodbye-${kind}-${what}`;
    const reporter = await new Reporter().open();
    const server = await new Server().open();
    const at = { name: `${kind}: ${what}`, server };
    const config = {
      user: 'app', host: '127.0.0.1', port: server.port, database, password,
    };
    Object.assign(at, kinds[kind](name, async () => { await at.late; return config; }));
    await at.report();
    at.isThere = () => reporter.row(name, me);
    check(`${at.name}: reported`, await at.isThere());
    at.before = await server.number();
    return at;
  };

  const silence = async () => {
    const { name, server, before, report, goodbye } = await begin('silence');
    server.mode = 'silent';
    report().catch(() => {});
    await until('a report on its way', async () => await server.number() > before);
    await inTime(name, goodbye);
    equal(`${name}: nobody else comes`, await server.number(), before + 1);
  };

  const another = async () => {
    const hanging = await begin('hangs');
    hanging.server.mode = 'silent';
    await until(`${kind}: who can says goodbye, while another hangs`, async () => {
      let hangs = true;
      const report = hanging.report().catch(() => {}).then(() => { hangs = false; });
      const { goodbye, isThere } = await begin('another');
      await goodbye();
      if (hangs && !await isThere()) return true;
      await report;
      return false;
    });
  };

  const late = async () => {
    const at = await begin('late');
    let come;
    at.late = new Promise((resolve) => { come = resolve; });
    await inTime(at.name, at.goodbye);
    come();
    await new Promise(setImmediate); // who would connect now has begun
    equal(`${at.name}: nobody comes`, await at.server.number(), at.before);
  };

  const noEnd = async () => {
    const { name, server, goodbye } = await begin('no end');
    server.mode = 'holds';
    await inTime(name, goodbye, () => server.letGo());
  };

  await Promise.all([silence(), another(), late(), noEnd()]);
}

run(() => Promise.all(Object.keys(kinds).map(tests)));
