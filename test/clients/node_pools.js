// What has a pg.Pool inside: watch() finds it.
'use strict';

const pgPromise = require('pg-promise');
const { Pool } = require('pg');
const { drizzle } = require('drizzle-orm/node-postgres');
const { sql } = require('drizzle-orm');
const { Kysely, PostgresDialect, sql: raw } = require('kysely');
const { DataSource } = require('typeorm');
const { PrismaPg } = require('@prisma/adapter-pg');
const makeKnex = require('knex');
const { Model } = require('objection');
const { EntitySchema, MikroORM } = require('@mikro-orm/postgresql');
const slonik = require('slonik');
const { watch } = require('pgpool-stats');
const { watch: watchSlonik } = require('pgpool-stats/slonik');
const {
  Reporter, check, equal, me, run, until,
} = require('./common');

const connection = { user: 'app', host: process.env.PGHOST, max: 2 };
const log = (text) => check('nothing logged', false, text);

run(async () => {
  const reporter = await new Reporter().open();

  async function watched(name, handle, open, more) {
    await reporter.connections(name, name, me, 1);
    await handle.report();
    await reporter.compare(name, name, me, {
      dialect: 'native', max_size: 2, open: 1, checked_out: 0, waiting: 0, timeouts: 0, connections: 1, ...more,
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

  const { PGHOST, PGPORT, PGDATABASE, PGPASSWORD } = process.env;
  let password = PGPASSWORD;
  const dataSource = (more) => new DataSource({
    type: 'postgres', username: 'app', password: () => password, host: PGHOST, database: PGDATABASE, extra: { max: 2 }, ...more,
  });
  const source = dataSource();
  handle = watch(source, 'typeorm', { log });
  await handle.report();
  for (const step of ['typeorm', 'typeorm']) { // it can be destroyed and initialized again
    await source.initialize();
    await source.query('SELECT 1');
    await watched(step, handle, () => source.destroy());
  }

  // an application tries until it succeeds: TypeORM makes a pool each time
  const failed = [];
  const patient = dataSource({ host: '127.0.0.1' });
  handle = watch(patient, 'typeorm-patient', { log: (text) => failed.push(text) });
  password = 'wrong';
  for (let i = 0; i < 2; i++) {
    const error = await patient.initialize().catch((reason) => reason);
    check('typeorm: not initialized', /password authentication failed/.test(error.message), error);
  }
  password = PGPASSWORD;
  await patient.initialize();
  await watched('typeorm-patient', handle, () => patient.destroy());

  const adapter = new Pool(connection);
  handle = watch(adapter, 'prisma', { log });
  const prisma = await new PrismaPg(adapter, { disposeExternalPool: true }).connect();
  await prisma.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] });
  await watched('prisma', handle, () => prisma.dispose());

  const knex = makeKnex({ client: 'pg', connection, pool: { min: 0, max: 2 } });
  handle = watch(knex, 'objection', { log });
  class One extends Model {
    static tableName = 'pg_class';
  }
  One.knex(knex);
  await One.query().limit(1);
  await watched('objection', handle, () => knex.destroy());

  // it connects when it is made: that connection is replaced
  const orm = await MikroORM.init({
    dbName: process.env.PGDATABASE,
    user: 'app',
    host: process.env.PGHOST,
    port: Number(process.env.PGPORT),
    password: process.env.PGPASSWORD,
    entities: [new EntitySchema({ name: 'Setting', tableName: 'pg_settings', properties: { name: { type: 'string', primary: true } } })],
    pool: { min: 0, max: 2 },
  });
  handle = watch(orm, 'mikroorm', { log });
  await handle.report();
  await orm.em.fork().find('Setting', { name: 'work_mem' });
  await watched('mikroorm', handle, () => orm.close());

  const uri = `postgresql://app:${PGPASSWORD}@${encodeURIComponent(PGHOST)}:${PGPORT}/${PGDATABASE}?options=-c%20work_mem%3D5MB`;
  const slonikPool = await watchSlonik(slonik.createPool, 'slonik', { log, every: 0.1 })(uri, { maximumPoolSize: 2, idleTimeout: 'DISABLE_TIMEOUT' });
  const ask = (pool) => pool.oneFirst(slonik.sql.unsafe`SELECT current_setting('work_mem')`);
  equal('slonik: its own options stay', await ask(slonikPool), '5MB');
  await reporter.connections('slonik', 'slonik', me, 1);
  let waits;
  await slonikPool.connect(() => slonikPool.connect(async () => {
    waits = ask(slonikPool);
    await until('slonik: full', async () => (await reporter.row('slonik', me)).waiting === 1);
    await reporter.compare('slonik: full', 'slonik', me, {
      dialect: 'native', max_size: 2, open: 2, checked_out: 2, checked_in: 0, connections: 2, status: 'exhausted', checkouts: 3, timeouts: null,
    });
  }));
  equal('slonik: the one who waited', await waits, '5MB');
  await slonikPool.end();
  equal('slonik: forgotten', await reporter.row('slonik', me), null);

  // one that cannot be made leaves its name to the next
  const make = watchSlonik(slonik.createPool, 'slonik-next', { log });
  const cannot = await make(uri, { driverFactory: async () => { throw new Error('no driver'); } }).catch((error) => error);
  equal('slonik: not made', cannot.message, 'no driver');
  const next = await make(uri);
  await ask(next);
  await reporter.connections('slonik: the next', 'slonik-next', me, 1);
  await next.end();

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
  const poolless = dataSource({ driver: {} });
  for (const none of [null, {}, 'pool', () => {}, poolless]) watch(none, 'none').stop();
  console.warn = warn;
  equal('no pool: said', lines.filter((line) => /^pgpool_stats: cannot watch pool none: /.test(line)).length, 5);
});
