// node-postgres: the view shows what the pool's properties say.
'use strict';

const os = require('os');
const { Client, Pool } = require('pg');
const { Reporter, check, equal, me, run, until } = require('./common');

const NAME = 'node-pg';
const reporting = {
  user: 'app', options: '-c pgpool_stats.pool=reports -c pgpool_stats.strict_reports=on',
};

// docs: begin node-pg-label
const pool = new Pool({
  user: 'app',
  max: 2,
  connectionTimeoutMillis: 30000,
  options: `-c pgpool_stats.pool=node-pg -c pgpool_stats.instance=${os.hostname()}:${process.pid}`,
});
// docs: end

// docs: begin node-pg-stats
function stats() {
  const { totalCount, idleCount, waitingCount, options: { max, min } } = pool;
  return { totalCount, idleCount, waitingCount, max, min };
}
// docs: end

// docs: begin node-report
function reportForever(config, name, stats, every = 10000) {
  const me = { host: os.hostname(), pid: process.pid };
  const timer = setInterval(async () => {
    const client = new Client({ ...config, connectionTimeoutMillis: 5000, query_timeout: 5000 });
    client.on('error', () => {});
    try {
      await client.connect();
      const there = await client.query(
        "SELECT to_regprocedure('pgpool_stats.report(text,jsonb,text)') IS NOT NULL AS yes");
      if (there.rows[0].yes) {
        await client.query('SELECT pgpool_stats.report($1, $2)',
          [name, JSON.stringify({ ...stats(), ...me })]);
      } else {
        clearInterval(timer); // a server without the extension
      }
    } catch (error) {
      // the next turn tries again
    } finally {
      client.end().catch(() => {});
    }
  }, every);
  timer.unref(); // it does not keep the process alive
  return timer;
}
// docs: end

run(async () => {
  const reporter = await new Reporter().open();

  async function step(name, status, connections, held) {
    check(name + ': has its row', await reporter.report(NAME, stats(), me));
    equal(name + ': the pool lent what is held', pool.totalCount - pool.idleCount, held);
    await reporter.compare(name, NAME, me, {
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

  // the documented timer reports what the exhausted pool could not
  await reporter.forget(NAME, me);
  pool.options.connectionTimeoutMillis = 30000;
  const third = pool.connect();
  const timer = reportForever(reporting, NAME, stats, 30);
  const row = await until('the report of the timer', async () => {
    const r = await reporter.row(NAME, me);
    return r && r.waiting === 1 ? r : null;
  });
  equal('the timer: status', row && row.status, 'exhausted');
  equal('the timer: checked_out', row && row.checked_out, 2);
  clearInterval(timer);
  held.pop().release();
  held.push(await third);

  const other = reportForever({ ...reporting, database: 'postgres' }, NAME, stats, 30);
  await until('the timer to end without the extension', () => other._destroyed);
  check('without the extension: the timer ends', other._destroyed);

  while (held.length) held.pop().release();
  await step('returned', 'ok', 2, 0);

  // the pool itself is no JSON, and an array is no JSON to node-postgres
  const thrown = (f) => { try { f(); return false; } catch (error) { return true; } };
  check('JSON.stringify(pool) throws', thrown(() => JSON.stringify(pool)));
  const code = await pool.query('SELECT pgpool_stats.report($1, $2, $3)', ['array', [stats()], me])
    .then(() => '', (error) => error.code);
  equal('an array as it is: invalid JSON', code, '22P02');

  await pool.end();
  await reporter.connections('closed', NAME, me, 0);
  await until('the timer to have said its last', async () => {
    await reporter.forget(NAME, me);
    return (await reporter.row(NAME, me)) === null;
  });
});
