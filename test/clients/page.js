// report_html() in a browser: a server with 60 pools and a day behind it, some
// of whose names are markup, on a phone, a laptop and paper, light and dark.
'use strict';

const { execFileSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { Client } = require('pg');
const { check, equal, run } = require('./common');

const CHROMIUM = '/usr/bin/chromium-headless-shell';
const LOOKS = [
  { name: 'laptop', width: 1280, colorScheme: 'light', contrast: true },
  { name: 'laptop', width: 1280, colorScheme: 'dark', contrast: true },
  { name: 'phone', width: 360, colorScheme: 'light' }, { name: 'phone', width: 360, colorScheme: 'dark' },
  // what is printed is light
  { name: 'print', width: 794, colorScheme: 'dark', media: 'print' },
];

function skip(reason) {
  console.log(reason);
  process.exit(77);
}

async function launch() {
  if (!fs.existsSync(CHROMIUM)) skip('there is no chromium-headless-shell');
  try {
    return await require('playwright-core').chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
  } catch (error) {
    return skip('chromium cannot run here: ' + error.message.split('\n')[0]);
  }
}

// the page of the fixture, and what it says of other times
async function makePages() {
  const admin = new Client();
  await admin.connect();
  await admin.query('CREATE DATABASE page');
  await admin.end();
  const database = { ...process.env, PGDATABASE: 'page' };
  execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', 'CREATE EXTENSION pgpool_stats', '-f', path.join(__dirname, '../page/fixture.sql')],
    { env: database, stdio: ['ignore', 'ignore', 'inherit'] });
  const query = (text) => execFileSync('psql', ['-XAtqc', text], { env: database, encoding: 'latin1', maxBuffer: 1e7 });
  const large = query('SELECT pgpool_stats.report_html()');
  // what looks the same for every pool is looked at for some
  query('DELETE FROM fake.pools WHERE pool ~ $$^[a-z]+-\\d+$$ AND pool !~ $$-(8|11|14)$$');
  const pages = { large, day: query('SELECT pgpool_stats.report_html()'), hour: query("SELECT pgpool_stats.report_html('30 min')"),
    days: query("SELECT pgpool_stats.report_html('5 days')") };
  // each with a hint of its own
  query(`DELETE FROM fake.alerts WHERE ctid <> ALL (ARRAY(SELECT ctid FROM fake.alerts WHERE severity = 'critical' ORDER BY pool, rule LIMIT 4));
    UPDATE fake.alerts SET hint = hint || ' ' || rule || ' of ' || pool`);
  return { ...pages, four: query('SELECT pgpool_stats.report_html()') };
}

// what is in the page that must not be there, or is not where it should be
function faults() {
  const found = [];
  const all = [...document.querySelectorAll('*')];
  for (const e of all) {
    if (/^(script|img|iframe|object|embed|form|base|u|audio|video)$/i.test(e.tagName)) found.push('element ' + e.tagName);
    for (const a of e.attributes) {
      if (/^on/i.test(a.name)) found.push('attribute ' + a.name);
      if (/^(src|srcset|href)$/.test(a.name) && !/^(#|data:,$)/.test(a.value)) found.push(a.name + '=' + a.value);
    }
  }
  for (const a of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(a.getAttribute('href').slice(1))) found.push('no target of ' + a.getAttribute('href'));
  }
  const ids = all.map((e) => e.id).filter((id) => id);
  if (new Set(ids).size !== ids.length) found.push('an id is there twice');
  for (const svg of document.querySelectorAll('svg')) {
    // in its label, or it is left out beside a heading that says it
    const words = svg.getAttribute('role') === 'img' ? /\w: .*\d/.test(svg.getAttribute('aria-label'))
      : svg.getAttribute('aria-hidden') === 'true' && /\w .*\d/.test(svg.closest('figure')?.querySelector('figcaption').textContent);
    if (!words) found.push('a chart without words');
    const said = [...(svg.closest('figure')?.querySelectorAll('i') || [])].map((i) => i.className);
    if (svg.closest('figure') && ![...svg.children].every((c) => said.includes(c.getAttribute('class')))) found.push('a colour without words');
    if (![...svg.children].every((c) => c.tagName === 'path')) found.push('not only paths in a chart');
  }
  return found.slice(0, 5).join('; ');
}

async function look(browser, url, { name, width, colorScheme, media, contrast }, axe) {
  const what = `${name}, ${colorScheme}`;
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const noise = [];
  page.on('console', (message) => noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('dialog', (dialog) => { noise.push('dialog'); dialog.dismiss(); });
  page.on('request', (request) => { if (request.url() !== url) noise.push('request of ' + request.url()); });
  if (media) await page.emulateMedia({ media, colorScheme });
  await page.goto(url, { waitUntil: 'load' });
  equal(`${what}: nothing that should not be there`, await page.evaluate(faults), '');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(`${what}: not wider than the screen`, wide <= 0, `${wide} pixels`);
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor !== 'rgb(255, 255, 255)');
  equal(`${what}: dark`, dark, colorScheme === 'dark' && !media);
  await page.screenshot({ path: path.join(process.env.TESTDIR, `page-${name}-${colorScheme}.png`) });
  await page.evaluate(axe);
  const violations = await page.evaluate(async (enabled) => (await window.axe.run(document,
    // which colours are used does not depend on the width
    { resultTypes: ['violations'], rules: { 'color-contrast': { enabled } } })).violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 150)} ${v.nodes[0].failureSummary}`), Boolean(contrast));
  equal(`${what}: axe finds nothing`, violations.join('\n'), '');
  equal(`${what}: no error, dialog or request`, noise.join('; '), '');
  return page;
}

// what is to be seen without scrolling: slots, what is wrong, the first pool
function firstScreen() {
  const of = (selector) => document.querySelector(selector).getBoundingClientRect();
  return { seen: of('.slots').top > 0 && of('#now').top > of('.slots').bottom && of('.pools').top > of('#now').bottom,
    alerts: [...document.querySelectorAll('#now .alerts li')].filter((e) => e.getClientRects().length && e.checkVisibility()).length,
    pool: Math.round(of('.pools li').bottom) };
}

// rejections of a pool by kind, in words: of the day and the hour, and its facts
function rejections(name) {
  const section = [...document.querySelectorAll('section.pool')].find((e) => e.querySelector('h3').textContent.includes(name));
  const connects = (frame) => [...section.querySelectorAll(`.charts.${frame} figcaption`)].map((e) => e.textContent).find((t) => t.startsWith('Connects'));
  return [connects('d'), connects('h'), [...section.querySelectorAll('dt')].find((e) => e.textContent === 'rejected').nextSibling.textContent].join('\n');
}

// the charts of the worst pool, by frame
function frames() {
  const strips = [...document.querySelectorAll('.pools li:first-child svg')].map((e) => e.getAttribute('aria-label').replace(/:.*/, ''));
  const charts = [...document.querySelectorAll('#p1 .charts')].map((e) => [e.querySelector('p').textContent,
    ...[...e.querySelectorAll('figcaption')].map((f) => f.firstChild.textContent.trim())].join(': '));
  return [...strips, ...charts].join('; ');
}

// with the tabulator from the first to the last that can be reached
async function keyboard(page) {
  const stops = 'a[href], summary, [tabindex="0"]';
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await page.keyboard.press('Tab');
  equal('the first stop leads to what is wrong', await page.evaluate(() => document.activeElement.getAttribute('href')), '#now');
  check('it is seen', await page.evaluate(() => document.activeElement.getBoundingClientRect().left >= 0));
  await page.keyboard.press('Enter');
  equal('and goes there', new URL(page.url()).hash, '#now');
  await page.evaluate(() => { window.reached = new Set(); document.addEventListener('focusin', (e) => window.reached.add(e.target)); });
  const count = await page.locator(stops).count();
  for (let i = 0; i < count + 2; i++) await page.keyboard.press('Tab');
  // inside of what is closed there is nothing to reach
  equal('the tabulator reaches everything else below', await page.evaluate((s) => {
    const after = [...document.querySelectorAll(s)].filter((e) => document.getElementById('now').compareDocumentPosition(e) & 4);
    return after.filter((e) => !window.reached.has(e)).map((e) => e.outerHTML.slice(0, 80)).join('; ');
  }, stops), '');
  await page.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  check('Enter opens what is folded', await page.evaluate(() => document.querySelector('details').open));
}

run(async () => {
  const browser = await launch();
  const pages = await makePages();
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(pages[request.url.slice(1)]);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

  check('60 pools and a day: at most 300 kB', pages.large.length <= 300000, `${pages.large.length} bytes`);
  check('ASCII', /^[\n -~]*$/.test(pages.large));
  let page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(url + 'large');
  equal('of many pools: nothing that should not be there', await page.evaluate(faults), '');
  equal('50 pools have a section', await page.locator('section.pool').count(), 50);
  check('the others are counted', pages.large.includes('And 10 more pools with '));
  for (const one of ['large', 'four']) {
    await page.goto(url + one);
    const screen = await page.evaluate(firstScreen);
    check(`${one}: slots, four alerts and the first pool are within 800 pixels`, screen.seen && screen.alerts === 4 && screen.pool <= 800, JSON.stringify(screen));
  }
  await page.close();

  page = null;
  for (const one of LOOKS) {
    if (page) await page.close();
    page = await look(browser, url + 'day', one, axe);
  }
  equal('the server was asked for nothing else', [...new Set(asked)].join(), '/large,/four,/day');
  check('it can be printed', (await page.pdf({ format: 'A4' })).length > 10000);
  await page.close();

  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(url + 'day');
  const text = await page.evaluate(() => document.body.textContent);
  for (const name of ['<script>alert(1)</script>', '"onmouseover="alert(1)" x=\'', '</style></svg><img src=x onerror=alert(1)>',
    '&lt;b&gt;100%s %1$s \\0 {{7*7}} ${x} -->', 'gr\u00f6\u00dfe <i>', 'j\u00fcrgen & "Co"', 'web-0:<4712>', 'migrate "m-1:77" <u>', 'app_1 <x>',
    'pgbouncer <1>', 'are <unknown> while']) {
    check('text stays text: ' + name, text.includes(name));
  }
  const first = await page.locator('body > header').evaluate((e) => e.innerText.split('\n')[0]);
  check('its first line says of what, when and for whom it is',
    /^.*PostgreSQL \d.*port \d+.*as of \d+ \w+ \d+ \d\d:\d\d:\d\d, time zone .*read by postgres, who sees all pools .*24 h/.test(first), first);
  equal('the worst is first', await page.locator('.pools a').first().textContent(), 'orders-api');
  check('the slots are said', text.includes('780 of 797 connections are used') && text.includes('the pools may ask for 910'));
  equal('the day and the hour of the worst pool', await page.evaluate(frames), ['last 24 h', 'last hour',
    'last 24 h: Load: Lent and waiting: Connects', 'last hour: Load: Lent and waiting: Connects'].join('; '));
  const kinds = await page.evaluate(rejections, 'orders-api');
  check('rejections by kind', /^Connects [\dk]+ made, \d+ rejected by a limit, \d+ rejected at login, 3 rejected while unavailable\n.*made.*\n1 by a limit, 3 at login, 1 while unavailable$/.test(kinds), kinds);
  const only = await page.evaluate(rejections, '100%s');
  check('and where nothing else is known', /^Connects \d+ rejected at login, 3 rejected while unavailable\nConnects \d+ rejected at login\n3 at login$/.test(only), only);
  equal('where callers wait is marked', await page.locator('.chains .here').count(), 2);
  check('what fires since before is there', (await page.locator('.times li').first().textContent()).includes('fires for'));
  await keyboard(page);
  await page.close();

  check('less than an hour is one frame', pages.hour.includes('last 30 min') && pages.hour.includes('class="charts h"') && !/class="(charts|strip) d"/.test(pages.hour));
  check('and has what fires, whatever its age', (pages.hour.match(/fires for/g) || []).length >= 3);
  check('what is beyond what is kept is cut, and said', /<p class=meta>.*last 24 h: history is kept for 24 h/.test(pages.days));
  const incidents = (html) => Number(html.match(/<p class=note>(\d+) incidents/)[1]);
  check('incidents are older', incidents(pages.days) > incidents(pages.day));
  server.close();
  await browser.close();
});
