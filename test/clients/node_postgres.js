// node-postgres: the view shows what the pool's properties say.
'use strict';

const { Pool } = require('pg');
const { Reporter, check, equal, me, own, run } = require('./common');

const NAME = 'node-pg';
const pool = new Pool({
  user: 'app', max: 2, connectionTimeoutMillis: 30000, options: '-c work_mem=5MB',
});

// docs: begin node-pg
const { watch } = require('pgpool-stats');
const watched = watch(pool, 'node-pg');
// docs: end

function stats() {
  const { totalCount, idleCount, waitingCount, options: { max, min } } = pool;
  return { totalCount, idleCount, waitingCount, max, min };
}

run(async () => {
  const reporter = await new Reporter().open();

  async function step(name, status, connections, held) {
    check(name + ': has its row', await reporter.report(NAME, stats(), own));
    equal(name + ': the pool lent what is held', pool.totalCount - pool.idleCount, held);
    await reporter.compare(name, NAME, own, {
      dialect: 'node_pg',
      max_size: 2,
      open: pool.totalCount,
      checked_in: pool.idleCount,
      checked_out: held,
      waiting: pool.waitingCount,
      checkouts: null,
      timeouts: null,
      status,
    });
    await reporter.connections(name, NAME, me, connections);
  }

  await step('empty', 'ok', 0, 0);
  const held = [await pool.connect()];
  await step('partly used', 'ok', 1, 1);
  held.push(await pool.connect());
  await step('full', 'full', 2, 2);

  const waiter = pool.connect();
  equal('waiting: the library says so', pool.waitingCount, 1);
  await step('waiting', 'exhausted', 2, 2);
  held.pop().release();
  held.push(await waiter);
  await step('handed over', 'full', 2, 2);

  pool.options.connectionTimeoutMillis = 50;
  try {
    await pool.connect();
    check('timed out: the library says so', false);
  } catch (error) {
    check('timed out: the library says so', /timeout exceeded/.test(error.message), error.message);
  }
  await step('timed out', 'full', 2, 2);

  // its own connection reports what the exhausted pool could not
  pool.options.connectionTimeoutMillis = 30000;
  const third = pool.connect();
  await reporter.watched(NAME, watched, { checkouts: 3, waits: 3, timeouts: 1 });
  held.pop().release();
  held.push(await third);
  const { rows: [{ memory, label }] } = await held[0].query(
    "SELECT current_setting('work_mem') AS memory, current_setting('pgpool_stats.instance') AS label");
  equal('the label stands beside the options', `${memory} ${label}`, `5MB ${me}`);

  while (held.length) held.pop().release();
  await step('returned', 'ok', 2, 0);

  // the pool itself is no JSON, and an array is no JSON to node-postgres
  const thrown = (f) => { try { f(); return false; } catch (error) { return true; } };
  check('JSON.stringify(pool) throws', thrown(() => JSON.stringify(pool)));
  const code = await pool.query('SELECT pgpool_stats.report($1, $2, $3)', ['array', [stats()], me])
    .then(() => '', (error) => error.code);
  equal('an array as it is: invalid JSON', code, '22P02');

  // a second pool of the name
  const second = new Pool({ user: 'app', max: 1 });
  watch(second, NAME);
  await second.query('SELECT 1');
  await reporter.connections('a second pool', NAME, `${me}/2`, 1);
  await second.end();

  await pool.end();
  await reporter.connections('closed', NAME, me, 0);
  equal('closed: forgotten', await reporter.row(NAME, me), null);
});
