/** A POST of this browser that may still land: whoever sent it, nobody sends another one before. */
import type { Page } from '@playwright/test';

import { configure, expectEnd, expectPosts, expectServer, FLAKY, FLAKY_RUNNING, pathOf, QUICK, signInTo } from '../support/chaos.js';
import { expect, Retake, test, type Batch } from '../support/retake.js';
import type { Sandbox } from '../support/sandbox.js';

/** The POST of the next rerun has no answer, and lands after a while; or, without `ms`, never. */
async function loseRerun(sandbox: Sandbox, batch: Batch, ms?: number): Promise<void> {
  const how = ms === undefined ? { fault: 'drop' } : { fault: 'late_apply_ms', ms };
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, ...how });
}

/** Reruns by hand what has failed. */
async function press(retake: Retake): Promise<void> {
  await retake.hook('select-failed').click();
  await retake.hook('rerun-selected').click();
  await retake.hook('confirm').click();
}

/** Starts to supervise, once that is not refused any more. */
async function startInTime(retake: Retake): Promise<void> {
  await expect(async () => {
    if (await retake.hook('supervise-start').isVisible()) await retake.hook('supervise-start').click({ timeout: 1_000 });
    await expect(retake.hook('supervise-stop').or(retake.hook('verdict'))).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 60_000 });
}

/** Changes what is stored of the journals of a kind, as damage or another build would; gives their lines. */
async function stored(page: Page, kind: 'rerun:' | 's-', change: 'none' | 'last line' | 'newer form' = 'none'): Promise<string> {
  return page.evaluate(
    async ([kind, change]) => {
      const done = async <T>(asked: IDBRequest<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          asked.onsuccess = () => resolve(asked.result);
          asked.onerror = () => reject(asked.error ?? new Error('refused'));
        });
      const database = await done(indexedDB.open('retake'));
      const transaction = database.transaction(['journal', 'writers'], 'readwrite');
      const [lines, writers] = [transaction.objectStore('journal'), transaction.objectStore('writers')];
      const all = IDBKeyRange.bound(kind, `${kind}\uffff`);
      if (change === 'last line') {
        const last = (await done(lines.getAllKeys(all))).at(-1);
        if (last !== undefined) await done(lines.put('{"damaged":', last));
      }
      if (change === 'newer form') {
        for (const key of await done(writers.getAllKeys(all))) {
          const writer = JSON.parse(String(await done(writers.get(key)))) as object;
          await done(writers.put(JSON.stringify({ ...writer, form: 999 }), key));
        }
      }
      const found = (await done(lines.getAll(all))).join('\n');
      database.close();
      return found;
    },
    [kind, change] as const,
  );
}

test.describe('a rerun by hand whose answer is lost', () => {
  test('is waited for before the batch is supervised, which says until when', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '15s' });
    const batch = await sandbox.batch(FLAKY);
    await loseRerun(sandbox, batch, 8_000);
    await retake.openBatch(batch);
    await press(retake);
    await expect(retake.hook('rerun-waiting')).toContainText('Nobody knows yet');
    await retake.supervise(QUICK);
    const panel = page.locator('.supervise');
    await expect(panel).toContainText(/has no answer yet; ReSim may still apply it, until \d\d:\d\d:\d\d/);
    await expect(panel).toContainText('Start again after that, so that no test runs twice.');
    await expect(retake.hook('supervise-stop')).toHaveCount(0);
    await expectPosts(sandbox, batch, 1);
    await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 30_000 }).toBe(2);
    await startInTime(retake);
    await expectEnd(retake, sandbox, batch, { posts: 1, verdict: [0, 'clean-pass'], says: [] });
  });

  test('is waited for by a supervision that goes on, which sends its own after it', async ({ retake, sandbox, page }) => {
    test.setTimeout(120_000);
    await configure(page, { settle_window: '12s' });
    const batch = await sandbox.batch(FLAKY_RUNNING);
    await loseRerun(sandbox, batch);
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await retake.hook('job-select').first().check();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText('Nobody knows yet');
    await sandbox.act(batch, 'finish');
    await expect(retake.hook('decision-log')).toContainText(/has no answer yet; ReSim may still apply it, until \d\d:\d\d:\d\d/);
    await expectPosts(sandbox, batch, 1);
    await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 60_000 }).toBe(2);
    await sandbox.act(batch, 'finish');
    await expectEnd(retake, sandbox, batch, { posts: 2, applied: 1, verdict: [0, 'pass-after-rerun'], says: ['accepted as run 2'] });
    const [lost, sent] = await sandbox.reruns(batch);
    expect((sent?.at_ms ?? 0) - (lost?.at_ms ?? 0), 'the settle window is waited out').toBeGreaterThan(12_000);
  });

  test('holds the next one although a run is seen meanwhile, which may be somebody else’s; across a reload too', async ({ retake, sandbox, page }) => {
    test.setTimeout(120_000);
    await configure(page, { settle_window: '20s' });
    const batch = await sandbox.batch(FLAKY);
    await loseRerun(sandbox, batch, 12_000);
    await signInTo(retake, batch);
    await press(retake);
    await expect(retake.hook('rerun-waiting')).toContainText('Nobody knows yet');
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
    const held = async (): Promise<void> => {
      await expect(retake.hook('rerun-steps')).toContainText('Run 2 began');
      await expect(retake.hook('rerun-steps')).not.toContainText('Accepted');
      await expect(retake.hook('rerun-waiting')).toContainText(/A run began.* not known for \d+ s yet/);
      await expect(retake.hook('rerun-batch-metrics')).toHaveAttribute('aria-disabled', 'true');
      await expect(retake.hook('rerun-dismiss')).toHaveCount(0);
    };
    await held();
    await page.reload();
    await held();
    await retake.supervise(QUICK);
    await expect(page.locator('.supervise')).toContainText('ReSim may still apply it, until');
    await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 30_000 }).toBe(3);
    await held();
    await expect(retake.hook('rerun-batch-metrics')).not.toHaveAttribute('aria-disabled', 'true', { timeout: 40_000 });
    await expectServer(sandbox, batch, { posts: 1, applied: 2 });
    await expect.poll(async () => stored(page, 'rerun:')).toBe('');
  });

  test('and that a newer build wrote down: nothing of it is taken up, sent or removed', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await signInTo(retake, batch);
    await press(retake);
    await expect.poll(async () => stored(page, 'rerun:')).toContain('Held');
    const lines = await stored(page, 'rerun:', 'newer form');
    await page.reload();
    await expect(retake.hook('row-count')).toHaveText(/ of [\d,]+ tests?$/);
    await expect(retake.hook('rerun-batch-metrics')).not.toHaveAttribute('aria-disabled', 'true');
    await press(retake);
    await expect(retake.hook('rerun-refused')).toContainText(
      /has a rerun of this batch that this page cannot read; ReSim may still apply it, until \d\d:\d\d:\d\d/,
    );
    await expect(retake.hook('call-off'), 'it is not taken up').toHaveCount(0);
    expect(await stored(page, 'rerun:')).toBe(lines);
    await expectPosts(sandbox, batch, 1);
  });
});

test.describe('a supervision whose rerun has no answer', () => {
  test('holds a press, which says until when; also once it is stopped', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '20s' });
    const batch = await sandbox.batch(FLAKY);
    await loseRerun(sandbox, batch, 12_000);
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('nobody knows yet whether the rerun was applied');
    const refused = retake.hook('rerun-refused');
    await press(retake);
    await expect(refused).toContainText('Nothing was sent: Rerun 2 tests.');
    await expect(refused).toContainText(/has no answer yet; ReSim may still apply it, until \d\d:\d\d:\d\d/);
    await retake.hook('supervise-stop').click();
    await expect(retake.hook('may-still-land')).toBeVisible();
    await retake.hook('rerun-dismiss').click();
    await press(retake);
    await expect(refused).toContainText('ReSim may still apply it, until');
    await expectPosts(sandbox, batch, 1);
    await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 30_000 }).toBe(2);
    await expectServer(sandbox, batch, { posts: 1 });
  });

  test('and whose journal is damaged since: it holds the next one, and is not forgotten before', async ({ retake, sandbox, page }) => {
    test.setTimeout(120_000);
    await configure(page, { settle_window: '20s' });
    const batch = await sandbox.batch(FLAKY);
    await loseRerun(sandbox, batch, 12_000);
    await signInTo(retake, batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('nobody knows yet whether the rerun was applied');
    await page.goto('/favicon.svg');
    await stored(page, 's-', 'last line');
    await page.goto(pathOf(batch));
    await expect(retake.hook('supervise-start')).toBeVisible();
    await retake.supervise(QUICK);
    await expect(page.locator('.supervise')).toContainText(/this page cannot read; ReSim may still apply it, until \d\d:\d\d:\d\d/);
    await press(retake);
    await expect(retake.hook('rerun-refused')).toContainText('this page cannot read; ReSim may still apply it, until');
    await page.getByRole('link', { name: 'Supervisions' }).first().click();
    const shelved = retake.hook('supervision-read-only');
    await shelved.getByRole('button', { name: 'Forget…' }).click();
    await retake.hook('forget-confirm').click();
    await expect(page.locator('#alert')).toContainText(/It is kept until \d\d:\d\d:\d\d/);
    expect(await stored(page, 's-')).toContain('Intent');
    await expectPosts(sandbox, batch, 1);
    await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 30_000 }).toBe(2);
    await page.goBack();
    await startInTime(retake);
    await expectEnd(retake, sandbox, batch, { posts: 1, verdict: [0, 'clean-pass'], says: [] });
  });

  test('and that a newer build wrote down: not started beside it, and not forgotten', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '2s' });
    const batch = await sandbox.batch(FLAKY);
    await loseRerun(sandbox, batch, 6_000);
    await signInTo(retake, batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('nobody knows yet whether the rerun was applied');
    await page.goto('/favicon.svg');
    await stored(page, 's-', 'newer form');
    const lines = await stored(page, 's-');
    await page.goto(pathOf(batch));
    await expect(retake.hook('supervise-start')).toBeVisible();
    // The window of a POST is over; what that build makes of the batch is not.
    await page.waitForTimeout(8_000);
    await retake.supervise(QUICK);
    await expect(page.locator('.supervise')).toContainText('A newer Retake supervises this batch in this browser. Reload the page');
    await expect(retake.hook('supervise-stop')).toHaveCount(0);
    await page.getByRole('link', { name: 'Supervisions' }).first().click();
    await expect(retake.hook('supervision-read-only')).toContainText('A newer Retake wrote this journal');
    await expect(page.getByRole('button', { name: 'Forget…' })).toHaveCount(0);
    expect(await stored(page, 's-')).toBe(lines);
    await expectPosts(sandbox, batch, 1);
  });
});
