/** What a batch of 10,000 tests costs the page that shows it and decides on it: `cargo xtask soak`. */
import type { CDPSession, Page, Route } from '@playwright/test';

import { held } from '../bench/memory.mjs';
import { prepare } from '../bench/pages.mjs';
import { expectWatching, pathOf } from '../support/chaos.js';
import { note } from '../support/figures.js';
import { expect, test, type Batch } from '../support/retake.js';
import type { Recipe } from '../support/sandbox.js';

declare global {
  interface Window {
    /** Of `bench/in-page.js`: milliseconds of each task above 50. */
    longTasks: number[];
  }
}

/** A hundred pages; one test in a hundred fails. */
const TESTS = 10_000;
const RECIPE: Recipe = { tests: TESTS, outcomes: { error: 50, blocker: 50 } };
const FAILING = 100;
/** A busy machine takes long, and costs no more for it. */
const PATIENCE_MS = 240_000;
const LIMIT_S = 2;
const LIMIT_TASK_MS = 50;
const LIMIT_MB = 100;
const GOAL = 'at most 2 s of processor time, no task above 50 ms, 100 MB';
/** Looks as often as the sandbox's configuration allows, and waits for as long as it takes. */
const POLICY = { 'poll-every': '1s' };

/** What a stretch of time cost the main thread of a page. */
interface Cost {
  /** Of the processor, in its tasks, and what of it went into script, styles and layout. */
  processorS: number;
  scriptS: number;
  stylesS: number;
  layoutS: number;
  /** The longest task in ms, by the clock; 0: none was above 50. */
  longestMs: number;
}

/** Counts what `act` costs, with what the test's own questions to the page cost. */
async function costOf(page: Page, act: () => Promise<unknown>): Promise<Cost> {
  const tools = await page.context().newCDPSession(page);
  // Begins to count, and counts what the thread itself got of the processor.
  await tools.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(() => void (window.longTasks.length = 0));
  const before = await metrics(tools);
  await act();
  const after = await metrics(tools);
  // What was observed is told in a task of its own.
  await page.waitForTimeout(500);
  const long = await page.evaluate(() => window.longTasks);
  await tools.detach();
  const spent = (name: string): number => (after.get(name) ?? Number.NaN) - (before.get(name) ?? Number.NaN);
  return {
    processorS: spent('TaskDuration'),
    scriptS: spent('ScriptDuration'),
    stylesS: spent('RecalcStyleDuration'),
    layoutS: spent('LayoutDuration'),
    longestMs: Math.max(0, ...long),
  };
}

async function metrics(tools: CDPSession): Promise<Map<string, number>> {
  const { metrics } = await tools.send('Performance.getMetrics');
  return new Map(metrics.map((it) => [it.name, it.value]));
}

/** Notes what it came to: the stretches together are held against the goal. */
async function measured(page: Page, what: string, costs: Record<string, Cost>): Promise<void> {
  const { jsHeap, wasm } = await held(page);
  const [heapMB, wasmMB] = [jsHeap / 1_000_000, wasm / 1_000_000];
  const sum = Object.values(costs).reduce((all, it) => all + it.processorS, 0);
  const longest = Math.max(...Object.values(costs).map((it) => it.longestMs));
  const words = Object.entries(costs).map(
    ([stretch, it]) =>
      `${stretch} ${it.processorS.toFixed(2)} s (script ${it.scriptS.toFixed(2)}, styles ${it.stylesS.toFixed(2)}, ` +
      `layout ${it.layoutS.toFixed(2)}; ${it.longestMs > 0 ? `longest task ${it.longestMs.toFixed(0)} ms` : 'no task above 50 ms'})`,
  );
  note({
    id: '#19',
    what,
    goal: GOAL,
    measured: `tasks of the main thread, processor time: ${words.join('; ')}; ${heapMB.toFixed(1)} MB JavaScript, ${wasmMB.toFixed(1)} MB WebAssembly`,
    holds: sum <= LIMIT_S && longest <= LIMIT_TASK_MS && heapMB + wasmMB <= LIMIT_MB,
  });
}

/** Runs `act`, and waits until the rerun of all failing tests leaves. */
async function untilRerun(page: Page, batch: Batch, act: () => Promise<unknown>): Promise<void> {
  const sent = page.waitForRequest((it) => it.method() === 'POST' && it.url().endsWith(`${batch.batchID}/rerun`), {
    timeout: PATIENCE_MS,
  });
  await act();
  const rerun = (await sent).postDataJSON() as { jobIDs: string[] };
  expect(rerun.jobIDs, 'the failing tests').toHaveLength(FAILING);
}

test.beforeEach(() => {
  test.setTimeout(3 * PATIENCE_MS);
});

const allRows = `${TESTS.toLocaleString('en')} of ${TESTS.toLocaleString('en')} tests`;

test('shown and decided on', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch({ ...RECIPE, start: 'finished' });
  await prepare(page);
  await page.goto(pathOf(batch));
  await retake.hook('sign-in-token').fill('test-token');
  const shown = await costOf(page, async () => {
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('row-count')).toHaveText(allRows, { timeout: PATIENCE_MS });
  });
  await retake.fillPolicy(POLICY);
  const decided = await costOf(page, () => untilRerun(page, batch, () => retake.hook('supervise-start').click()));
  await measured(page, `a batch of ${TESTS} tests in 100 pages, 1 % failing, on its page: from the sign-in to all rows, and from Start to the rerun POST`, {
    'all rows': shown,
    'Start to POST': decided,
  });
});

for (const whole of [false, true]) {
  const way = whole ? 'by the whole listing of 100 pages' : 'by the listing of those that did not pass';
  test(`decided on elsewhere ${way}`, async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ ...RECIPE, start: 'running', hang: true });
    await prepare(page);
    await retake.openBatch(batch);
    await retake.supervise(POLICY);
    await expectWatching(retake);
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await expect(retake.hook('supervision-row')).toHaveCount(1);
    // An API that fails to list those alone which did not pass.
    const refuse = (route: Route): Promise<void> => route.fulfill({ status: 400, json: { message: 'unknown parameter' } });
    if (whole) await page.route(/\/jobs\?.*conflatedStatus/, refuse);
    const decided = await costOf(page, () => untilRerun(page, batch, () => sandbox.act(batch, 'finish')));
    await measured(page, `the same, its page closed: from its end to the rerun POST, decided ${way}`, { 'end to POST': decided });
  });
}
