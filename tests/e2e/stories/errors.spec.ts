import { expect, test } from '../support/retake.js';

/** Every project of the sandbox that is named for its fault, with what the page has to say. */
const PROJECTS: [string, RegExp][] = [
  ['fault: 403', /not allowed/],
  ['fault: 429 with Retry-After', /too many requests/],
  ['fault: 500', /the API failed/],
  ['fault: 503 with HTML', /web page, not the API's/],
  ['fault: 200 with HTML', /labelled text\/html/],
  ['fault: dropped connection', /no answer from the API/],
  ['fault: truncated JSON', /broken JSON/],
  ['fault: wrong content type', /labelled text\/plain/],
  ['fault: 204 without body', /HTTP 204/],
  ['fault: garbage', /broken JSON/],
  ['fault: huge answer', /longer than 10 MB/],
];

test.describe('every error path', () => {
  for (const [name, words] of PROJECTS) {
    test(`${name}: the page stays alive and says what failed`, async ({ retake, sandbox, page }) => {
      const project = await sandbox.project(name);
      await retake.signIn(`/projects/${project}`);
      const notice = page.locator('.notice[data-tone=error]').first();
      await expect(notice).toContainText('The list of batches could not be read', { timeout: 40_000 });
      await expect(notice).toContainText(words);
      await expect(notice.getByRole('button', { name: 'Try now' })).toBeVisible();
      await page.getByRole('link', { name: 'Retake, all projects' }).click();
      await expect(retake.hook('project-row').first()).toBeVisible();
    });
  }

  test('fault: 401 leads to sign-in', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('fault: 401');
    await page.goto(`/projects/${project}`);
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('sign-in-why')).toContainText('no longer accepts this token');
  });

  test('fault: latency 3 s is waited for in words', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('fault: latency 3 s');
    await retake.signIn(`/projects/${project}`);
    await expect(page.getByText('Reading the batches…')).toBeVisible();
    await expect(retake.hook('batch-row')).toHaveCount(2);
  });

  test('fault: repeated page token is noticed', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.fixture('fault: repeated page token', 'many-tests');
    await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(page.locator('.notice[data-tone=error]').first()).toContainText('same page token came twice');
    await expect(retake.rows.first()).toBeVisible();
  });

  test('an API that refuses to list only failing tests lists all of them', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 250, outcomes: { error: 3, blocker: 2 } });
    const asked: string[] = [];
    await page.route('**/jobs?**', (route) => {
      const { searchParams } = new URL(route.request().url());
      asked.push(searchParams.get('conflatedStatus') ?? 'all');
      if (!searchParams.has('conflatedStatus')) return route.continue();
      return route.fulfill({ status: 400, json: { message: 'unknown parameter conflatedStatus' } });
    });
    await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(retake.hook('row-count')).toHaveText('250 of 250 tests');
    await expect(retake.rows.first()).toHaveAttribute('data-status', 'BLOCKER');
    await expect(page.locator('.notice[data-tone=error]')).toHaveCount(0);
    expect(asked[0]).toContain('ERROR');
    expect(asked.slice(1)).toEqual(['all', 'all', 'all']);
  });

  test('an API that lists all tests where failing ones are asked for is not read twice', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 250, outcomes: { error: 3, blocker: 2 } });
    let reads = 0;
    await page.route('**/jobs?**', (route) => {
      reads += 1;
      const url = new URL(route.request().url());
      url.searchParams.delete('conflatedStatus');
      return route.continue({ url: url.href });
    });
    await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(retake.hook('row-count')).toHaveText('250 of 250 tests');
    // One page shows that the question is not heeded; then come the three of all tests.
    expect(reads).toBe(4);
  });

  test('fault: stays terminal after a rerun: the supervisor does not burn its attempts', async ({ retake, sandbox }) => {
    // The batch was seen finished: only a minute later is it sure that no old
    // picture hides the end of the new run, and that the time is over.
    test.setTimeout(180_000);
    const batch = await sandbox.fixture('fault: stays terminal after a rerun', 'stuck-in-the-past');
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '3', 'wait-timeout': '6s', 'rerun-max-failure-percent': '100' });
    await retake.verdict(120_000).toBe(6, 'timed-out');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('fault: rerun answers a new batch, which is followed', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({
      tests: 12,
      duration_ms: [200, 400],
      outcomes: { flaky: [{ count: 2, fails_runs: 1 }] },
      rerun_answer: { new_batch_id: true },
    });
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '1s' });
    await retake.page.getByRole('link', { name: /Supervisions/ }).click();
    await retake.verdict().toBe(0, 'pass-after-rerun');
  });

  test('fault: rerun answers a new batch: a manual rerun says so and leads there', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({
      tests: 12,
      outcomes: { error: 2 },
      rerun_answer: { new_batch_id: true },
    });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted in another batch');
    await expect(retake.hook('rerun-steps')).not.toContainText('Seen running');
    await expect(retake.hook('rerun-waiting')).toContainText('another batch');
    await retake.hook('open-other-batch').click();
    await expect(page).not.toHaveURL(new RegExp(batch.batchID));
    await expect(page).toHaveURL(/batches\/[0-9a-f-]{36}/);
    await expect(retake.rows.first()).toBeVisible();
  });

  test('fault: stays terminal after a rerun: a manual rerun is looked for, and holds the next', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 }, rerun_answer: { ignored: true } });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-waiting')).toContainText(/not seen running for \d+ s; looking again/, { timeout: 15_000 });
    await expect(retake.hook('rerun-selected')).toHaveAttribute('aria-disabled', 'true');
    await expect(retake.hook('rerun-selected')).toHaveAccessibleDescription(/has not been seen running yet/);
    await retake.hook('rerun-selected').click({ force: true });
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await retake.hook('rerun-dismiss').click();
    await expect(retake.hook('rerun-selected')).not.toHaveAttribute('aria-disabled', 'true');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('fault: repeated page token ends the list of batches in words', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('fault: repeated page token');
    await retake.signIn(`/projects/${project}`);
    await retake.hook('load-more').click();
    await expect(retake.hook('list-foot')).toContainText('Older ones cannot be read: the same page token came twice');
    await expect(page.getByText(/^All \d+ loaded/)).toHaveCount(0);
  });

  test('a list that cannot be read says when it is tried again, and stops with the page', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('fault: 503 with HTML');
    await retake.signIn(`/projects/${project}`);
    await expect(page.locator('.notice[data-tone=error]').first()).toContainText(/Trying again (in \d+ s|now)/);
    await page.getByRole('link', { name: 'Retake, all projects' }).click();
    await expect(retake.hook('project-row').first()).toBeVisible();
    const late: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes(project)) late.push(request.url());
    });
    await page.waitForTimeout(5_000);
    expect(late).toEqual([]);
  });

  test('not being allowed says what to do', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('fault: 403');
    await retake.signIn(`/projects/${project}`);
    await page.getByRole('button', { name: 'sign in with another account' }).click();
    await expect(retake.hook('sign-in-token')).toBeVisible();
  });

  test('another account is signed in with only after the question that signing out asks', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '1s' });
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await page.getByRole('link', { name: 'Retake, all projects' }).click();
    await page.getByRole('link', { name: 'fault: 403', exact: true }).click();
    await page.getByRole('button', { name: 'sign in with another account' }).click();
    await expect(page.getByRole('dialog')).toContainText('Supervision of 1 batch: paused until you sign in again');
    await retake.hook('sign-out-stay').click();
    await expect(page.getByRole('button', { name: 'sign in with another account' })).toBeVisible();
    await page.goBack();
    await page.goBack();
    await expect(page.locator('.supervise__now')).toHaveAttribute('data-acting', 'here');
  });

  test('being offline is said as such, and what is supervised goes on afterwards', async ({ retake, sandbox, page, context }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '1s' });
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await context.setOffline(true);
    await retake.hook('refresh').click();
    await expect(retake.hook('freshness')).toContainText('this computer is offline');
    await expect(retake.hook('freshness')).not.toContainText('CORS');
    await context.setOffline(false);
    await expect(retake.hook('freshness')).not.toContainText('offline');
    await sandbox.act(batch, 'finish');
    await retake.verdict().toBe(0, 'clean-pass');
    await expect(page.locator('.supervise')).not.toContainText('CORS');
  });

  test('a browser that has no clipboard says so', async ({ retake, sandbox, page }) => {
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined }));
    await retake.openBatch(await sandbox.batch({ tests: 12 }));
    await page.getByRole('button', { name: 'Copy link' }).click();
    await expect(page.getByRole('region', { name: 'Messages' })).toContainText('Could not copy: a page that was opened by http: has no clipboard');
  });

  test('the tests of a batch cannot be read: the batch is shown, the gap is said', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.fixture('fault: one call at a time', '503 on the tests');
    await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(page.getByRole('heading', { level: 1, name: batch.name })).toBeVisible();
    await expect(page.locator('.notice[data-tone=error]').first()).toContainText('The tests could not be read completely', { timeout: 30_000 });
    await expect(retake.chip('PASSED')).not.toHaveAttribute('data-count', '0');
  });

  for (const name of ['nulls-everywhere', 'status-null', 'unknown-words', 'unknown-fields', 'succeeded-but-conflated-error']) {
    test(`old deployment, ${name}: shown as it is, nothing fails`, async ({ retake, sandbox }) => {
      const batch = await sandbox.fixture('old deployment', name);
      await retake.openBatch(batch);
      await expect(retake.hook('row-count')).toHaveText(/^12 of 12 tests$/);
      if (name === 'nulls-everywhere') {
        await expect(retake.page.getByText(/of 12 done/)).toBeVisible();
      }
      if (name === 'unknown-words') {
        await expect(retake.hook('batch-status')).toHaveText('HIBERNATING');
        await expect(retake.chip('SHINY')).toHaveAttribute('data-count', '12');
      }
    });
  }

  test('hostile names are text everywhere', async ({ retake, page }) => {
    await retake.signIn('/');
    await retake.hook('text-filter').fill('onerror');
    const row = retake.hook('project-row');
    await expect(row).toContainText('<img src=x onerror=alert(1)>');
    await expect(row).toContainText('⟨U+202E⟩');
    await row.getByRole('link').click();
    await retake.hook('batch-row').first().getByRole('link').click();
    await expect(retake.rows.first()).toBeVisible();
    expect(await page.title()).not.toBe('owned');
    await expect(page.locator('main img[src=x]')).toHaveCount(0);
  });

  test('a configuration that cannot be used is explained field by field', async ({ retake, page }) => {
    await page.route('**/config.json', (route) =>
      route.fulfill({ json: { environments: [{ name: 'x', api: 'api.resim.ai', clientid: 'y' }] } }),
    );
    await page.goto('/');
    await expect(retake.hook('config-error')).toContainText('environments[0].api');
    await expect(retake.hook('config-error')).toContainText('environments[0].clientid');
  });

  test('an address that leads nowhere says so', async ({ retake, page }) => {
    await retake.signIn('/');
    await page.goto('/nowhere');
    await expect(page.getByRole('heading', { name: 'No such page' })).toBeVisible();
  });
});
