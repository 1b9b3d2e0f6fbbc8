// An application with a pool, told what to do by watched.py.
'use strict';

const readline = require('readline');
const { Pool } = require('pg');
const { watch } = require('pgpool-stats');

const pool = new Pool({ max: 2, connectionTimeoutMillis: 3000, idleTimeoutMillis: 0 });
watch(pool, 'node');
pool.on('error', () => {});

const held = [];
const commands = {
  take: async () => { held.push(await pool.connect()); },
  give: () => held.pop().release(),
  work: () => pool.query('SELECT 1'),
  end: () => pool.end(),
};

readline.createInterface({ input: process.stdin }).on('line', async (command) => {
  try {
    await commands[command]();
    console.log('done');
  } catch (error) {
    console.log(`failed: ${error.message}`);
  }
});
