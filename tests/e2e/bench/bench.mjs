// `cargo xtask bench`: measures the app and the reference page side by side, on
// the same machine at the same time, so that the ratio says more than either.
// Prints a table; writes the figures as JSON to RETAKE_BENCH_OUT.
import { readFileSync, writeFileSync } from 'node:fs';

import { chromium } from '@playwright/test';

import { wasmMemory } from './memory.mjs';
import { address, allRows, order, prepare } from './pages.mjs';

const url = process.env.RETAKE_URL;
const runs = Number(process.env.RETAKE_BENCH_RUNS ?? 3);
const sizes = (process.env.RETAKE_BENCH_SIZES ?? '1000,10000,100000').split(',').map(Number);
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

const browser = await chromium.launch({
  executablePath: process.env.RETAKE_CHROMIUM || undefined,
  args: ['--no-sandbox', '--disable-background-networking', '--enable-precise-memory-info'],
});

async function open(kind, batch) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const requests = [];
  const bytes = {};
  page.on('request', (it) => requests.push({ url: it.url(), at: Date.now() }));
  const answers = [];
  page.on('response', (it) => answers.push(it.url()));
  page.on('requestfinished', async (it) => {
    const type = it.resourceType();
    const size = (await it.sizes().catch(() => null))?.responseBodySize ?? 0;
    bytes[type] = (bytes[type] ?? 0) + size;
  });
  await prepare(page);
  await page.goto(url + address(kind, batch));
  return { context, page, requests, answers, bytes };
}

/** Bytes that only this page's process holds, by the system's own account. */
async function memory(page, context) {
  const cdp = await context.newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const system = await browser.newBrowserCDPSession();
  const { processInfo } = await system.send('SystemInfo.getProcessInfo');
  const renderers = processInfo.filter((it) => it.type === 'renderer').map((it) => it.id);
  let renderer = 0;
  for (const id of renderers) {
    const rollup = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8');
    const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+)/gm)];
    renderer = Math.max(renderer, kilobytes.reduce((sum, it) => sum + Number(it[1]), 0) * 1024);
  }
  return { jsHeap: usedSize, renderer };
}

/** Calls and their bytes for each look at a batch in which nothing moves. */
async function looks(page) {
  const calls = [];
  const note = async (it) => {
    if (!it.url().includes('/v1/')) return;
    const bytes = (await it.sizes().catch(() => null))?.responseBodySize ?? 0;
    calls.push({ isLook: /\/batches\/[^/?]+$/.test(it.url()), bytes });
  };
  page.on('requestfinished', note);
  await page.waitForTimeout(40_000);
  page.off('requestfinished', note);
  const polls = calls.filter((it) => it.isLook).length;
  const each = (sum) => (polls ? sum / polls : Number.NaN);
  return {
    polls,
    callsPerPoll: each(calls.length),
    bytesPerPoll: each(calls.reduce((sum, it) => sum + it.bytes, 0)),
  };
}

async function measure(kind, batch, size) {
  const isApp = kind === 'app';
  const { context, page, requests, answers, bytes } = await open(kind, batch);
  if (isApp) {
    await page.getByTestId('sign-in-token').fill('test-token');
    await page.evaluate(() => (window.longTasks.length = 0));
    requests.length = 0;
    await page.getByTestId('sign-in-token-submit').click();
  }
  const start = Date.now();
  const firstRow = page.getByTestId('job-row').first();
  await firstRow.waitFor();
  const out = { firstRow: Date.now() - start };
  const calls = requests.filter((it) => it.url.includes('/v1/')).map((it) => it.url);
  out.callsBeforeFirstRow = calls.length;
  // Answers with tests until the first row was there: one, if it shows the first.
  out.listsBeforeFirstRow = answers.filter((it) => it.includes('/jobs')).length;
  await allRows(kind, page, size);
  out.allRows = Date.now() - start;
  await page.waitForTimeout(1000);
  const tasks = await page.evaluate(() => window.longTasks);
  out.longTasks = tasks.length;
  out.longestTask = Math.max(0, ...tasks);
  Object.assign(out, await page.evaluate(() => window.bench.acts()));
  const scroll = await page.evaluate(() => window.bench.scroll());
  out.scrollOver16 = scroll.over16;
  out.scrollOver50 = scroll.over50;
  out.scrollWorst = scroll.worst;
  out.scrollBlank = scroll.blank;
  Object.assign(out, await memory(page, context));
  if (isApp) {
    out.wasmMemory = await wasmMemory(await context.newCDPSession(page));
    Object.assign(out, await looks(page));
  }
  if (isApp) {
    for (const type of ['other', 'document', 'script', 'stylesheet', 'fetch', 'image']) {
      out[`bytes ${type}`] = bytes[type] ?? 0;
    }
  }
  await context.close();
  return out;
}

/**
 * Calls from the press on Start until a rerun of the failing tests leaves: one decision of a
 * supervised batch that has finished, one test in a hundred failing.
 */
async function decision(size) {
  const batch = await order(url, size);
  const { context, page, requests } = await open('app', batch);
  await page.getByTestId('sign-in-token').fill('test-token');
  await page.getByTestId('sign-in-token-submit').click();
  await allRows('app', page, size);
  requests.length = 0;
  const sent = page.waitForRequest((it) => it.method() === 'POST' && it.url().endsWith('/rerun'));
  await page.getByTestId('supervise-start').click();
  const rerun = await sent;
  const reads = requests.filter((it) => it.url.includes('/v1/') && !it.url.endsWith('/rerun'));
  await context.close();
  return { tests: size, rerun: rerun.postDataJSON().jobIDs.length, calls: reads.length };
}

const result = {};
for (const size of sizes) {
  const batch = await order(url, size);
  const all = { app: [], reference: [] };
  for (let run = 0; run < runs; run++) {
    for (const kind of ['app', 'reference']) all[kind].push(await measure(kind, batch, size));
  }
  const figures = (kind) =>
    Object.fromEntries(
      Object.keys(all[kind][0]).map((name) => [name, median(all[kind].map((it) => it[name]))]),
    );
  result[size] = { app: figures('app'), reference: figures('reference') };
  console.log(`\n${size.toLocaleString('en')} tests, medians of ${runs}`);
  console.log(`${''.padEnd(22)} ${'app'.padStart(12)} ${'reference'.padStart(12)} ${'ratio'.padStart(7)}`);
  for (const [name, value] of Object.entries(result[size].app)) {
    const floor = result[size].reference[name];
    const ratio = floor > 0 ? (value / floor).toFixed(2) : '';
    const show = (it) => (it === undefined ? '' : it.toFixed(it < 1000 && it % 1 ? 1 : 0));
    console.log(`${name.padEnd(22)} ${show(value).padStart(12)} ${show(floor).padStart(12)} ${ratio.padStart(7)}`);
  }
}
result.decision = await decision(10_000);
console.log(
  `\nA supervised decision on ${result.decision.tests} tests: ${result.decision.calls} calls before the rerun of ${result.decision.rerun} (goal: at most 5).`,
);
if (process.env.RETAKE_BENCH_OUT) {
  writeFileSync(process.env.RETAKE_BENCH_OUT, JSON.stringify(result, null, 2));
}
await browser.close();
