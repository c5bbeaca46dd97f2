/** Tokens of many tabs that end in the same moment, with a provider that ends them all if one is used twice (scenario 11). */
import { expectWatching, FLAKY_RUNNING, pathOf } from '../support/chaos.js';
import { note } from '../support/figures.js';
import { Retake, type Batch } from '../support/retake.js';
import type { Sandbox, Seen } from '../support/sandbox.js';
import { configureFor, expect, signIn, test } from '../support/with-provider.js';

const TABS = 10;
const POLL_EVERY_S = 20;
/** A supervisor that looked within this time is not moved to look again. */
const RECENT_MS = 5_000;
/**
 * Answers of the token endpoint take this long, so that two of them would lie over each other.
 * All ten in turn stay far below the 5 s that a tab waits for its turn, also on a busy machine.
 */
const SLOW_MS = 150;

interface Span {
  at: number;
  until: number;
}

/** The most of these that were under way in any moment. */
function mostAtOnce(spans: readonly Span[]): number {
  const during = (moment: number): number => spans.filter((it) => it.at <= moment && moment < it.until).length;
  return Math.max(0, ...spans.map((it) => during(it.at)));
}

/** The looks at a batch that were answered. */
async function answered(sandbox: Sandbox, batch: Batch): Promise<Seen[]> {
  return (await sandbox.requests(batch.batchID, 'GET')).filter((it) => it.status === 200);
}

test('11 ten tabs whose tokens are refused at once: one refresh at a time, none used twice, no look is lost', async ({ retake, sandbox, context, provider }) => {
  test.setTimeout(300_000);
  await configureFor(context, provider);
  const tabs: Retake[] = [];
  const batches: Batch[] = [];
  for (let n = 0; n < TABS; n += 1) {
    const batch = await sandbox.batch(FLAKY_RUNNING);
    const tab = n === 0 ? retake : new Retake(await context.newPage());
    if (n === 0) {
      await signIn(tab, pathOf(batch));
    } else {
      // The provider knows the person by now, and this browser that it does.
      await tab.page.goto(pathOf(batch));
    }
    await tab.supervise({ 'poll-every': `${POLL_EVERY_S}s` });
    await expectWatching(tab);
    // Elsewhere, so that only the supervisor reads this batch.
    await tab.page.getByRole('link', { name: /Supervisions/ }).click();
    tabs.push(tab);
    batches.push(batch);
  }
  const lookAll = (): Promise<unknown> =>
    Promise.all(tabs.map((tab) => tab.page.evaluate(() => window.dispatchEvent(new Event('focus')))));
  // From here on the looks of all tabs are close together, and none is due for a while.
  await lookAll();
  await retake.page.waitForTimeout(RECENT_MS + 1_000);
  const signedIn = provider.grants.length;
  provider.slow.ms = SLOW_MS;
  for (const batch of batches) await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '401' });
  const struck = Date.now();
  await lookAll();
  const again = async (batch: Batch): Promise<boolean> => (await answered(sandbox, batch)).some((it) => it.at_ms > struck);
  await expect.poll(async () => (await Promise.all(batches.map(again))).filter(Boolean).length, { timeout: 60_000 }).toBe(TABS);

  const refreshes = provider.grants.slice(signedIn);
  const refused = (await Promise.all(batches.map((it) => sandbox.requests(it.batchID, 'GET')))).flat().filter((it) => it.status === 401);
  expect(refused, 'each tab met the end of its token').toHaveLength(TABS);
  const spread = Math.max(...refused.map((it) => it.at_ms)) - Math.min(...refused.map((it) => it.at_ms));
  expect(spread, 'milliseconds between the first and the last of them').toBeLessThan(POLL_EVERY_S * 1_000);
  const atOnce = mostAtOnce(refreshes);
  const usedTwice = refreshes.length - new Set(refreshes.map((it) => it.used)).size;
  const refusedRefreshes = refreshes.filter((it) => it.status !== 200).length;
  const gaps = await Promise.all(
    batches.map(async (batch) => {
      const times = (await answered(sandbox, batch)).map((it) => it.at_ms);
      const next = times.findIndex((at) => at > struck);
      return ((times[next] ?? Infinity) - (times[next - 1] ?? 0)) / 1_000;
    }),
  );
  const longest = Math.max(...gaps);
  const tabsDone = [{ done: TABS, asked: 10, unit: 'tabs' }];
  note({
    id: '#13',
    what: `refreshes under way at once, and refresh tokens used twice, when the tokens of ${TABS} tabs are refused within their looks`,
    goal: '1 at once, 0 used twice, 0 refused',
    measured: `${atOnce} at once of ${refreshes.length}, ${usedTwice} used twice, ${refusedRefreshes} refused; tokens refused within ${spread} ms, each answer of the provider held for ${SLOW_MS} ms`,
    holds: atOnce === 1 && usedTwice === 0 && refusedRefreshes === 0,
    promise: true,
    volumes: tabsDone,
  });
  note({
    id: '#13',
    what: `longest gap between two answered looks of a tab then, poll-every ${POLL_EVERY_S}s`,
    goal: 'at most 1 interval beyond the next look',
    measured: `${longest.toFixed(1)} s`,
    holds: longest <= 2 * POLL_EVERY_S,
    volumes: tabsDone,
  });
  expect(refreshes.map((it) => [it.grant_type, it.status])).toEqual(Array.from({ length: TABS }, () => ['refresh_token', 200]));
  expect(atOnce, 'refreshes under way at once').toBe(1);
  expect(usedTwice, 'refresh tokens used twice').toBe(0);
  expect(longest, 'seconds between two answered looks').toBeLessThanOrEqual(2 * POLL_EVERY_S);
  for (const tab of tabs) {
    await expect(tab.page).toHaveURL(/\/supervisions$/);
    await expect(tab.hook('sign-in-why')).toHaveCount(0);
  }
});
