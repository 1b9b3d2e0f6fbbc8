// What has a pg.Pool inside: watch() finds it.
'use strict';

const pgPromise = require('pg-promise');
const { Pool } = require('pg');
const { drizzle } = require('drizzle-orm/node-postgres');
const { sql } = require('drizzle-orm');
const { Kysely, PostgresDialect, sql: raw } = require('kysely');
const { DataSource } = require('typeorm');
const { PrismaPg } = require('@prisma/adapter-pg');
const { watch } = require('pgpool-stats');
const { Reporter, check, equal, me, run } = require('./common');

const connection = { user: 'app', host: process.env.PGHOST, max: 2 };
const log = (text) => check('nothing logged', false, text);

run(async () => {
  const reporter = await new Reporter().open();

  async function watched(name, handle, open) {
    await reporter.connections(name, name, me, 1);
    await handle.report();
    await reporter.compare(name, name, me, {
      dialect: 'native', max_size: 2, open: 1, checked_out: 0, waiting: 0, timeouts: 0, connections: 1,
    });
    await open();
    equal(name + ': forgotten', await reporter.row(name, me), null);
  }

  const promise = pgPromise()(connection);
  let handle = watch(promise, 'pg-promise', { log });
  await promise.one('SELECT 1 AS one');
  await watched('pg-promise', handle, () => promise.$pool.end());

  const drizzled = drizzle({ client: new Pool(connection) });
  handle = watch(drizzled, 'drizzle', { log });
  await drizzled.execute(sql`SELECT 1`);
  await watched('drizzle', handle, () => drizzled.$client.end());

  const pool = new Pool(connection);
  const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
  handle = watch(pool, 'kysely', { log });
  await raw`SELECT 1`.execute(kysely);
  await watched('kysely', handle, () => kysely.destroy());

  const source = new DataSource({
    type: 'postgres', username: 'app', host: process.env.PGHOST, database: process.env.PGDATABASE, extra: { max: 2 },
  });
  handle = watch(source, 'typeorm', { log });
  await source.initialize();
  await source.query('SELECT 1');
  await watched('typeorm', handle, () => source.destroy());

  const adapter = new Pool(connection);
  handle = watch(adapter, 'prisma', { log });
  const prisma = await new PrismaPg(adapter, { disposeExternalPool: true }).connect();
  await prisma.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] });
  await watched('prisma', handle, () => prisma.dispose());

  // pools that connect alike share a connection for their reports
  const many = Array.from({ length: 12 }, () => new Pool(connection));
  many.forEach((each, i) => watch(each, `many${i}`, { log, every: 0.1 }));
  await Promise.all(many.map((each) => each.query('SELECT 1')));
  await reporter.inOne('many', 12);
  await Promise.all(many.map((each) => each.end()));

  // one that connected before: said once
  const early = new Pool(connection);
  const first = await early.connect();
  const said = [];
  handle = watch(early, 'early', { log: (text) => said.push(text) });
  for (let i = 0; i < 4; i++) await handle.report();
  equal('no label: said once', said.length, 1);
  check('no label: what is said', /pool early has open connections, and the server sees none/.test(said[0]), said[0]);
  first.release();
  await early.end();

  // a name of its own
  process.env.PGPOOL_STATS_INSTANCE = 'web-1';
  const named = new Pool(connection);
  watch(named, 'named', { log });
  await named.query('SELECT 1');
  await reporter.connections('PGPOOL_STATS_INSTANCE', 'named', 'web-1', 1);
  await named.end();

  // what is none is said, and nothing raised
  const lines = [];
  const { warn } = console;
  console.warn = (text) => lines.push(text);
  for (const none of [null, {}, 'pool', () => {}]) watch(none, 'none').stop();
  console.warn = warn;
  equal('no pool: said', lines.filter((line) => /^pgpool_stats: cannot watch pool none: /.test(line)).length, 4);
});
