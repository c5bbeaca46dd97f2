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
      await page.goBack();
      await expect(retake.hook('batch-row').first()).toBeVisible();
    }
  });

  test('project and batch names stand in the address as well as IDs do', async ({ retake, sandbox, page }) => {
    const name = `named by/hand ${Date.now()}`;
    await sandbox.batch({ tests: 12 }, name);
    await retake.signIn(`/projects/Warehouse%20robots/batches/${encodeURIComponent(name)}`);
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  });

  test('older batches are loaded on demand', async ({ retake, sandbox }) => {
    const project = await sandbox.project('fault: one call at a time');
    await retake.signIn(`/projects/${project}`);
    await expect(retake.hook('batch-row')).toHaveCount(7);
    await expect(retake.hook('load-more')).toHaveCount(0);
  });

  test('a name that does not exist says so and what to do', async ({ retake, sandbox, page }) => {
    const project = await sandbox.project('Warehouse robots');
    await retake.signIn(`/projects/${project}/batches/no-such-batch`);
    await expect(page.getByRole('alert').filter({ hasText: 'no-such-batch' })).toBeVisible();
  });
});
