/** Networks that go and come back, replicas that lag (scenarios 16 to 18). */
import { configure, expectEnd, expectPosts, expectWatching, finishRuns, FLAKY, FLAKY_RUNNING, QUICK } from '../support/chaos.js';
import { rideOut } from '../support/outage.js';
import { expect, test } from '../support/retake.js';

test('16 a 404 that passes: looked again a minute later, never taken for the end', async ({ retake, sandbox, page }) => {
  test.setTimeout(150_000);
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  // Elsewhere, so that only the supervisor reads this batch.
  await page.getByRole('link', { name: /Supervisions/ }).click();
  await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '404' });
  await expect(retake.hook('supervision-row')).toContainText('1 read failed in a row; trying again in');
  await page.goBack();
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['could not read the batch: not found, or no access to it (HTTP 404)', 'reads work again after 1 failure'],
    timeout: 100_000,
  });
});

test('17 offline while the batch ends: the first look comes soon after the network', async ({ retake, sandbox, context, page }) => {
  // Twenty seconds stand for ten minutes: the pause between two looks is bounded by
  // `poll-every`, so a longer outage only repeats what happens here. `cargo xtask outage`
  // takes an hour.
  const { firstLookMs } = await rideOut(retake, sandbox, {
    seconds: 20,
    pollEvery: '15s',
    begin: () => context.setOffline(true),
    end: async () => {
      // The title goes on to change, so that the browser does not put a hidden tab away.
      await expect(page).toHaveTitle(/ · \d+ failed looks? since \d/);
      await context.setOffline(false);
    },
  });
  // `cargo xtask wake` measures whether it comes within 2 s; a busy machine fails no test.
  // Without word from the browser it would be the next look that is due, up to 15 s later.
  expect(firstLookMs, 'milliseconds to the first look').toBeLessThan(8_000);
});

test('18 offline while the rerun is under way: applied without an answer, found by looking', async ({ retake, sandbox, page, context }) => {
  await configure(page, { settle_window: '12s' });
  const batch = await sandbox.batch(FLAKY);
  // Held at the server while the network goes.
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'late_apply_ms', ms: 4_000 });
  await page.route('**/rerun', async (route) => {
    await route.fetch().catch(() => undefined);
    await context.setOffline(true);
    await route.abort('internetdisconnected');
  });
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expect(retake.hook('decision-log')).toContainText('nobody knows yet whether the rerun was applied');
  await page.waitForTimeout(6_000);
  await context.setOffline(false);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['looking, sending nothing', 'a rerun was applied as run 2'],
  });
});

test('reads from a replica that lags: the finished picture from before the rerun is set aside', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY);
  await retake.openBatch(batch);
  // From here on every read is answered as it was the first time.
  await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: 'stale', times: 100_000 });
  await retake.supervise({ ...QUICK, 'max-rerun-attempts': '3' });
  await expect(retake.hook('decision-log')).toContainText('an answer shows run 1, waiting for run 2: set aside, not believed');
  // A supervisor that believed it would have sent its next rerun by now.
  await page.waitForTimeout(6_000);
  await expectPosts(sandbox, batch, 1);
  await sandbox.mend(batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['accepted as run 2', 'set aside, not believed'],
  });
});
