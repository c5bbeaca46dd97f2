import { expect, test } from '../support/retake.js';

test.describe('find a batch', () => {
  test('projects are searched, batches filtered, one is opened', async ({ retake, sandbox, page }) => {
    const name = `findable-${Date.now()}`;
    const batch = await sandbox.batch({ tests: 12, outcomes: { blocker: 1 } }, name);
    await retake.signIn('/');
    await retake.hook('text-filter').fill('warehouse robots');
    await retake.hook('project-row').getByRole('link', { name: 'Warehouse robots', exact: true }).click();
    const row = retake.hook('batch-row').filter({ hasText: name });
    await expect(row).toHaveAttribute('data-batch-id', batch.batchID);
    await retake.chip('BLOCKER').click();
    await retake.hook('text-filter').fill(name);
    await expect(retake.hook('batch-row')).toHaveCount(1);
    await row.getByRole('link', { name }).click();
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
    await expect(retake.hook('row-count')).toHaveText('12 of 12 tests');
  });

  test('the address that others shorten leads to the projects too', async ({ retake, page }) => {
    await retake.signIn('/projects');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Projects');
    await expect(retake.hook('project-row').first()).toBeVisible();
  });

  test('and the address of a batch without its end leads to the list', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 3 });
    await retake.signIn(`/projects/${batch.projectID}/batches`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Warehouse robots');
    await expect(page.locator(`[data-testid="batch-row"][data-batch-id="${batch.batchID}"]`)).toBeVisible();
  });

  test('a batch that ran again keeps its place and the time of its launch', async ({ retake, sandbox }) => {
    const name = `rerun-${Date.now()}`;
    const overrides = { creationTimestamp: new Date(Date.now() - 2.5 * 3_600_000).toISOString() };
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 }, overrides }, name);
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs.slice(0, 1) });
    await retake.signIn(`/projects/${batch.projectID}?q=${name}`);
    const row = retake.hook('batch-row').filter({ hasText: name });
    await expect(row).toContainText(/2 h ago/);
    await expect(row).toContainText(/rerun (just now|\d+ s ago)/);
  });

  test('a page that cannot be opened leads to where one can go on', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('Warehouse robots');
    await retake.signIn(`/projects/${project}/batches/no-such-batch`);
    await expect(page.getByRole('navigation', { name: 'Breadcrumb' })).toContainText('Batch');
    await page.getByRole('link', { name: 'Batches of this project' }).click();
    await expect(retake.hook('batch-row').first()).toBeVisible();
    await retake.hook('text-filter').fill('release/2.14');
    await expect(retake.hook('batch-row').first()).toContainText('release/2.14');
  });

  test('a batch opens by name, by ID and by a pasted ReSim link', async ({ retake, sandbox, page }) => {
    const name = `openable-${Date.now()}`;
    const batch = await sandbox.batch({ tests: 12 }, name);
    await retake.signIn(`/projects/${batch.projectID}`);
    for (const text of [
      name,
      batch.batchID.toUpperCase(),
      `https://app.resim.ai/projects/${batch.projectID}/batches/${batch.batchID}?TEST_STATUS_MULTI=Error`,
    ]) {
      await retake.hook('open-batch').fill(text);
      await retake.hook('open-batch').press('Enter');
      await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
      await expect(page).toHaveURL((url) => url.pathname.endsWith(`/batches/${batch.batchID}`));
      await page.goBack();
      await expect(retake.hook('batch-row').first()).toBeVisible();
    }
  });

  for (const [when, slow] of [
    ['its tests are on their way', 'answers'],
    ['its parts are being made', 'timers'],
  ] as const) {
    test(`a batch that is left while ${when} leaves no trouble behind`, async ({ retake, sandbox, page }) => {
      const batch = await sandbox.batch({ tests: 30 });
      if (slow === 'answers') {
        await sandbox.fault({ path_contains: `${batch.batchID}/jobs`, fault: 'latency_ms', ms: 1_000 });
      } else {
        await retake.isBusy();
      }
      await retake.signIn(`/projects/${batch.projectID}`);
      const isListing = (it: { url(): string }) => it.url().includes(`${batch.batchID}/jobs`);
      const asked = page.waitForRequest(isListing);
      const answered = page.waitForResponse(isListing);
      await retake.hook('open-batch').fill(batch.batchID);
      await retake.hook('open-batch').press('Enter');
      await (slow === 'answers' ? asked : answered);
      await page.goBack();
      await expect(retake.hook('batch-row').first()).toBeVisible();
      await answered;
      // What came too late has had its time; a mistake would have loaded the page anew.
      await page.waitForTimeout(1_000);
      await expect(retake.hook('batch-row').first()).toBeVisible();
    });
  }

  test('what cannot be opened is said beside the field, and the text stays', async ({ retake, sandbox }) => {
    await retake.signIn(`/projects/${await sandbox.project('Warehouse robots')}`);
    const field = retake.hook('open-batch');
    for (const [text, words] of [
      ['', /Type a batch's ID or name/],
      ['no-such-batch', /no-such-batch/],
      ['https://evil.example/projects/p/batches/b', /no project and no batch of ReSim/],
    ] as const) {
      await field.fill(text);
      await field.press('Enter');
      await expect(retake.hook('open-wrong')).toContainText(words);
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expect(field).toHaveValue(text);
    }
    await field.fill('x');
    await expect(retake.hook('open-wrong')).toBeEmpty();
  });

  test('the filters of the lists stand in the address, and Back restores them', async ({ retake, sandbox, page }) => {
    const name = `shareable-${Date.now()}`;
    const batch = await sandbox.batch({ tests: 12, outcomes: { blocker: 1 } }, name);
    await retake.signIn('/');
    await retake.hook('text-filter').fill('warehouse');
    await expect(page).toHaveURL(/\?q=warehouse$/);
    await retake.hook('project-row').getByRole('link', { name: 'Warehouse robots', exact: true }).click();
    await retake.hook('text-filter').fill(name);
    await retake.chip('BLOCKER').click();
    await expect(page).toHaveURL(new RegExp(`status=BLOCKER&q=${name}$`));
    await retake.hook('batch-row').getByRole('link', { name }).click();
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
    await page.goBack();
    await expect(retake.hook('text-filter')).toHaveValue(name);
    await expect(retake.chip('BLOCKER')).toHaveAttribute('aria-pressed', 'true');
    await expect(retake.hook('batch-row')).toHaveAttribute('data-batch-id', batch.batchID);
    await page.goBack();
    await expect(retake.hook('text-filter')).toHaveValue('warehouse');
  });

  test('project and batch names stand in the address as well as IDs do', async ({ retake, sandbox, page }) => {
    const name = `named by/hand ${Date.now()}`;
    await sandbox.batch({ tests: 12 }, name);
    await retake.signIn(`/projects/Warehouse%20robots/batches/${encodeURIComponent(name)}`);
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  });

  test('a name that several batches have opens the newest, and says so', async ({ retake, sandbox, page }) => {
    const name = `nightly twins ${Date.now()}`;
    await sandbox.batch({ tests: 12 }, `${name} and more`);
    let newest = await sandbox.batch({ tests: 12 }, name);
    await retake.signInByProvider(`/projects/${newest.projectID}/batches/${encodeURIComponent(name)}`);
    await expect(retake.hook('row-count')).toHaveText(/12 tests/);
    await expect(retake.hook('namesakes'), 'one batch has it').toHaveCount(0);
    for (let n = 0; n < 2; n += 1) newest = await sandbox.batch({ tests: 11 }, name);
    await page.reload();
    await expect(retake.hook('namesakes')).toContainText('3 batches have this name; this is the newest.');
    await expect(retake.hook('row-count')).toHaveText(/11 tests/);
    await retake.hook('namesakes').getByRole('link').click();
    await expect(page).toHaveURL((url) => url.searchParams.get('q') === name);
    await expect(retake.hook('batch-row')).toHaveCount(4);
    await page.goto(`/projects/${newest.projectID}/batches/${newest.batchID}`);
    await expect(retake.hook('row-count')).toHaveText(/11 tests/);
    await expect(retake.hook('namesakes'), 'an ID is no name').toHaveCount(0);
  });

  test('older batches are loaded on demand', async ({ retake, sandbox }) => {
    // A page of the API holds a hundred.
    const project = await sandbox.project('fault: one call at a time');
    for (let n = 0; n < 100; n += 1) await sandbox.batch({ tests: 1 }, `older ${n}`, project);
    await retake.signIn(`/projects/${project}`);
    await expect(retake.hook('batch-row')).toHaveCount(100);
    await expect(retake.hook('list-foot')).toContainText('100');
    await retake.hook('load-more').click();
    await expect(retake.hook('batch-row')).toHaveCount(107);
    await expect(retake.hook('load-more')).toHaveCount(0);
  });

  test('a name that does not exist says so and what to do', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('Warehouse robots');
    await retake.signIn(`/projects/${project}/batches/no-such-batch`);
    await expect(page.getByRole('alert').filter({ hasText: 'no-such-batch' })).toBeVisible();
  });
});
