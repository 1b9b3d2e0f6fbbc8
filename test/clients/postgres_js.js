// postgres.js has no figures: it reports its maximum, the server counts.
'use strict';

const postgres = require('postgres');
const { Reporter, check, equal, me, own, run, sleep } = require('./common');

const NAME = 'postgres-js';
const sql = postgres({ user: 'app', max: 2 });

// docs: begin postgres-js
const { watch } = require('pgpool-stats');
const watched = watch(sql, 'postgres-js');
// docs: end

const stats = () => ({ max_size: sql.options.max });

run(async () => {
  const reporter = await new Reporter().open();

  async function step(name, connections) {
    check(name + ': has its row', await reporter.report(NAME, stats(), own));
    await reporter.compare(name, NAME, own, {
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

  await watched.report();
  await reporter.compare('watched', NAME, me, {
    dialect: 'native', max_size: 2, pool_size: 2, checked_out: null, checkouts: null, waits: null, timeouts: null,
  });
  equal('the label is there', (await held[0]`SHOW pgpool_stats.pool`)[0]['pgpool_stats.pool'], NAME);
  while (held.length) held.pop().release();
  await step('returned', 2);

  // of several servers: nothing is concluded from what is not here
  const { PGPORT: port } = process.env;
  const several = postgres({ user: 'app', max: 1, host: ['127.0.0.1', '127.0.0.1'], port: [Number(port), 1] });
  const handle = watch(several, 'postgres-js-several');
  await several`SELECT 1`;
  await handle.report();
  await reporter.compare('several servers', 'postgres-js-several', me, {
    max_size: 1, connections: 1, notes: 'does not tell how many are lent; its figures are of connections to 2 servers',
  });
  await several.end();

  const mine = postgres({ user: 'app', max: 1, connection: { 'pgpool_stats.strict_reports': 'on' } });
  const [{ report: taken }] = await mine`SELECT pgpool_stats.report(${NAME}, ${mine.json(stats())}, ${own})`;
  equal('reported with the library itself', taken, true);
  await mine.end();

  await sql.end();
  await reporter.connections('closed', NAME, me, 0);
  equal('closed: forgotten', await reporter.row(NAME, me), null);
});
