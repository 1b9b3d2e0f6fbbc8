// knex: the view shows what its pool (tarn) says.
'use strict';

const knexModule = require('knex');
const { Reporter, check, equal, me, own, run, sleep } = require('./common');

const NAME = 'knex';
const knex = knexModule({
  client: 'pg',
  connection: { host: process.env.PGHOST, user: 'app', database: process.env.PGDATABASE },
  pool: { min: 0, max: 2, acquireTimeoutMillis: 30000 },
});

// docs: begin knex
const { watch } = require('pgpool-stats');
const watched = watch(knex, 'knex');
// docs: end

function stats() {
  const tarn = knex.client.pool;
  return {
    numUsed: tarn.numUsed(),
    numFree: tarn.numFree(),
    numPendingAcquires: tarn.numPendingAcquires(),
    numPendingCreates: tarn.numPendingCreates(),
    min: tarn.min,
    max: tarn.max,
  };
}

run(async () => {
  const reporter = await new Reporter().open();
  const tarn = knex.client.pool;

  async function step(name, status, connections, held, waiting) {
    check(name + ': has its row', await reporter.report(NAME, stats(), own));
    equal(name + ': the pool lent what is held', tarn.numUsed(), held);
    equal(name + ': the pool knows who waits', tarn.numPendingAcquires(), waiting);
    await reporter.compare(name, NAME, own, {
      dialect: 'tarn',
      min_size: 0,
      max_size: 2,
      open: tarn.numUsed() + tarn.numFree(),
      checked_in: tarn.numFree(),
      checked_out: held,
      waiting,
      checkouts: null,
      timeouts: null,
      status,
    });
    await reporter.connections(name, NAME, me, connections);
  }

  await step('empty', 'ok', 0, 0, 0);
  const held = [await knex.transaction()];
  await step('partly used', 'ok', 1, 1, 0);
  held.push(await knex.transaction());
  await step('full', 'full', 2, 2, 0);

  const waiter = knex.transaction();
  await sleep(50);
  await step('waiting', 'exhausted', 2, 2, 1);
  await reporter.watched(NAME, watched, { checkouts: 2, waits: 1, timeouts: 0 });
  await held.pop().rollback();
  held.push(await waiter);
  await step('handed over', 'full', 2, 2, 0);

  tarn.acquireTimeoutMillis = 50;
  try {
    await knex.transaction();
    check('timed out: the library says so', false);
  } catch (error) {
    check('timed out: the library says so', error.name === 'KnexTimeoutError', error.name);
  }
  await step('timed out', 'full', 2, 2, 0);
  await watched.report();
  await reporter.compare('watched', NAME, me, { checkouts: 3, waits: 2, timeouts: 1 });

  while (held.length) await held.pop().rollback();
  await step('returned', 'ok', 2, 0, 0);
  await knex.destroy();
  await reporter.connections('closed', NAME, me, 0);
  equal('closed: forgotten', await reporter.row(NAME, me), null);
});
