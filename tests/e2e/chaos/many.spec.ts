/** Fifty batches that are supervised in one tab: what the API has to bear. */
import { pathOf } from '../support/chaos.js';
import { note } from '../support/figures.js';
import { superviseMany } from '../support/many.js';
import { expect, test } from '../support/retake.js';

const BATCHES = 50;
const MEASURED_MS = 40_000;

test('fifty batches in one tab ask no more than two reads a second, and each is looked at', async ({ retake, sandbox, page }) => {
  test.setTimeout(240_000);
  // By itself each would be asked every 10 s: five reads a second for all.
  const batches = await superviseMany(retake, sandbox, BATCHES, { 'poll-every': '10s' });
  // The queue of a fresh tab lets a few pass at once; measured is what follows.
  await page.waitForTimeout(30_000);
  const from = Date.now();
  await page.waitForTimeout(MEASURED_MS);
  const until = Date.now();

  // Other tests use the same sandbox meanwhile.
  const ours = (path: string): boolean => batches.some((it) => path.includes(it.batchID));
  const seen = (await sandbox.requests('/v1/projects/', 'GET')).filter(
    (it) => it.at_ms >= from && it.at_ms < until && ours(it.path),
  );
  const rate = seen.length / (MEASURED_MS / 1000);
  note({
    id: '#18',
    what: `reads a second for ${BATCHES} batches in one tab, each due every 10 s`,
    goal: 'at most 2',
    measured: rate.toFixed(2),
    holds: rate <= 2.05,
  });
  // What a machine that stood still has not let out comes at once afterwards.
  expect(rate).toBeLessThanOrEqual(2.3);
  for (const batch of batches) {
    expect(seen.some((it) => it.path.includes(batch.batchID)), `${pathOf(batch)} was looked at`).toBe(true);
  }
});
