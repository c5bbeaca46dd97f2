import { expect, test, type Retake } from '../support/retake.js';
import type { Sandbox } from '../support/sandbox.js';

/** The whole job: filter, tick, rerun, supervise, read the verdict. */
async function wholeJob(retake: Retake, sandbox: Sandbox): Promise<void> {
  const batch = await sandbox.batch({
    tests: 40,
    outcomes: { error: 2, flaky: [{ count: 2, fails_runs: 2 }] },
    duration_ms: [200, 400],
  });
  await retake.openBatch(batch);
  await retake.chip('ERROR').click();
  await expect(retake.hook('row-count')).toHaveAttribute('data-count', '4');
  await retake.hook('select-all').click();
  await expect(retake.hook('selected-count')).toHaveText('4');
  await retake.hook('rerun-selected').click();
  await expect(retake.page.getByRole('dialog')).toContainText('Rerun 4 tests');
  await retake.hook('confirm').click();
  await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
  expect(await sandbox.reruns(batch)).toHaveLength(1);
  await expect(retake.hook('batch-status')).toHaveText('ERROR', { timeout: 30_000 });
  await retake.supervise({ 'poll-every': '1s' });
  await retake.verdict().toBe(2, 'fail');
  expect(await sandbox.reruns(batch), 'one by hand, one by the supervisor').toHaveLength(2);
  const card = retake.hook('verdict').first();
  await expect(card).toContainText('2 tests passed after rerun');
  await expect(card).toBeInViewport();
}

for (const width of [1440, 1280, 768, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 } });
    test('what changes while one looks moves nothing, and the bar says what is so', async ({ retake, sandbox, page }) => {
      const batch = await sandbox.batch({ tests: 40, start: 'running', duration_ms: [2_000, 6_000], outcomes: { error: 3 } });
      await retake.openBatch(batch);
      const reason = page.locator('#rerun-reason');
      await expect(reason).toHaveText('Tick tests in the table to rerun them.');
      const top = async (): Promise<number> =>
        page.locator('.tests').evaluate((it) => it.getBoundingClientRect().top + window.scrollY);
      const before = await top();
      await expect(retake.hook('update-list')).toBeVisible({ timeout: 20_000 });
      expect(await top(), 'the table stays where it is').toBeCloseTo(before, 0);
      await retake.hook('select-all').click();
      await expect(reason).not.toContainText('Tick tests');
      await retake.hook('clear-selection').click();
      await expect(reason).toHaveText('Tick tests in the table to rerun them.');
    });
  });
}

for (const [width, height] of [[1280, 800], [1280, 720], [1440, 900], [1440, 1200]] as const) {
  test.describe(`${width} × ${height} px`, () => {
    test.use({ viewport: { width, height } });
    test('nothing covers a field of the supervise form', async ({ retake, sandbox }) => {
      // The longest preview: more failures than the limit.
      await retake.openBatch(await sandbox.batch({ tests: 12, outcomes: { error: 5, blocker: 4 } }));
      await expect(retake.hook('supervise-start')).toBeInViewport({ ratio: 1 });
      const covered = await retake.page.locator('.supervise__form [name]').evaluateAll((fields) =>
        fields
          .filter((field) => {
            const { left, right, top, bottom } = field.getBoundingClientRect();
            return [top + 2, bottom - 2].some((y) => document.elementFromPoint((left + right) / 2, y) !== field);
          })
          .map((field) => field.getAttribute('name')),
      );
      expect(covered).toEqual([]);
    });
  });
}

for (const width of [768, 390]) {
  test.describe(`${width} px wide`, () => {
    test.use({ viewport: { width, height: 844 }, hasTouch: width === 390 });
    test('the whole job is done', async ({ retake, sandbox }) => wholeJob(retake, sandbox));

    test('after a verdict the log is folded away, and the way to the tests is short', async ({ retake, sandbox, page }) => {
      const batch = await sandbox.batch({ tests: 40, outcomes: { warning: 1 } });
      await retake.openBatch(batch);
      await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '0' });
      await retake.verdict().toBe(8, 'fail');
      await expect(retake.page.locator('.verdict__outcome'), 'where one looks after the press').toBeInViewport({ ratio: 1 });
      await expect(retake.hook('decision-log')).toBeHidden();
      await page.evaluate(() => window.scrollTo(0, 0));
      await expect(retake.chip('WARNING')).toBeInViewport();
      await retake.hook('log-fold').click();
      await expect(retake.hook('decision-log')).toContainText('exit code 8');
    });
  });
}

test.describe('a short screen', () => {
  test.use({ viewport: { width: 1280, height: 600 } });
  test('shows tests, and what reruns them', async ({ retake, sandbox }) => {
    await retake.openBatch(await sandbox.batch({ tests: 40, outcomes: { error: 3 } }));
    await expect(retake.rows.first()).toBeInViewport({ ratio: 1 });
    for (const button of ['rerun-selected', 'rerun-batch-metrics']) {
      await expect(retake.hook(button)).toBeInViewport({ ratio: 1 });
    }
  });

  test('shows the latest of many runs, and how many there were', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    for (let n = 0; n < 5; n += 1) {
      const [failing] = await sandbox.failing(batch);
      await sandbox.postRerun(batch, [failing ?? '']);
      await sandbox.act(batch, 'finish');
    }
    await retake.openBatch(batch);
    const cell = retake.rows.first().locator('.runs');
    await expect(cell.locator('.runs__count')).toHaveText('6');
    await expect(cell.locator('i').filter({ visible: true })).toHaveCount(3);
    const fits = await cell.evaluate((it) => it.getBoundingClientRect().right <= (it.closest('td')?.getBoundingClientRect().right ?? 0));
    expect(fits).toBe(true);
  });
});
