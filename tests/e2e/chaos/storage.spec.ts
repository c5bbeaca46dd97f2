/** A browser that does not keep what it is told (scenarios 32 to 35). */
import { expectEnd, expectServer, expectWatching, finishRuns, FLAKY, FLAKY_RUNNING, pathOf, QUICK, signInTo } from '../support/chaos.js';
import { journalled } from '../support/journalled.js';
import { expect, Retake, test } from '../support/retake.js';

test('32 storage is denied: it watches and says so, and sends nothing', async ({ retake, sandbox, page }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError');
    };
  });
  const batch = await sandbox.batch(FLAKY);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  // No verdict: a rerun is due, and it must not be sent.
  await expectEnd(retake, sandbox, batch, {
    posts: 0,
    verdict: null,
    says: ['The journal cannot be written.', 'No rerun was sent, because it could not be written down first'],
  });
  await expect(retake.hook('verdict')).toHaveCount(0);
});

test('32 storage is denied and nothing fails: the verdict comes all the same', async ({ retake, sandbox, page }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError');
    };
  });
  const batch = await sandbox.batch({ tests: 12 });
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectEnd(retake, sandbox, batch, {
    posts: 0,
    verdict: [0, 'clean-pass'],
    says: ['The journal cannot be written.'],
  });
});

test('33 the storage is full when the intent is written: not sent; sent once there is room and the person resumes', async ({ retake, sandbox, page }) => {
  // As a full disk does it: the write is taken, then its transaction is aborted.
  // (The quota that the browser's own tools set does not reach IndexedDB here.)
  await page.addInitScript(() => {
    for (const name of ['add', 'put'] as const) {
      const write = IDBObjectStore.prototype[name];
      IDBObjectStore.prototype[name] = function (...words: [unknown, IDBValidKey?]): IDBRequest<IDBValidKey> {
        const asked = write.apply(this, words);
        if ((window as { full?: boolean }).full) this.transaction.abort();
        return asked;
      };
    }
  });
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await page.evaluate(() => Object.assign(window, { full: true }));
  await sandbox.act(batch, 'finish');
  await expect(page.locator('.supervise')).toContainText('No rerun was sent, because it could not be written down first');
  await expect(page.locator('.supervise')).toContainText('The journal cannot be written.');
  await expectServer(sandbox, batch, { posts: 0 });
  await page.evaluate(() => Object.assign(window, { full: false }));
  await page.locator('.supervise').getByRole('button', { name: 'Resume' }).click();
  await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 30_000 }).toBe(2);
  await sandbox.act(batch, 'finish');
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['the browser refuses to store the rerun before it is sent', 'accepted as run 2'],
  });
});

test('34 the connection to the database is lost: opened again, nothing is lost', async ({ retake, sandbox, page }) => {
  await page.addInitScript(() => {
    const open = IDBFactory.prototype.open;
    const all: IDBDatabase[] = [];
    Object.assign(window, { connections: all });
    IDBFactory.prototype.open = function (...words: [string, number?]): IDBOpenDBRequest {
      const asked = open.apply(this, words);
      asked.addEventListener('success', () => all.push(asked.result));
      return asked;
    };
  });
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  const lost = await page.evaluate(() => {
    const { connections } = window as unknown as { connections: IDBDatabase[] };
    for (const connection of connections) connection.close();
    return connections.length;
  });
  expect(lost).toBeGreaterThan(0);
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['intent written: 2 tests on top of run 1', 'accepted as run 2'],
  });
  await expect(page.locator('.supervise')).not.toContainText('The journal cannot be written');
});

test('35 a private window forgets at its end: said beforehand, and nothing goes on in secret', async ({ sandbox, browser, baseURL }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  const context = baseURL ? { baseURL } : {};
  const secret = await browser.newContext(context);
  const first = new Retake(await secret.newPage());
  await first.openBatch(batch);
  await first.supervise(QUICK);
  await expectWatching(first);
  await first.page.getByRole('link', { name: /Supervisions/ }).click();
  await expect(first.page.locator('main')).toContainText('a closed tab cannot supervise');
  await secret.close();
  await sandbox.act(batch, 'finish');
  const other = await browser.newContext(context);
  const second = new Retake(await other.newPage());
  await second.signIn('/supervisions');
  // No verdict: nobody supervises it any more.
  await expect(second.page.getByRole('heading', { name: 'Nothing is supervised' })).toBeVisible();
  await second.page.waitForTimeout(3_000);
  await expectServer(sandbox, batch, { posts: 0 });
  await second.page.goto(pathOf(batch));
  await other.close();
});

test('34 the journal cannot be read after a reload, for a while: said, and taken up once it can', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await signInTo(retake, batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await page.addInitScript(() => {
    const open = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (...words: [string, number?]): IDBOpenDBRequest {
      if (performance.now() < 9_000) throw new DOMException('Internal error opening backing store.', 'UnknownError');
      return open.apply(this, words);
    };
  });
  await page.goto('/supervisions');
  await expect(retake.hook('journal-unread')).toContainText('The journal of this browser cannot be read.');
  await expect(retake.hook('journal-unread')).toContainText('Internal error opening backing store');
  await expect(page.getByRole('heading', { name: 'Nothing is supervised' })).toHaveCount(0);
  await expect(retake.hook('supervision-row')).toHaveCount(1, { timeout: 40_000 });
  await expect(retake.hook('journal-unread')).toHaveCount(0);
  await retake.hook('supervision-row').getByRole('link').first().click();
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, { posts: 1, verdict: [0, 'pass-after-rerun'], says: ['taken up again', 'accepted as run 2'] });
});

test('34 a rerun by hand that waited for the platform goes on once the journal can be read again', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
  await signInTo(retake, batch);
  await retake.hook('select-failed').click();
  await retake.hook('rerun-selected').click();
  await retake.hook('confirm').click();
  await expect(retake.hook('call-off')).toBeVisible();
  // Before the answer is written down, a reload would not know of it.
  await expect.poll(async () => journalled(page)).toContain('Held');
  await page.addInitScript(() => {
    const open = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (...words: [string, number?]): IDBOpenDBRequest {
      if (performance.now() < 4_000) throw new DOMException('Internal error opening backing store.', 'UnknownError');
      return open.apply(this, words);
    };
  });
  // Not the batch's own page: nobody comes by to look what it left.
  await page.goto('/');
  await expect(retake.hook('project-row').first()).toBeVisible();
  await expect.poll(async () => (await sandbox.reruns(batch)).map((it) => it.status), { timeout: 60_000 }).toEqual([409, 200]);
  await expectServer(sandbox, batch, { posts: 2, applied: 1 });
});

test('34 the storage does not answer: said after a while, and what it did not take is written once it does', async ({ retake, sandbox, page }) => {
  await page.addInitScript(() => {
    const state = { silent: false };
    Object.assign(window, { storage: state });
    const add = IDBObjectStore.prototype.add;
    IDBObjectStore.prototype.add = function (...words: [unknown, IDBValidKey?]): IDBRequest<IDBValidKey> {
      if (!state.silent) return add.apply(this, words);
      // As on a disk that stands still: something keeps the transaction from its end.
      const store = this;
      const busy = (): void => {
        if (state.silent) store.count().addEventListener('success', busy);
      };
      busy();
      return add.apply(this, words);
    };
  });
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await page.evaluate(() => Object.assign((window as unknown as { storage: object }).storage, { silent: true }));
  await sandbox.act(batch, 'finish');
  await expect(page.locator('.supervise')).toContainText("The browser's storage does not answer.", { timeout: 40_000 });
  await expectServer(sandbox, batch, { posts: 0 });
  await page.evaluate(() => Object.assign((window as unknown as { storage: object }).storage, { silent: false }));
  await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 90_000 }).toBe(2);
  await sandbox.act(batch, 'finish');
  await expectEnd(retake, sandbox, batch, { posts: 1, verdict: [0, 'pass-after-rerun'], says: ['accepted as run 2'] });
  await expect(page.locator('.supervise')).not.toContainText('The journal cannot be written');
});

test('34 the journal cannot be read while another tab goes: said, and acted on once it can be, however late', async ({ retake, sandbox, context }) => {
  test.slow();
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await signInTo(retake, batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  const second = new Retake(await context.newPage());
  await signInTo(second, batch);
  await expect(second.page.locator('.supervise__now')).toHaveAttribute('data-acting', 'other-tab');
  await second.page.evaluate(() => {
    const begin = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...words: Parameters<typeof begin>): IDBTransaction {
      if ((window as { broken?: boolean }).broken) throw new DOMException('Internal error.', 'UnknownError');
      return begin.apply(this, words);
    };
    Object.assign(window, { broken: true });
  });
  await retake.page.close();
  const panel = second.page.locator('.supervise');
  await expect(panel).toContainText("Its journal can't be read at the moment", { timeout: 90_000 });
  await expectServer(sandbox, batch, { posts: 0 });
  await second.page.evaluate(() => Object.assign(window, { broken: false }));
  await finishRuns(sandbox, batch);
  await expectEnd(second, sandbox, batch, { posts: 1, verdict: [0, 'pass-after-rerun'], says: ['taken up again', 'accepted as run 2'] });
});
