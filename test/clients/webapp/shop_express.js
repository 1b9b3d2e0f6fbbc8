// A small shop on Express and node-postgres, watched by two lines.
'use strict';

// docs: begin express-app
const express = require('express');
const { Pool } = require('pg');
const { watch } = require('pgpool-stats');

const app = express();
const pool = new Pool({ user: 'app', max: 2, idleTimeoutMillis: 0 });
watch(pool, 'shop_express');

app.get('/', async (request, response) => {
  await pool.query('SELECT 1');
  response.send(String(process.pid));
});

const server = app.listen(process.env.PORT);
process.on('SIGTERM', () => server.close(() => pool.end()));
// docs: end
