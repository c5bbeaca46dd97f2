import { journalled } from '../support/journalled.js';
import { Retake, expect, test } from '../support/retake.js';

test.describe('select across filters and rerun', () => {
  test('exactly the ticked tests are sent, after a confirmation that names them', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 40, outcomes: { error: 3, blocker: 2 } });
    await retake.openBatch(batch);
    await retake.chip('ERROR').click();
    await retake.hook('select-all').click();
    await retake.chip('ERROR').click();
    await retake.chip('BLOCKER').click();
    await retake.hook('job-select').first().click();
    await expect(retake.hook('selected-count')).toHaveText('4');
    const ids = new Set<string>();
    await retake.chip('BLOCKER').click();
    for (const row of await retake.rows.all()) {
      if ((await row.getAttribute('aria-selected')) === 'true') ids.add((await row.getAttribute('data-job-id')) ?? '');
    }
    expect(ids.size).toBe(4);
    await retake.hook('rerun-selected').click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('Rerun 4 of 40 tests?');
    await expect(dialog).toContainText('The other 36 tests keep their results.');
    await expect(dialog).toContainText("Today's definitions");
    await expect(dialog).toContainText(batch.name);
    await expect(retake.hook('confirm')).toBeFocused();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    await expect(retake.hook('rerun-steps').getByText('Seen running')).toHaveAttribute('data-state', 'done');
    const sent = await sandbox.reruns(batch);
    expect(sent).toHaveLength(1);
    expect(new Set(sent[0]?.body?.jobIDs)).toEqual(ids);
    expect(sent[0]?.body?.syncBatch).toBe(false);
    expect(sent[0]?.body?.rerunMetricsOnly).toBeUndefined();
    await expect(retake.hook('run-counter')).toHaveText('run 2');
  });

  test('a shift-click ticks a range; quick selections mean the whole batch', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 300, outcomes: { error: 30, warning: 5 } });
    await retake.openBatch(batch);
    await retake.hook('job-select').nth(2).click();
    await retake.hook('job-select').nth(9).click({ modifiers: ['Shift'] });
    await expect(retake.hook('selected-count')).toHaveText('8');
    await retake.hook('select-failed').click();
    await expect(retake.hook('selected-count')).toHaveText('35');
    await retake.hook('clear-selection').click();
    await retake.hook('select-all').click();
    await expect(retake.hook('selected-count')).toHaveText('300');
  });

  test('a double click sends once', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').dblclick();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('409 is waited out in words, looked into, and can be called off', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText(/The platform is cleaning up, next try in \d+ s/);
    await expect(retake.hook('rerun-waiting')).toContainText('Existing batch run is cleaning up');
    await retake.hook('call-off').click();
    await expect(retake.hook('rerun-steps')).toContainText('Called off');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
    await expect(retake.hook('selected-count')).toHaveText('1');
  });

  test('a press on a picture that is no longer true sends nothing, and says so', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.openBatch(batch);
    await retake.hook('pause').click();
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
    await expect(retake.hook('freshness')).toContainText(/1\d s ago/, { timeout: 20_000 });
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-refused')).toContainText('Nothing was sent: Rerun 1 test.');
    await expect(retake.hook('rerun-refused')).toContainText('The batch has changed since this was decided');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
    await expect(page.getByTestId('run-counter')).toHaveText('run 2');
  });

  test('a yes is about the run that was asked about: one that began since then holds the rerun back', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { flaky: [{ count: 2, fails_runs: 1 }] }, duration_ms: [100, 200] });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    const failing = await sandbox.failing(batch);
    await retake.hook('refresh').click();
    await expect(retake.hook('freshness')).toContainText('just now');
    await retake.hook('rerun-selected').click();
    await expect(page.getByRole('dialog')).toContainText('Rerun 2 of 12 tests?');
    // Somebody else was quicker, and their run is over and shown behind the question, which
    // is still so young that nothing else would be looked at before the POST.
    await sandbox.act(batch, 'rerun', { jobIDs: failing });
    await expect.poll(async () => (await sandbox.state(batch)).status).toBe('SUCCEEDED');
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await expect(retake.hook('run-counter')).toHaveText('run 2');
    await expect(retake.chip('PASSED')).toHaveAttribute('data-count', '12');
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-refused')).toContainText('Nothing was sent: Rerun 2 tests.');
    await expect(retake.hook('rerun-refused')).toContainText('The batch has changed since this was decided');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
    await expect(retake.hook('selected-count')).toHaveText('2');
  });

  test('a picture whose answer took long is as old as its question, and looked at again before anything is sent', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.openBatch(batch);
    const asked = page.waitForRequest((it) => it.url().endsWith(`/batches/${batch.batchID}`));
    await page.route(new RegExp(`/batches/${batch.batchID}$`), async (route) => {
      const response = await route.fetch();
      await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
      await new Promise((done) => setTimeout(done, 12_000));
      await route.fulfill({ response });
    }, { times: 1 });
    await retake.hook('refresh').click();
    await asked;
    await retake.hook('pause').click();
    await expect(retake.hook('freshness')).toContainText(/1[2-9] s ago/, { timeout: 14_000 });
    await page.waitForTimeout(500);
    await expect(retake.hook('freshness'), 'the answer is here, and makes it no younger').toContainText(/1[2-9] s ago/);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-refused')).toContainText('The batch has changed since this was decided');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
  });

  test('a run that began behind a 409 is not called one’s own', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, duration_ms: [200, 300] });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await page.route('**/rerun', async (route) => {
      await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
      await route.continue();
    });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Run 2 began');
    await expect(retake.hook('rerun-steps')).not.toContainText('Accepted');
    await expect(retake.hook('rerun-waiting')).toContainText("may be somebody else's");
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('tests that were ticked while the batch ran are rerun once it has finished', async ({ retake, sandbox }) => {
    test.setTimeout(90_000);
    const batch = await sandbox.batch({
      tests: 12,
      start: 'running',
      outcomes: { error: 1 },
      duration_ms: [6_000, 8_000],
    });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await retake.openBatch(batch);
    await retake.rows.first().getByTestId('job-select').check();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText(/The batch still runs, next try in \d+ s/);
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2', { timeout: 60_000 });
    expect((await sandbox.reruns(batch)).map((it) => it.status)).toEqual([409, 200]);
  });

  test('what another build has left in the journal is waited for, not deleted', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('call-off')).toBeVisible();
    const lines = async (change: 'read' | 'spoil'): Promise<string[]> =>
      page.evaluate(async (change) => {
        const database = await new Promise<IDBDatabase>((resolve) => {
          const asked = indexedDB.open('retake');
          asked.onsuccess = () => resolve(asked.result);
        });
        const store = database.transaction('journal', 'readwrite').objectStore('journal');
        const keys = await new Promise<string[]>((resolve) => {
          const asked = store.getAllKeys();
          asked.onsuccess = () => resolve(asked.result.map(String).filter((key) => key.startsWith('rerun:')));
        });
        if (change === 'spoil') for (const key of keys) store.put('{"OfANewerBuild":{}}', key);
        database.close();
        return keys;
      }, change);
    expect(await lines('spoil')).not.toHaveLength(0);
    const before = await lines('read');
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-refused')).toContainText('has a rerun of this batch that this page cannot read');
    expect(await lines('read'), 'nothing is removed').toEqual(before);
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('no key acts behind an open question', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await page.getByRole('dialog').getByText('Not redone').click();
    await page.keyboard.press('a');
    await page.keyboard.press('m');
    await expect(page.getByRole('dialog')).toContainText('Rerun 1 test');
    await expect(retake.hook('selected-count')).toHaveText('1');
  });

  test('a rerun that waits goes on behind another page', async ({ retake, sandbox, page }) => {
    test.setTimeout(90_000);
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, duration_ms: [3_000, 4_000] });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText('The platform is cleaning up');
    await expect(retake.hook('reruns-behind'), 'it is shown on its page').toHaveCount(0);
    await page.getByRole('link', { name: 'Supervisions' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Supervisions');
    await expect(retake.hook('reruns-behind')).toHaveText('1 rerun on its way');
    const row = page.locator(`[data-testid="own-rerun"][data-batch-id="${batch.batchID}"]`);
    await expect(row).toContainText('Rerun 1 test');
    await expect(row).toContainText(/The platform is cleaning up, next try in \d+ s/);
    // Back meanwhile: the same rerun, not a new life of it.
    await page.goBack();
    await expect(retake.hook('rerun-waiting')).toContainText('The platform is cleaning up');
    await page.goForward();
    await expect.poll(async () => (await sandbox.reruns(batch)).map((it) => it.status), { timeout: 60_000 }).toEqual([409, 200]);
    await page.goBack();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
  });

  test('a rerun that waits goes on after a reload of whatever page', async ({ retake, sandbox, page }) => {
    test.setTimeout(90_000);
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, duration_ms: [3_000, 4_000] });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText('The platform is cleaning up');
    await page.goto('/supervisions');
    const row = page.locator(`[data-testid="own-rerun"][data-batch-id="${batch.batchID}"]`);
    await expect(row).toContainText(batch.name);
    await expect(row).toContainText(/The platform is cleaning up, next try in \d+ s/);
    await expect.poll(async () => (await sandbox.reruns(batch)).map((it) => it.status), { timeout: 60_000 }).toEqual([409, 200]);
    await expect(row).toHaveCount(0);
  });

  test('a rerun that is refused behind another page is said there', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await page.route('**/rerun', async (route) => {
      await new Promise((done) => setTimeout(done, 2_000));
      await route.continue();
    });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '403', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await page.getByRole('link', { name: 'Supervisions' }).click();
    await expect(page.getByRole('region', { name: 'Messages' })).toContainText('ReSim refused: Rerun 1 test');
    await page.goBack();
    await expect(retake.hook('rerun-refused')).toContainText('missing privilege batches:write');
  });

  test('a rerun whose token is refused goes on by itself after the sign-in', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, duration_ms: [3_000, 4_000] });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '401', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(page).toHaveURL(/sign-in/);
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect((await sandbox.reruns(batch)).map((it) => it.status)).toEqual([401, 200]);
  });

  test('what was accepted and is not seen running holds across a reload, and is nothing on its way', async ({ retake, sandbox, page, context }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    // Accepted, and nothing comes of it.
    await page.route('**/rerun', (route) => route.fulfill({ json: { batchID: batch.batchID, runCounter: 2 } }));
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    const pressed = await retake.hook('rerun-steps').innerText();
    await expect.poll(async () => journalled(page)).toContain('Accepted');
    await page.reload();
    await expect(retake.hook('rerun-steps')).toHaveText(pressed, { useInnerText: true });
    await expect(retake.hook('rerun-waiting')).toContainText('not seen running for');
    await expect(retake.hook('rerun-selected')).toHaveAttribute('aria-disabled', 'true');
    // On another page it is neither on its way nor asked about.
    await page.goto('/supervisions');
    await expect(page.getByRole('heading', { name: 'Nothing is supervised' })).toBeVisible();
    await expect(retake.hook('reruns-behind')).toHaveCount(0);
    // Another tab shows it too, until somebody there puts it away.
    const other = await context.newPage();
    await new Retake(other).signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(other.getByTestId('rerun-steps')).toContainText('Accepted as run 2');
    await other.getByTestId('rerun-dismiss').click();
    await expect.poll(async () => journalled(page)).toBe('');
    await other.reload();
    await expect(other.getByTestId('row-count')).toHaveText(/12 tests/);
    await expect(other.getByTestId('rerun-steps')).toHaveCount(0);
    expect(await sandbox.reruns(batch)).toHaveLength(0);
  });

  test('what was accepted is forgotten once it is seen running after a reload', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, duration_ms: [500, 800] });
    await page.route('**/rerun', (route) => route.fulfill({ json: { batchID: batch.batchID, runCounter: 2 } }));
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect.poll(async () => journalled(page)).toContain('Accepted');
    await page.reload();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
    await expect(retake.hook('rerun-steps').getByText('Seen running')).toHaveAttribute('data-state', 'done', { timeout: 20_000 });
    await expect.poll(async () => journalled(page)).toBe('');
  });

  test('why nobody knows whether it was applied is said again after a reload', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await page.route('**/rerun', (route) => route.fulfill({ status: 502, body: 'upstream took too long' }));
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText('Nobody knows yet');
    const why = (await retake.hook('rerun-waiting').innerText()).replace(/^.*Why: /, '');
    expect(why).toContain('502');
    await expect.poll(async () => journalled(page)).toContain('InDoubt');
    await page.reload();
    await expect(retake.hook('rerun-waiting')).toContainText(`Why: ${why}`);
  });

  test('what gives way to an earlier rerun says so in the bar, as long as that one is open', async ({ retake, sandbox, page, context }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    // A second tab on the batch, from before anything was pressed.
    const other = await context.newPage();
    await new Retake(other).signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(other.getByTestId('row-count')).toHaveText(/12 tests/);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect.poll(async () => journalled(page)).toContain('Held');
    await page.close();
    await other.getByTestId('rerun-batch-metrics').click();
    await other.getByTestId('confirm').click();
    const said = other.getByTestId('rerun-gave-way');
    await expect(said).toContainText('Not sent: Rerun batch metrics only.');
    await expect(other.getByTestId('rerun-steps')).toContainText('Rerun 2 tests');
    await other.waitForTimeout(6_000);
    await expect(said, 'longer than a message stays').toBeVisible();
    await other.getByTestId('call-off').click();
    await expect(said).toHaveCount(0);
  });

  test('a rerun that was accepted holds a tab that was open before', async ({ retake, sandbox, page, context }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    // Accepted, and nothing comes of it.
    await context.route('**/rerun', (route) => route.fulfill({ json: { batchID: batch.batchID, runCounter: 2 } }));
    let posts = 0;
    context.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/rerun')) posts += 1;
    });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    const other = await context.newPage();
    await new Retake(other).signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(other.getByTestId('row-count')).toHaveText(/12 tests/);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    await expect.poll(async () => journalled(page)).toContain('Accepted');
    const before = await journalled(page);
    await other.getByTestId('rerun-batch-metrics').click();
    await other.getByTestId('confirm').click();
    const said = other.getByTestId('rerun-gave-way');
    await expect(said).toContainText('Not sent: Rerun batch metrics only.');
    await expect(said).toContainText('was accepted and has not been seen running yet');
    await expect(other.getByTestId('rerun-steps')).toContainText('Accepted as run 2');
    expect(await journalled(page), 'its lines stay').toBe(before);
    expect(posts, 'nothing was sent beside it').toBe(1);
    // Once its run shows, both tabs may go on.
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
    await expect(said).toHaveCount(0, { timeout: 20_000 });
    await expect.poll(async () => journalled(page)).toBe('');
  });

  test('what could not be read when the page opened is read again at the press', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await page.route('**/rerun', (route) => route.fulfill({ json: { batchID: batch.batchID, runCounter: 2 } }));
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect.poll(async () => journalled(page)).toContain('Accepted');
    await page.addInitScript(() => {
      const { getAll } = IDBObjectStore.prototype;
      document.addEventListener('readable', () => {
        IDBObjectStore.prototype.getAll = getAll;
      });
      IDBObjectStore.prototype.getAll = () => {
        throw new DOMException('not now', 'UnknownError');
      };
    });
    await page.reload();
    await expect(retake.hook('row-count')).toHaveText(/12 tests/);
    await expect(retake.hook('rerun-batch-metrics')).not.toHaveAttribute('aria-disabled', 'true');
    await expect(retake.hook('rerun-steps'), 'nothing was found').toHaveCount(0);
    await page.evaluate(() => document.dispatchEvent(new Event('readable')));
    await retake.hook('rerun-batch-metrics').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-gave-way')).toContainText('has not been seen running yet');
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect(await journalled(page)).toContain('Accepted');
  });

  test('what another life has taken over is not removed when it is called off here', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect.poll(async () => journalled(page)).toContain('Held');
    const before = await journalled(page);
    await page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const asked = indexedDB.open('retake');
        asked.onsuccess = () => resolve(asked.result);
      });
      const store = database.transaction('writers', 'readwrite').objectStore('writers');
      await new Promise<void>((resolve) => {
        const asked = store.getAllKeys(IDBKeyRange.bound('rerun:', 'rerun;'));
        asked.onsuccess = () => {
          for (const key of asked.result) store.put('{"epoch":9,"life":1}', key);
        };
        store.transaction.oncomplete = () => resolve();
      });
      database.close();
    });
    await retake.hook('call-off').click();
    await expect(retake.hook('rerun-steps')).toContainText('Called off');
    // The lock goes once it is put away.
    const held = async (): Promise<number> =>
      page.evaluate(async () => {
        const { held } = await navigator.locks.query();
        return (held ?? []).filter((it) => it.name?.startsWith('retake-rerun-')).length;
      });
    await expect.poll(held).toBe(0);
    expect(await journalled(page)).toBe(before);
  });

  test('a rerun that is still being put away is named as what holds the next one', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect.poll(async () => journalled(page)).toContain('Held');
    // The browser takes its time: it never answers.
    await page.evaluate(() => {
      IDBObjectStore.prototype.delete = () => ({}) as IDBRequest<undefined>;
    });
    await retake.hook('call-off').click();
    await expect(retake.hook('rerun-steps')).toContainText('Called off');
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-refused')).toContainText('the last rerun is still being put away', { ignoreCase: true });
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('what was called off stays called off, whether its lines can be removed or not', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect.poll(async () => journalled(page)).toContain('Held');
    await page.evaluate(() => {
      IDBObjectStore.prototype.delete = () => {
        throw new DOMException('no room', 'QuotaExceededError');
      };
    });
    await retake.hook('call-off').click();
    await expect(retake.hook('rerun-steps')).toContainText('Called off');
    await expect.poll(async () => journalled(page)).toContain('Over');
    expect(await journalled(page), 'nothing was removed').toContain('Intent');
    await page.reload();
    await expect(retake.hook('row-count')).toHaveText(/12 tests/);
    await retake.hook('select-failed').click();
    await expect(retake.hook('rerun-selected')).not.toHaveAttribute('aria-disabled', 'true');
    await expect(retake.hook('rerun-steps')).toHaveCount(0);
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('409 on a batch that runs says that it runs', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 9 });
    await retake.openBatch(batch);
    await retake.hook('job-select').first().click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText('The batch still runs, next try in');
    await retake.hook('call-off').click();
    await expect(retake.hook('rerun-steps')).toHaveText(/Sent.*Called off$/);
  });

  test('what this tab saw of a run is kept when the test runs again', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({
      tests: 12,
      duration_ms: [500, 800],
      outcomes: { flaky: [{ count: 1, fails_runs: 1, as: 'blocker' }] },
    });
    await retake.openBatch(batch);
    const row = retake.rows.first();
    await expect(row).toHaveAttribute('data-status', 'BLOCKER');
    await expect(row.locator('.row__error')).toContainText('FAIL_BLOCK');
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(row).toHaveAttribute('data-status', 'PASSED', { timeout: 30_000 });
    await expect(row.locator('.runs')).toHaveAttribute('aria-label', 'run 1: blocker, as this tab saw it; run 2: passed');
  });

  test('a refusal shows the server’s words and keeps the selection', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '403', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-refused')).toContainText('missing privilege batches:write');
    await expect(retake.hook('selected-count')).toHaveText('2');
  });

  test('a lost answer is resolved by looking, never by sending again', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 }, duration_ms: [8_000, 9_000] });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '502_after_apply', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('syncing with the test suite adds its new tests', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, suite_adds: 3, duration_ms: [1_000, 1_200] });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.field('sync-with-test-suite').check();
    await retake.hook('rerun-selected').click();
    await expect(page.getByRole('dialog')).toContainText('latest revision');
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect((await sandbox.reruns(batch))[0]?.body?.syncBatch).toBe(true);
    await expect(retake.hook('row-count')).toHaveText('15 of 15 tests');
  });

  test('cancelling asks first, then says what happens', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [2_000, 3_000], parallel: 2 });
    await retake.openBatch(batch);
    await retake.hook('cancel-batch').click();
    await expect(page.getByRole('dialog')).toContainText('This cannot be undone');
    await expect(retake.hook('dismiss')).toBeFocused();
    await retake.hook('confirm').click();
    await expect(retake.hook('batch-status')).toHaveText('CANCELLED', { timeout: 30_000 });
    await expect(retake.hook('cancel-batch')).toBeDisabled();
    await retake.hook('cancel-batch').click({ force: true });
    await expect(page.getByRole('region', { name: 'Messages' })).toContainText('The batch has finished');
    await expect(retake.hook('cancel-batch')).toHaveAccessibleDescription(/has finished/);
  });

  test('a yes to cancelling is about the run that was asked about, and what became of it is not said of the next', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    const messages = page.getByRole('region', { name: 'Messages' });
    await retake.openBatch(batch);
    await retake.hook('cancel-batch').click();
    await sandbox.act(batch, 'finish');
    await expect(retake.hook('batch-status')).toHaveText('SUCCEEDED');
    await retake.hook('confirm').click();
    await expect(messages).toContainText('Nothing was cancelled: the batch finished while you were asked.');
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs });
    await expect(retake.hook('run-counter')).toHaveText('run 2');
    await expect(retake.hook('cancel-batch')).toBeEnabled();
    await retake.hook('cancel-batch').click();
    await sandbox.act(batch, 'finish');
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs });
    await expect(retake.hook('run-counter')).toHaveText('run 3');
    await retake.hook('confirm').click();
    await expect(messages).toContainText('Nothing was cancelled: another run of the batch has begun');
    expect(await sandbox.requests(`${batch.batchID}/:cancel`, 'POST')).toHaveLength(0);
    // Sent, and then run 3 ended before anything was cancelled.
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/:cancel`, fault: '503', times: 1 });
    await retake.hook('cancel-batch').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('cancel-refused')).toBeVisible();
    await sandbox.act(batch, 'finish');
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs });
    await expect(retake.hook('run-counter')).toHaveText('run 4');
    await expect(retake.hook('cancel-refused')).toHaveCount(0);
    await expect(retake.hook('cancel-batch')).toBeEnabled();
  });

  test('a cancel that is refused stays on screen, and one without an answer is not called refused', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await sandbox.fault({ method: 'POST', path_contains: batch.batchID, fault: '403', times: 1 });
    await retake.openBatch(batch);
    await retake.hook('cancel-batch').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('cancel-refused')).toContainText('The batch was not cancelled.');
    await expect(retake.hook('cancel-refused')).toContainText('missing privilege');
    await sandbox.fault({ method: 'POST', path_contains: batch.batchID, fault: '503', times: 1 });
    await retake.hook('cancel-batch').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('cancel-refused')).toContainText('It is not known whether the batch was cancelled');
  });
});
