import { expect, test, heldBack } from '../support/retake.js';

test.describe('filter and share the link', () => {
  test('chips count the whole batch and combine; the link carries the view', async ({ retake, sandbox, page, context }) => {
    const batch = await sandbox.batch({ tests: 60, outcomes: { error: 5, blocker: 4, warning: 3 } });
    await retake.openBatch(batch);
    await expect(retake.chip('ERROR')).toHaveAttribute('data-count', '5');
    await retake.chip('ERROR').click();
    await retake.chip('BLOCKER').click();
    await expect(retake.hook('row-count')).toHaveText('9 of 60 tests');
    await expect(retake.chip('PASSED')).toHaveAttribute('data-count', '48');
    const names = await retake.rows.locator('.row__name').allTextContents();
    const wanted = names[0] ?? '';
    await retake.hook('text-filter').fill(wanted);
    await expect(retake.rows.first()).toContainText(wanted);
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await expect(page).toHaveURL(/sort=name/);
    const address = page.url();

    const other = await context.newPage();
    await other.goto(address);
    await other.getByTestId('sign-in-token').fill('test-token');
    await other.getByTestId('sign-in-token-submit').click();
    await expect(other.getByTestId('text-filter')).toHaveValue(wanted);
    await expect(other.getByTestId('status-chip-ERROR')).toHaveAttribute('aria-pressed', 'true');
    await expect(other.getByTestId('job-row').first()).toContainText(wanted);
  });

  test('the list is sorted worst first, and by any column, both ways', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 20, outcomes: { error: 2, blocker: 2, warning: 2 } });
    await retake.openBatch(batch);
    const statuses = () => retake.rows.evaluateAll((rows) => rows.map((row) => row.dataset['status']));
    expect((await statuses()).slice(0, 7)).toEqual([
      'BLOCKER', 'BLOCKER', 'ERROR', 'ERROR', 'WARNING', 'WARNING', 'PASSED',
    ]);
    await page.getByRole('button', { name: 'Status', exact: true }).click();
    expect((await statuses())[0]).toBe('PASSED');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    const names = await retake.rows.locator('.row__name').allTextContents();
    const sorted = [...names].sort(new Intl.Collator('en', { numeric: true }).compare);
    expect(names).toEqual(sorted);
    await expect(page.getByRole('columnheader', { name: 'Test', exact: true })).toHaveAttribute('aria-sort', 'ascending');
    // Most runs come first.
    await page.getByRole('button', { name: 'Runs', exact: true }).click();
    await expect(page.getByRole('columnheader', { name: 'Runs', exact: true })).toHaveAttribute('aria-sort', 'descending');
  });

  test('Back leaves the page instead of undoing letters', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12 });
    await retake.signIn(`/projects/${batch.projectID}`);
    await retake.hook('batch-row').locator(`a[href$="${batch.batchID}"]`).click();
    await retake.hook('text-filter').fill('abc');
    await expect(page).toHaveURL(/q=abc/);
    await page.goBack();
    await expect(retake.hook('batch-row').first()).toBeVisible();
  });

  test('Back from another page finds the filters as they were left', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await retake.openBatch(batch, '?status=ERROR');
    await expect(retake.rows).toHaveCount(2);
    for (const name of [/Supervisions/, /^Retake, all projects/]) {
      await page.getByRole('link', { name }).click();
      await expect(retake.rows).toHaveCount(0);
      await page.goBack();
      await expect(retake.rows).toHaveCount(2);
      await expect(page).toHaveURL(/\?status=ERROR$/);
    }
  });

  test('the address is that of the page on screen, also where one goes on to the same page after Back', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 } });
    await retake.openBatch(batch);
    await retake.chip('ERROR').click();
    await expect(page).toHaveURL(/\?status=ERROR$/);
    for (let n = 0; n < 2; n += 1) {
      await page.getByRole('link', { name: /Supervisions/ }).click();
      await expect(page).toHaveURL(/\/supervisions$/);
      await expect(page.getByRole('heading', { level: 1, name: 'Supervisions' })).toBeVisible();
      await page.goBack();
      await expect(retake.rows).toHaveCount(2);
      await expect(page).toHaveURL(/\?status=ERROR$/);
    }
    await page.goForward();
    await expect(page).toHaveURL(/\/supervisions$/);
    await expect(page.getByRole('heading', { level: 1, name: 'Supervisions' })).toBeVisible();
  });

  test('errors are readable in the row, and in full with their run in the drawer', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.openBatch(batch);
    const row = retake.rows.first();
    await expect(row).toHaveAttribute('data-status', 'ERROR');
    const code = (await row.locator('.row__error b').textContent()) ?? '';
    expect(code).toMatch(/^[A-Z_]+$/);
    await row.locator('.row__name').click();
    const drawer = retake.hook('test-drawer');
    await expect(drawer).toContainText(code);
    await expect(drawer).toContainText('Run 1');
    await expect(page).toHaveURL(/test=/);
    await page.keyboard.press('Escape');
    await expect(drawer).toHaveCount(0);
  });

  test('Back closes the drawer, and the next one leaves the page', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.signIn(`/projects/${batch.projectID}`);
    await retake.hook('open-batch').fill(batch.batchID);
    await retake.hook('open-batch').press('Enter');
    await retake.chip('ERROR').click();
    await retake.rows.first().locator('.row__name').click();
    await expect(retake.hook('test-drawer')).toContainText('Run 1');
    await expect(page).toHaveURL(/test=/);
    await page.goBack();
    await expect(retake.hook('test-drawer')).toHaveCount(0);
    await expect(retake.chip('ERROR')).toHaveAttribute('aria-pressed', 'true');
    await page.goForward();
    await expect(retake.hook('test-drawer')).toContainText('Run 1');
    // Many may be read one after the other, and the filter may change meanwhile.
    for (let n = 0; n < 3; n += 1) {
      await page.keyboard.press('Escape');
      await expect(retake.hook('test-drawer')).toHaveCount(0);
      await retake.rows.first().locator('.row__name').click();
      await expect(retake.hook('test-drawer')).toContainText('Run 1');
    }
    await page.keyboard.press('Escape');
    await retake.chip('PASSED').click();
    await retake.rows.last().locator('.row__name').click();
    await expect(page).toHaveURL(/status=ERROR.*PASSED.*test=|status=.*test=/);
    await page.goBack();
    await expect(retake.hook('test-drawer')).toHaveCount(0);
    await expect(retake.chip('PASSED'), 'the filter of now').toHaveAttribute('aria-pressed', 'true');
    await expect(page).toHaveURL(/PASSED/);
    await page.goBack();
    await expect(retake.hook('batch-row').first()).toBeVisible();
  });

  test('what was read of a test stays on screen until its new state is there', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [60_000, 90_000] });
    await retake.openBatch(batch);
    await retake.rows.first().locator('.row__name').click();
    const body = page.getByRole('region', { name: 'Test details' });
    await expect(body).toContainText('Run 1');
    const id = new URL(page.url()).searchParams.get('test');
    const letOn = await heldBack(page, new RegExp(`/jobs/${id}$`));
    const asked = page.waitForRequest(new RegExp(`/jobs/${id}$`));
    await sandbox.act(batch, 'finish');
    await asked;
    await expect(body).toContainText('Run 1');
    await expect(body).not.toContainText('Reading the test');
    await expect(body).not.toContainText('SUCCEEDED');
    letOn();
    await expect(body).toContainText('SUCCEEDED');
  });

  test('a row changes in place while the batch runs; nothing jumps, no tick is lost', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [60_000, 90_000], outcomes: { error: 3 } });
    await retake.openBatch(batch);
    const order = () => retake.rows.evaluateAll((rows) => rows.map((row) => row.dataset['jobId']));
    const before = await order();
    await retake.hook('job-select').nth(4).click();
    await sandbox.act(batch, 'finish');
    await retake.hook('refresh').click();
    await expect(retake.chip('ERROR')).toHaveAttribute('data-count', '3');
    await expect(retake.hook('update-list')).toBeVisible();
    expect(await order()).toEqual(before);
    await expect(retake.hook('selected-count')).toHaveText('1');
    await expect(retake.hook('job-select').nth(4)).toBeChecked();
    await retake.hook('update-list').click();
    await expect(retake.rows.first()).toHaveAttribute('data-status', 'ERROR');
    await expect(retake.hook('selected-count')).toHaveText('1');
  });

  test('a batch that has just finished is not told by tests that were read before', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({
      tests: 12,
      start: 'running',
      duration_ms: [60_000, 90_000],
      outcomes: { error: 3, blocker: 2 },
    });
    await retake.openBatch(batch);
    let go: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    await page.route('**/jobs?**', async (route) => {
      await held;
      await route.continue();
    });
    await sandbox.act(batch, 'finish');
    await retake.hook('refresh').click();
    await expect(retake.hook('freshness')).toContainText('finished · reading its tests');
    // Head, chips and preview say the same, or that they cannot yet.
    await expect(retake.chip('ERROR')).toHaveAttribute('data-count', '3');
    await expect(retake.chip('BLOCKER')).toHaveAttribute('data-count', '2');
    await expect(page.getByRole('status', { name: 'What would happen now' })).toContainText('has finished since its tests were read');
    await retake.hook('select-unfinished').click();
    await expect(page.getByText('Select them in a moment').first()).toBeVisible();
    await expect(retake.hook('selected-count')).toHaveText('0');
    go?.();
    await expect(retake.hook('freshness')).not.toContainText('reading its tests');
    await expect(page.getByRole('status', { name: 'What would happen now' })).not.toContainText('since its tests were read');
    await retake.hook('select-failed').click();
    await expect(retake.hook('selected-count')).toHaveText('5');
  });

  test('a batch that finished long ago is worked on while its tests are still being read', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 400, outcomes: { error: 3, blocker: 2 } });
    let go: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    // The failing tests come first; then every page but the first one is held.
    await page.route('**/jobs?**pageToken**', async (route) => {
      await held;
      await route.continue();
    });
    await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(retake.rows.first()).toHaveAttribute('data-status', 'BLOCKER');
    await expect(retake.hook('freshness')).toHaveText(/finished$/);
    await expect(page.getByRole('status', { name: 'What would happen now' })).not.toContainText('since its tests were read');
    await retake.hook('select-failed').click();
    await expect(retake.hook('selected-count')).toHaveText('5');
    go?.();
    await expect(retake.hook('row-count')).toHaveText('400 of 400 tests');
    await expect(retake.hook('selected-count')).toHaveText('5');
  });

  test('another filter or sort begins at the top of its list', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 400, outcomes: { error: 150 } });
    await retake.openBatch(batch);
    const scroller = page.locator('.tests__scroller');
    const top = () => scroller.evaluate((it) => it.scrollTop);
    const scroll = async () => {
      await scroller.evaluate((it) => (it.scrollTop = 9_000));
      await expect.poll(top).toBeGreaterThan(5_000);
    };
    await scroll();
    await retake.chip('ERROR').click();
    await expect.poll(top).toBe(0);
    await retake.chip('ERROR').click();
    await scroll();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await expect.poll(top).toBe(0);
    // The heading sticks: to walk through it moves no row.
    await scroll();
    const before = await top();
    await retake.hook('select-all').focus();
    for (let n = 0; n < 3; n++) await page.keyboard.press('Tab');
    expect(await top()).toBe(before);
  });

  test('the page says how fresh it is, can be paused, and says what fails', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    const fresh = retake.hook('freshness');
    await expect(fresh).toHaveAttribute('data-state', 'ok');
    await retake.hook('pause').click();
    await expect(fresh).toHaveText(/^Paused/);
    await retake.hook('pause').click();
    await expect(fresh).toHaveAttribute('data-state', 'ok');
    await sandbox.fault({ path_contains: batch.batchID, fault: '503_html', times: 3 });
    await retake.hook('refresh').click();
    await expect(fresh).toHaveAttribute('data-state', 'failing');
    await expect(fresh).toContainText('Could not read the batch');
    await expect(fresh).toHaveAttribute('data-state', 'ok');
  });

  test('a tag leaves the tests that wear it, with chips and text; the link carries it', async ({ retake, sandbox, page, context }) => {
    const batch = await sandbox.batch({ tests: 60, outcomes: { error: 30 } });
    const tags = await sandbox.tags(batch.projectID);
    const [night, planning] = [tags.get('night') ?? '', tags.get('planning') ?? ''];
    const wearers = await sandbox.wearers(batch, night);
    const either = new Set([...wearers, ...(await sandbox.wearers(batch, planning))].map((it) => it.jobID));
    await retake.openBatch(batch);
    const asked = async () =>
      (await sandbox.requests(`${batch.batchID}/jobs`, 'GET')).filter((it) => it.path.includes('experienceTagIDs'));
    const before = (await asked()).length;
    await retake.hook('tag-filter').click();
    expect(await asked(), 'a menu that is only opened asks for no test').toHaveLength(before);
    await retake.tag(night).click();
    await expect(retake.hook('row-count')).toHaveText(`${wearers.length} of 60 tests`);
    expect(new Set(await retake.shown())).toEqual(new Set(wearers.map((it) => it.jobID)));
    await expect(retake.chip('ERROR')).toHaveAttribute('data-count', '30');
    await retake.tag(planning).click();
    await expect(retake.hook('row-count')).toHaveText(`${either.size} of 60 tests`);
    await expect(retake.hook('tag-filter')).toHaveAttribute('data-count', '2');
    await page.keyboard.press('Escape');
    await expect(retake.tag(night)).toBeHidden();
    await retake.hook('tag-pill').filter({ hasText: 'planning' }).click();
    await expect(retake.hook('row-count')).toHaveText(`${wearers.length} of 60 tests`);

    await retake.chip('ERROR').click();
    const failed = wearers.filter((it) => it.conflatedStatus === 'ERROR');
    await expect(retake.hook('row-count')).toHaveText(`${failed.length} of 60 tests`);
    await expect(page).toHaveURL(new RegExp(`[?&]tag=${night}(&|$)`));
    const rows = await retake.shown();
    expect(new Set(rows)).toEqual(new Set(failed.map((it) => it.jobID)));
    await page.reload();
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await expect(retake.hook('row-count')).toHaveText(`${failed.length} of 60 tests`);
    expect(await retake.shown()).toEqual(rows);
    const other = await context.newPage();
    await other.goto(page.url());
    await other.getByTestId('sign-in-token').fill('test-token');
    await other.getByTestId('sign-in-token-submit').click();
    await expect(other.getByTestId('row-count')).toHaveText(`${failed.length} of 60 tests`);
    await expect(other.getByTestId('tag-pill')).toHaveText('night');
    const others = other.getByTestId('job-row');
    expect(await others.evaluateAll((all) => all.map((row) => row.dataset['jobId']))).toEqual(rows);

    const name = failed[0]?.experienceName ?? 'none';
    const named = failed.filter((it) => it.experienceName.includes(name));
    await retake.hook('text-filter').fill(name);
    await expect(retake.hook('row-count')).toHaveText(`${named.length} of 60 tests`);
    await retake.hook('text-filter').fill('no test has such a name');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect(retake.hook('row-count')).toHaveText('60 of 60 tests');
    await expect(retake.hook('tag-pill')).toHaveCount(0);
    await expect(page).toHaveURL((url) => url.search === '');
  });

  test('a filter that was chosen just before the page was left is there on the way back', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 20, outcomes: { error: 5 } });
    await retake.isBusy();
    await retake.openBatch(batch);
    await retake.chip('ERROR').click();
    await page.getByRole('link', { name: 'Supervisions' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Supervisions');
    await page.goBack();
    await expect(retake.hook('row-count')).toHaveText('5 of 20 tests');
    await expect(page).toHaveURL((url) => url.search === '?status=ERROR');
  });

  test('a tag that is slow or cannot be read says so, and is read on demand', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 40 });
    const tags = await sandbox.tags(batch.projectID);
    const [night, planning] = [tags.get('night') ?? '', tags.get('planning') ?? ''];
    const wearers = await sandbox.wearers(batch, night);
    const either = new Set([...wearers, ...(await sandbox.wearers(batch, planning))].map((it) => it.jobID));
    const asking = `${batch.batchID}/jobs?pageSize=100&experienceTagIDs=`;
    await retake.openBatch(batch);
    await sandbox.fault({ path_contains: asking + night, fault: 'latency_ms', ms: 3_000 });
    await retake.hook('tag-filter').click();
    await retake.tag(night).click();
    await expect(retake.hook('row-count')).toHaveText('Reading the ticked tags…');
    await expect(retake.hook('tag-pill')).toHaveAttribute('aria-busy', 'true');
    await expect(retake.rows).toHaveCount(0);
    await expect(retake.hook('row-count')).toHaveText(`${wearers.length} of 40 tests`);
    await expect(retake.hook('tag-pill')).not.toHaveAttribute('aria-busy');

    await sandbox.fault({ path_contains: asking + planning, fault: 500, times: 3 });
    await retake.tag(planning).click();
    const notice = page.getByRole('alert').filter({ hasText: 'The tests tagged planning could not be read' });
    await expect(notice).toContainText('rows may be missing');
    await expect(retake.hook('row-count')).toHaveText(`${wearers.length} of 40 tests`);
    await page.keyboard.press('Escape');
    await notice.getByRole('button', { name: 'Try now' }).click();
    await expect(retake.hook('row-count')).toHaveText(`${either.size} of 40 tests`);
    await expect(notice).toHaveCount(0);
  });

  test('tests that a rerun adds are found by their tag too', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 20, suite_adds: 30 });
    const night = (await sandbox.tags(batch.projectID)).get('night') ?? '';
    const before = await sandbox.wearers(batch, night);
    await retake.openBatch(batch, `?tag=${night}`);
    await expect(retake.hook('row-count')).toHaveText(`${before.length} of 20 tests`);
    const answer = await page.request.post(`/v1/projects/${batch.projectID}/batches/${batch.batchID}/rerun`, {
      headers: { authorization: 'Bearer test' },
      data: { jobIDs: batch.jobIDs.slice(0, 1), syncBatch: true },
    });
    expect(answer.ok()).toBe(true);
    await sandbox.act(batch, 'finish');
    const after = await sandbox.wearers(batch, night);
    await retake.hook('refresh').click();
    await expect(retake.hook('row-count')).toHaveText(`${after.length} of 50 tests`);
  });

  test('many tags are searched, by keyboard; their names are only text', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('<img src=x onerror=alert(1)> & "names" \u202egnp.exe\u202c');
    const batch = await sandbox.batch({ tests: 12 }, undefined, project);
    await retake.openBatch(batch);
    await retake.hook('tag-filter').press('Enter');
    const menu = page.getByRole('group', { name: 'Filter tests by tag' });
    await expect(menu).toContainText("<b>bold</b><script>alert('tag')</script>");
    await expect(menu).toContainText('55 more tags: type a part of the name.');
    await page.keyboard.press('Tab');
    await expect(retake.hook('tag-search')).toBeFocused();
    await page.keyboard.type('thgin');
    await expect(retake.hook('tag-option')).toHaveText('⟨U+202E⟩thgin');
    await retake.hook('tag-search').fill('ZONE 24');
    await expect(retake.hook('tag-option')).toHaveText(['zone 24', ...Array.from({ length: 10 }, (_, n) => `zone ${240 + n}`)]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect(retake.hook('tag-pill')).toHaveText('zone 24');
    await page.keyboard.press('Escape');
    await expect(menu).toBeHidden();
    await expect(retake.hook('tag-filter')).toBeFocused();
  });

  test('a project without tags says so', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12 }, undefined, 'Warehouse robots 2024');
    await retake.openBatch(batch);
    await retake.hook('tag-filter').click();
    await expect(page.getByRole('group', { name: 'Filter tests by tag' })).toContainText('This project has no tags.');
  });
});
