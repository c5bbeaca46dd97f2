/** Takes the README's pictures: `cargo xtask pictures`. Not a test of anything. */
import { expect, test } from '../support/retake.js';

const FOLDER = '../../docs/images';

test.use({ viewport: { width: 1280, height: 800 } });

for (const scheme of ['light', 'dark'] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme });

    test('a batch with its failures ticked', async ({ retake, sandbox, page }) => {
      const batch = await sandbox.batch({ tests: 320, outcomes: { error: 9, blocker: 5, warning: 3 } }, 'nightly-482');
      await retake.openBatch(batch);
      await retake.hook('select-failed').click();
      await expect(retake.hook('selected-count')).toHaveText('17');
      await page.screenshot({ path: `${FOLDER}/batch-${scheme}.png` });
    });

    test('a verdict with its log', async ({ retake, sandbox, page }) => {
      const batch = await sandbox.batch(
        {
          tests: 60,
          duration_ms: [300, 900],
          outcomes: { flaky: [{ count: 3, fails_runs: 1, as: 'error' }] },
        },
        'release-candidate-7',
      );
      await retake.openBatch(batch);
      await retake.supervise({ 'poll-every': '1s', 'max-rerun-attempts': '2', 'rerun-max-failure-percent': '30' });
      await retake.verdict().toBe(0, 'pass-after-rerun');
      await page.screenshot({ path: `${FOLDER}/verdict-${scheme}.png` });
    });
  });
}

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('the same batch', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 120, outcomes: { error: 4, blocker: 2 } }, 'nightly-482');
    await retake.openBatch(batch);
    await page.screenshot({ path: `${FOLDER}/phone.png` });
  });
});
