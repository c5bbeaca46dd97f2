import type { Page } from '@playwright/test';

import { expect, Retake, test, type Batch } from '../support/retake.js';
import type { Sandbox } from '../support/sandbox.js';

const QUICK = { 'poll-every': '1s' };
const RUNNING = { tests: 12, start: 'running', hang: true } as const;

/** A token that names an account; the sandbox takes any. */
function tokenOf(subject: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const expires = Math.floor(Date.now() / 1000) + 3_600;
  return `${part({ alg: 'none' })}.${part({ iss: 'https://sandbox', sub: subject, exp: expires })}.x`;
}

async function open(page: Page, batch: Batch, token?: string): Promise<Retake> {
  const retake = new Retake(page);
  await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`, token);
  await expect(retake.hook('row-count')).toHaveText(/ of [\d,]+ tests?$/);
  return retake;
}

/** Ends the first run, and the rerun that follows it. */
async function finishTwice(sandbox: Sandbox, batch: Batch): Promise<void> {
  await sandbox.act(batch, 'finish');
  await expect.poll(async () => (await sandbox.reruns(batch)).length).toBe(1);
  await sandbox.act(batch, 'finish');
}

const acting = (retake: Retake): ReturnType<Page['locator']> => retake.page.locator('.supervise__now');

test.describe('one batch in several tabs', () => {
  test('the second tab mirrors the first and takes over when it closes', async ({ retake, sandbox, context }) => {
    const batch = await sandbox.batch({ ...RUNNING, outcomes: { flaky: [{ count: 2, fails_runs: 1 }] } });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await expect(acting(retake)).toHaveAttribute('data-acting', 'here');

    const second = await open(await context.newPage(), batch);
    await expect(acting(second)).toHaveAttribute('data-acting', 'other-tab');
    await expect(second.hook('supervise-elsewhere')).toContainText('Another tab of this browser acts on this batch');
    await expect(second.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await expect(second.hook('supervise-stop')).toBeDisabled();

    await retake.page.close();
    await expect(acting(second)).toHaveAttribute('data-acting', 'here');
    await expect(second.hook('decision-log')).toContainText('taken up again');
    await expect(second.hook('supervise-elsewhere')).toHaveCount(0);
    await finishTwice(sandbox, batch);
    await second.verdict().toBe(0, 'pass-after-rerun');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('a verdict is shown also where another tab supervised again', async ({ retake, sandbox, context }) => {
    const batch = await sandbox.batch(RUNNING);
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await retake.hook('supervise-stop').click();
    await retake.page.getByRole('button', { name: 'Supervise again' }).click();
    await expect(retake.hook('supervise-start')).toBeVisible();
    const second = await open(await context.newPage(), batch);
    await second.page.getByRole('button', { name: 'Supervise again' }).click();
    await second.hook('supervise-start').click();
    await expect(acting(retake)).toHaveAttribute('data-acting', 'other-tab');
    await sandbox.act(batch, 'finish');
    await second.verdict().toBe(0, 'clean-pass');
    await retake.verdict().toBe(0, 'clean-pass');
  });

  test('a mirror shows pause, countdown and verdict as they happen', async ({ retake, sandbox, context }) => {
    const batch = await sandbox.batch(RUNNING);
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '20s' });
    const second = await open(await context.newPage(), batch);
    await expect(second.hook('supervise-doing')).toContainText(/next look in \d+ s/);
    await retake.page.locator('.supervise').getByRole('button', { name: 'Pause' }).click();
    await expect(second.hook('supervise-doing')).toContainText('Paused. Nothing happens until you resume.');
    await retake.page.locator('.supervise').getByRole('button', { name: 'Resume' }).click();
    await expect(second.hook('supervise-doing')).toContainText('Waiting until the batch is done');
    await sandbox.act(batch, 'finish');
    await retake.page.locator('.supervise').getByRole('button', { name: 'Look now' }).click();
    await retake.verdict().toBe(0, 'clean-pass');
    await second.verdict().toBe(0, 'clean-pass');
  });

  test('a person takes over, and the first tab mirrors from then on', async ({ retake, sandbox, context }) => {
    const batch = await sandbox.batch({ ...RUNNING, outcomes: { flaky: [{ count: 2, fails_runs: 1 }] } });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    const second = await open(await context.newPage(), batch);
    await expect(acting(second)).toHaveAttribute('data-acting', 'other-tab');
    await second.hook('supervise-take-over').click();
    await expect(acting(second)).toHaveAttribute('data-acting', 'here');
    await expect(acting(retake)).toHaveAttribute('data-acting', 'other-tab');
    await finishTwice(sandbox, batch);
    await second.verdict().toBe(0, 'pass-after-rerun');
    await retake.verdict().toBe(0, 'pass-after-rerun');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('two tabs that start together: one acts, the other says so', async ({ retake, sandbox, context }) => {
    test.slow();
    const batch = await sandbox.batch(RUNNING);
    await retake.openBatch(batch);
    const second = await open(await context.newPage(), batch);
    for (const tab of [retake, second]) await tab.field('poll-every').fill('1s');
    // Both presses are on their way before either tab can hear of the other.
    const press = (tab: Retake): Promise<void> =>
      tab.page.evaluate(() => document.querySelector<HTMLElement>('[data-testid=supervise-start]')?.click());
    await Promise.all([press(retake), press(second)]);
    const roles = async (): Promise<string[]> => {
      const all = await Promise.all(
        [retake, second].map(async (it) => (await acting(it).getAttribute('data-acting', { timeout: 1_000 }).catch(() => null)) ?? 'none'),
      );
      return all.sort();
    };
    await expect.poll(roles).toEqual(['here', 'other-tab']);
    await retake.page.goto('about:blank');
    await expect(acting(second)).toHaveAttribute('data-acting', 'here');
  });
});

test('a session that ends in the acting tab hands the batch to a tab that is signed in', async ({ retake, sandbox, context }) => {
  test.slow();
  const batch = await sandbox.batch(RUNNING);
  await retake.openBatch(batch);
  await retake.supervise({ 'poll-every': '2s' });
  await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
  const second = await open(await context.newPage(), batch);
  await expect(acting(second)).toHaveAttribute('data-acting', 'other-tab');
  // The API takes this tab's token no more.
  await retake.page.route('**/v1/**', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }));
  await expect(retake.hook('sign-in-why')).toContainText('no longer accepts this token');
  await expect(acting(second)).toHaveAttribute('data-acting', 'here');
  await sandbox.act(batch, 'finish');
  await second.verdict().toBe(0, 'clean-pass');
});

test('signing out in one tab signs out the others of the account, and no other account', async ({ retake, sandbox, context }) => {
  test.slow();
  const batch = await sandbox.batch({ ...RUNNING, outcomes: { flaky: [{ count: 2, fails_runs: 1 }] } });
  await open(retake.page, batch, tokenOf('alice'));
  const second = await open(await context.newPage(), batch, tokenOf('alice'));
  const bob = await open(await context.newPage(), batch, tokenOf('bob'));
  await second.supervise(QUICK);
  await expect(second.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');

  await expect(retake.page.getByRole('link', { name: /Supervisions, 1 running/ })).toBeVisible();
  await retake.page.getByRole('button', { name: 'Account' }).click();
  // What it stops is said first.
  await retake.hook('sign-out').click();
  await expect(retake.page.getByRole('dialog')).toContainText('Supervision of 1 batch: paused until you sign in again');
  await retake.hook('sign-out-confirm').click();
  await expect(second.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
  await expect(second.page).toHaveURL(/\/sign-in$/);
  await expect(retake.hook('sign-in-token')).toBeVisible();
  await expect(retake.hook('sign-in-why')).toHaveCount(0);
  await expect(bob.hook('row-count')).toBeVisible();
  // It is said once, and what was supervised goes on after the next sign-in.
  await second.page.reload();
  await expect(second.hook('sign-in-token')).toBeVisible();
  await expect(second.hook('sign-in-why')).toHaveCount(0);
  await open(second.page, batch, tokenOf('alice'));
  await expect(acting(second)).toHaveAttribute('data-acting', 'here');
  await finishTwice(sandbox, batch);
  await second.verdict().toBe(0, 'pass-after-rerun');
});

test('signing out in one tab also ends what was left of an expired session in another', async ({ retake, sandbox, context }) => {
  const batch = await sandbox.batch(RUNNING);
  await open(retake.page, batch, tokenOf('alice'));
  const second = await open(await context.newPage(), batch, tokenOf('alice'));
  await second.page.route('**/v1/**', (route) => route.fulfill({ status: 401, json: { message: 'expired' } }));
  await second.hook('refresh').click();
  await expect(second.hook('sign-in-why')).toContainText('no longer accepts this token');
  await retake.page.getByRole('button', { name: 'Account' }).click();
  await retake.hook('sign-out').click();
  await expect(second.hook('sign-in-why')).toContainText('You signed out in another tab of this browser.');
});

test('clearing this browser leaves no journal, whatever another tab was doing', async ({ retake, sandbox, context }) => {
  const batch = await sandbox.batch(RUNNING);
  await retake.openBatch(batch);
  const second = await open(await context.newPage(), batch);
  await second.supervise(QUICK);
  await expect(second.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
  await retake.page.getByRole('button', { name: 'Account' }).click();
  await retake.hook('sign-out-forget').click();
  await retake.hook('sign-out-confirm').click();
  await expect(second.hook('sign-in-why')).toContainText('another tab');
  await expect(retake.hook('sign-in-token')).toBeVisible();
  await expect(retake.hook('sign-in-why')).toHaveCount(0);
  const names = () => second.page.evaluate(async () => (await indexedDB.databases()).map((it) => it.name));
  expect(await names()).toEqual([]);
});

test('a journal that another tab keeps open while this browser is cleared is told of', async ({ retake, page, sandbox, context }) => {
  const batch = await sandbox.batch(RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
  const stubborn = await context.newPage();
  await stubborn.goto('/favicon.svg');
  // A page of this site that holds the database and does not let go, as a frozen tab does.
  await stubborn.evaluate(
    () =>
      new Promise<void>((done) => {
        const opening = indexedDB.open('retake');
        opening.onsuccess = () => {
          Object.assign(window, { held: opening.result });
          done();
        };
      }),
  );
  await page.getByRole('button', { name: 'Account' }).click();
  await retake.hook('sign-out-forget').click();
  await retake.hook('sign-out-confirm').click();
  await expect(retake.hook('sign-in-why')).toContainText('may still be in this browser');
});

test('another account sees a supervision of this browser, and cannot act on it', async ({ sandbox, context, page }) => {
  const batch = await sandbox.batch(RUNNING, `shared-${Date.now()}`);
  const alice = await open(page, batch, tokenOf('alice'));
  await alice.supervise(QUICK);
  await expect(alice.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');

  const bob = await open(await context.newPage(), batch, tokenOf('bob'));
  await bob.supervise(QUICK);
  await expect(bob.hook('supervise-refused')).toContainText('supervised in this browser by alice');
  await bob.page.getByRole('link', { name: /Supervisions/ }).click();
  const row = bob.hook('supervision-read-only').filter({ hasText: batch.name });
  await expect(row).toContainText('It belongs to alice');
  await expect(row.getByRole('button')).toHaveCount(0);

  await alice.hook('supervise-stop').click();
  await expect(alice.hook('decision-log')).toContainText('stopped by hand');
  await bob.page.goto('/');
  await bob.hook('sign-in-token').fill(tokenOf('bob'));
  await bob.hook('sign-in-token-submit').click();
  await bob.page.getByRole('link', { name: /Supervisions/ }).click();
  await row.getByRole('button', { name: 'Forget…' }).click();
  await row.getByTestId('forget-confirm').click();
  await expect(row).toHaveCount(0);
});
