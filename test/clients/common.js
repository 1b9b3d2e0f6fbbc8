// What the client tests in JavaScript share: ask the server, compare, poll.
'use strict';

const os = require('os');
const { Client } = require('pg');

let failures = 0;

function check(name, good, detail) {
  if (good) {
    console.log('ok - ' + name);
  } else {
    failures++;
    console.log('not ok - ' + name + (detail ? ': ' + detail : ''));
  }
}

function equal(name, got, expected) {
  check(name, got === expected, 'got ' + JSON.stringify(got) +
    ', expected ' + JSON.stringify(expected));
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, condition) {
  for (let i = 0; i < 15000; i++) {
    const value = await condition();
    if (value) return value;
    await sleep(20);
  }
  check('waited for ' + what, false, 'not within 300 s');
  return null;
}

function label(pool, instance) {
  return `-c pgpool_stats.pool=${pool} -c pgpool_stats.instance=${instance}`;
}

// A connection of its own, in strict mode.
class Reporter {
  async open() {
    this.client = new Client({
      user: 'app',
      options: label('reporter', 'reporter') + ' -c pgpool_stats.strict_reports=on',
    });
    await this.client.connect();
    return this;
  }

  async one(query, ...args) {
    const result = await this.client.query({ text: query, values: args, rowMode: 'array' });
    return result.rows.length ? result.rows[0][0] : null;
  }

  report(pool, stats, instance) {
    return this.one('SELECT pgpool_stats.report($1, $2, $3)', pool, JSON.stringify(stats), instance);
  }

  forget(pool, instance) {
    return this.one('SELECT pgpool_stats.forget($1, $2)', pool, instance);
  }

  row(pool, instance) {
    return this.one('SELECT to_jsonb(i) FROM pgpool_stats.instances i WHERE pool = $1 AND instance = $2',
      pool, instance);
  }

  /* What watch() says of a pool with two connections lent and one caller waiting */
  async watched(pool, watched, more) {
    await watched.report();
    await this.compare('watched', pool, me, {
      dialect: 'native', max_size: 2, open: 2, checked_in: 0, checked_out: 2, waiting: 1, status: 'exhausted', ...more,
    });
  }

  /* Many reports of so many pools, and how often somebody connected for that */
  async inOne(pools, number) {
    const connects = () => this.one("SELECT sum(connects)::int FROM pgpool_stats.pools WHERE pool = 'reports'");
    const seen = (times) => until(`${times} reports of ${number} pools`, async () => {
      await this.one(`INSERT INTO seen SELECT pool, last_report FROM pgpool_stats.instances
        WHERE pool ~ $1 AND last_report IS NOT NULL ON CONFLICT DO NOTHING`, `^${pools}\\d+$`);
      return this.one('SELECT count(*) = $1 AND min(n) > $2 FROM (SELECT count(*) AS n FROM seen GROUP BY pool) AS s',
        number, times);
    });

    await this.one('CREATE TEMP TABLE seen (pool text, at timestamptz, UNIQUE (pool, at))');
    await seen(1);
    await this.one('TRUNCATE seen');
    const before = await connects();
    await seen(10);
    const made = await connects() - before;
    check(`${number} pools report 10 times, and do not connect ${number * 10} times`, made < number * 4, made);
  }

  async connections(step, pool, instance, expected) {
    await until(`${step}: ${expected} connections`, async () => {
      const row = await this.row(pool, instance);
      return (row ? row.connections : 0) === expected;
    });
    const row = await this.row(pool, instance);
    equal(step + ": the server counts the pool's connections", row ? row.connections : 0, expected);
  }

  async compare(step, pool, instance, expected) {
    const row = await this.row(pool, instance);
    if (!row) {
      check(`${step}: a row for ${instance}`, false);
      return;
    }
    for (const [column, value] of Object.entries(expected)) equal(`${step}: ${column}`, row[column], value);
    const unmapped = (row.unmapped || []).filter((key) => key !== 'every');
    equal(step + ': nothing unmapped', unmapped.length, 0);
  }
}

// watch() reports as the first; the library's own words are tried as the second
const me = `${os.hostname()}:${process.pid}`;

function run(main) {
  const { warn } = console;
  console.warn = (text, ...more) => {
    if (/^pgpool_stats/.test(text)) check('nothing to say', false, text);
    warn(text, ...more);
  };
  main().catch((error) => {
    check('no exception', false, error.stack);
  }).then(() => process.exit(failures ? 1 : 0));
}

module.exports = {
  Reporter, check, equal, label, run, sleep, until, me, own: `${me}.own`,
};
