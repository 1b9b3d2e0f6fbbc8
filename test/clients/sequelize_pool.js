// sequelize: the view shows what its pool says.
'use strict';

const { Sequelize } = require('sequelize');
const { Reporter, check, equal, me, own, run, sleep } = require('./common');

const NAME = 'sequelize';
const sequelize = new Sequelize(process.env.PGDATABASE, 'app', '', {
  dialect: 'postgres',
  host: process.env.PGHOST,
  port: process.env.PGPORT || 5432,
  logging: false,
  pool: { max: 2, min: 0, acquire: 30000 },
});

// docs: begin sequelize
const { watch } = require('pgpool-stats');
const watched = watch(sequelize, 'sequelize');
// docs: end

function stats() {
  // with replication: two reports, of pool.read and of pool.write
  const { size, available, using, waiting, maxSize, minSize } = sequelize.connectionManager.pool;
  return { size, available, using, waiting, maxSize, minSize };
}

run(async () => {
  const reporter = await new Reporter().open();
  const { pool } = sequelize.connectionManager;

  async function step(name, status, connections, held, waiting) {
    check(name + ': has its row', await reporter.report(NAME, stats(), own));
    equal(name + ': the pool lent what is held', pool.using, held);
    equal(name + ': the pool knows who waits', pool.waiting, waiting);
    await reporter.compare(name, NAME, own, {
      dialect: 'sequelize_pool',
      min_size: 0,
      max_size: 2,
      open: pool.size,
      checked_in: pool.available,
      checked_out: held,
      waiting,
      checkouts: null,
      timeouts: null,
      status,
    });
    await reporter.connections(name, NAME, me, connections);
  }

  await step('empty', 'ok', 0, 0, 0);
  const held = [await sequelize.transaction()];
  // sequelize asks a first connection for the server's version
  await step('partly used', 'ok', 1, 1, 0);
  held.push(await sequelize.transaction());
  await step('full', 'full', 2, 2, 0);

  const waiter = sequelize.transaction();
  await sleep(50);
  await step('waiting', 'exhausted', 2, 2, 1);
  await reporter.watched(NAME, watched, { waits: 1, timeouts: 0 });
  await held.pop().rollback();
  held.push(await waiter);
  await step('handed over', 'full', 2, 2, 0);

  pool.acquireTimeoutMillis = 50;
  try {
    await sequelize.transaction();
    check('timed out: the library says so', false);
  } catch (error) {
    check('timed out: the library says so',
      error.name === 'SequelizeConnectionAcquireTimeoutError', error.name);
  }
  await step('timed out', 'full', 2, 2, 0);
  await watched.report();
  await reporter.compare('watched', NAME, me, { waits: 2, timeouts: 1 });

  while (held.length) await held.pop().rollback();
  await step('returned', 'ok', 2, 0, 0);
  await sequelize.close();
  await reporter.connections('closed', NAME, me, 0);
  equal('closed: forgotten', await reporter.row(NAME, me), null);
});
