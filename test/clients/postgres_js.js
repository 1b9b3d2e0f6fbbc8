// postgres.js has no figures: it reports its maximum, the server counts.
'use strict';

const os = require('os');
const postgres = require('postgres');
const { Reporter, check, equal, me, run, sleep } = require('./common');

const NAME = 'postgres-js';

// docs: begin postgres-js-label
const sql = postgres({
  user: 'app',
  max: 2,
  connection: {
    'pgpool_stats.pool': 'postgres-js',
    'pgpool_stats.instance': `${os.hostname()}:${process.pid}`,
    'pgpool_stats.pool_size': 2,
  },
});
// docs: end

// docs: begin postgres-js-stats
const stats = () => ({ max_size: sql.options.max });
// docs: end

run(async () => {
  const reporter = await new Reporter().open();

  async function step(name, connections) {
    check(name + ': has its row', await reporter.report(NAME, stats(), me));
    await reporter.compare(name, NAME, me, {
      dialect: 'native', max_size: 2, waiting: null, checked_out: null, checkouts: null,
    });
    await reporter.connections(name, NAME, me, connections);
  }

  await step('empty', 0);
  const held = [await sql.reserve()];
  await step('partly used', 1);
  held.push(await sql.reserve());
  await step('full', 2);

  let served = false;
  const waiter = sql.reserve().then((connection) => { served = true; return connection; });
  await sleep(100);
  check('waiting: it waits', !served);
  await step('waiting', 2);
  held.pop().release();
  held.push(await waiter);
  await step('handed over', 2);

  equal('the label is there', (await held[0]`SHOW pgpool_stats.pool`)[0]['pgpool_stats.pool'], NAME);
  while (held.length) held.pop().release();
  await step('returned', 2);

  const own = postgres({ user: 'app', max: 1, connection: { 'pgpool_stats.strict_reports': 'on' } });
  const [{ report }] = await own`SELECT pgpool_stats.report(${NAME}, ${own.json(stats())}, ${me})`;
  equal('reported with the library itself', report, true);
  await own.end();

  await sql.end();
  await reporter.connections('closed', NAME, me, 0);
});
