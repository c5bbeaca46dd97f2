import { expect, test } from '../support/retake.js';

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
});
