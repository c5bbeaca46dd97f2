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

  test('of two batches that are asked for, the last one is opened', async ({ retake, sandbox, page }) => {
    const [slow, meant] = [await sandbox.batch({ tests: 12 }), await sandbox.batch({ tests: 12 })];
    await retake.signIn(`/projects/${slow.projectID}`);
    await page.route(new RegExp(`lookup/name/${slow.name}|/batches/${slow.batchID}$`), async (route) => {
      await new Promise((done) => setTimeout(done, 1_500));
      await route.continue();
    });
    const late = page.waitForResponse(new RegExp(slow.name));
    const field = retake.hook('open-batch');
    await field.fill(slow.name);
    await field.press('Enter');
    await field.fill(meant.name);
    // As slow as it may be without being the later one of the two.
    await page.route(new RegExp(`lookup/name/${meant.name}`), async (route) => {
      await late;
      await new Promise((done) => setTimeout(done, 500));
      await route.continue();
    });
    await field.press('Enter');
    await expect(page.getByRole('heading', { level: 1, name: meant.name })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`/batches/${meant.batchID}$`));
  });

  test('a list that so many batches are new to that it cannot be joined begins anew, and says what it has', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('Warehouse robots');
    const later = { isLater: false };
    await page.route(/\/batches\?/, async (route) => {
      const response = await route.fetch();
      const told = (await response.json()) as { batches: Record<string, unknown>[]; nextPageToken: string };
      // As after a night: a whole page of others.
      const others = told.batches.map((it, n) => ({ ...it, batchID: crypto.randomUUID(), friendlyName: `new ${n}` }));
      const json = later.isLater ? { ...told, batches: others, nextPageToken: 'older' } : { ...told, nextPageToken: '' };
      await route.fulfill({ response, json });
    });
    await retake.signIn(`/projects/${project}`);
    await expect(retake.hook('list-foot')).toHaveText(/^All \d+ loaded/);
    later.isLater = true;
    await retake.hook('refresh').click();
    await expect(retake.hook('batch-row').first()).toContainText('new ');
    await expect(retake.hook('batch-row').filter({ hasNotText: 'new ' })).toHaveCount(0);
    await expect(retake.hook('list-foot')).toHaveText(/^\d+ loaded/);
    await expect(retake.hook('load-more')).toBeVisible();
  });

  test('a batch that only an older page had does not seem to run for ever', async ({ retake, sandbox, page }) => {
    const name = `older-${Date.now()}`;
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true }, name);
    let isFirst = true;
    await page.route(/\/batches\?/, async (route) => {
      const response = await route.fetch();
      const told = (await response.json()) as { batches: { batchID: string }[] };
      const newest = told.batches.filter((it) => it.batchID !== batch.batchID);
      await route.fulfill({ response, json: isFirst ? told : { ...told, batches: newest } });
      isFirst = false;
    });
    await retake.signIn(`/projects/${batch.projectID}?q=${name}`);
    const row = retake.hook('batch-row').filter({ hasText: name });
    await expect(row).toContainText('RUNNING');
    await sandbox.act(batch, 'finish');
    // Each look has its turn for three of those that still ran.
    await expect(async () => {
      await retake.hook('refresh').click();
      await expect(row).toContainText('SUCCEEDED', { timeout: 500 });
    }).toPass();
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
    for (let n = 0; n < 100; n += 1) await sandbox.batch({ tests: 1 }, `older-${n}`, project);
    await retake.signIn(`/projects/${project}`);
    await expect(retake.hook('batch-row')).toHaveCount(100);
    await expect(retake.hook('list-foot')).toContainText('100 loaded');
    await retake.hook('text-filter').fill('older-7');
    await expect(retake.hook('list-foot')).toContainText('11 of the 100 loaded batches match');
    await retake.hook('load-more').click();
    await expect(retake.hook('list-foot')).toHaveText('11 of 107 batches match');
    await retake.hook('text-filter').fill('');
    await expect(retake.hook('batch-row')).toHaveCount(107);
    await expect(retake.hook('load-more')).toHaveCount(0);
  });

  test('a name that does not exist says so and what to do', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('Warehouse robots');
    await retake.signIn(`/projects/${project}/batches/no-such-batch`);
    await expect(page.getByRole('alert').filter({ hasText: 'no-such-batch' })).toBeVisible();
  });
});
