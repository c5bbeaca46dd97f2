/**
 * Clocks that jump (scenarios 28 to 31). Playwright's clock replaces the clocks
 * and timers of the page, so both clocks jump together here, as on a computer
 * whose monotonic clock runs on while it sleeps. The other kind, where it stops,
 * is in the core's simulation.
 */
import { expectEnd, expectWatching, finishRuns, FLAKY_RUNNING, QUICK } from '../support/chaos.js';
import { expect, test } from '../support/retake.js';

test.beforeEach(async ({ page }) => {
  await page.clock.install();
});

test('28 asleep for two hours while the batch ends: looks first, then decides', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await sandbox.act(batch, 'finish');
  await page.clock.fastForward('02:00:00');
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: [/asleep, or the clock was set forward, for (2h|1h5\dm)[^:]*: not counted as waiting/, 'accepted as run 2'],
  });
});

test('29 asleep past the timeout: no verdict without a fresh look, and the sleep does not count', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise({ ...QUICK, 'wait-timeout': '10m' });
  await expectWatching(retake);
  await page.clock.fastForward('02:00:00');
  await expect(retake.hook('decision-log')).toContainText('not counted as waiting');
  await page.waitForTimeout(4_000);
  await expect(retake.hook('verdict'), 'it goes on').toHaveCount(0);
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['not counted as waiting', 'accepted as run 2'],
  });
});

test('30 the clock is set back by an hour: looks at once, waits no hour', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await page.clock.setSystemTime(Date.now() - 3_600_000);
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: [/the clock was set back by (1h0m|59m)/, 'accepted as run 2'],
  });
});

test('31 the clock is set forward by a day: it does not time out', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await page.clock.setSystemTime(Date.now() + 86_400_000);
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: [/asleep, or the clock was set forward, for (24h0m|23h59m)[^:]*: not counted as waiting/, 'accepted as run 2'],
  });
});
