import { expect, test } from '../support/retake.js';

test.describe('metrics only', () => {
  test('the metrics of ticked tests are recomputed without running them', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { blocker: 2 } });
    await retake.openBatch(batch);
    await retake.hook('select-failed').click();
    await retake.hook('rerun-metrics-selected').click();
    await expect(page.getByRole('dialog')).toContainText('No simulation runs again');
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    const sent = await sandbox.reruns(batch);
    expect(sent[0]?.body?.rerunMetricsOnly).toBe(true);
    expect(sent[0]?.body?.jobIDs).toHaveLength(2);
  });

  test('the batch metrics alone are rerun with an empty list of tests', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12 });
    await retake.openBatch(batch);
    await retake.hook('rerun-batch-metrics').click();
    await expect(page.getByRole('dialog')).toContainText('No simulation and no metrics of any of the 12 tests run again');
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect((await sandbox.reruns(batch))[0]?.body).toEqual({ jobIDs: [], syncBatch: false });
  });

  test('the batch metrics with the suite in step add its new tests, and say so before', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, suite_adds: 2, duration_ms: [1_000, 1_200] });
    await retake.openBatch(batch);
    await retake.field('sync-with-test-suite').check();
    await retake.hook('rerun-batch-metrics').click();
    await expect(page.getByRole('dialog')).toContainText('they run too');
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
    expect((await sandbox.reruns(batch))[0]?.body).toEqual({ jobIDs: [], syncBatch: true });
    await expect(retake.hook('row-count')).toHaveText('14 of 14 tests');
  });
});
