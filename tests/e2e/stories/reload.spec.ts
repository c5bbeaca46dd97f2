import { expect, test, heldBack } from '../support/retake.js';

const QUICK = { 'poll-every': '1s' };

test.describe('reload in the middle', () => {
  test('a supervision goes on where it was, and ends once', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({
      tests: 16,
      start: 'running',
      duration_ms: [6_000, 8_000],
      outcomes: { flaky: [{ count: 2, fails_runs: 1 }] },
    });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await page.reload();
    await expect(retake.hook('decision-log')).toContainText('taken up again');
    await retake.verdict().toBe(0, 'pass-after-rerun');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('a supervision that waits for the platform still does after a reload, and nothing is in doubt', async ({ retake, sandbox, page }) => {
    test.setTimeout(90_000);
    const batch = await sandbox.batch({ tests: 12, outcomes: { flaky: [{ count: 2, fails_runs: 1 }] }, duration_ms: [500, 900] });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise(QUICK);
    await expect(retake.hook('supervise-doing')).toContainText(/The platform is cleaning up; next try in \d+ s/);
    await page.reload();
    await expect(retake.hook('decision-log')).toContainText('taken up again');
    await expect(retake.hook('supervise-doing')).toContainText(/The platform is cleaning up; next try in \d+ s/);
    await retake.verdict(60_000).toBe(0, 'pass-after-rerun');
    expect((await sandbox.reruns(batch)).map((it) => it.status)).toEqual([409, 200]);
  });

  test('a batch that cannot be read after a reload says that its supervision goes on, and leads there', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await page.route('**/v1/**', (route) => route.abort());
    await page.reload();
    const note = retake.hook('supervised-meanwhile');
    await expect(note).toContainText(`${batch.name} is supervised all the same`);
    await note.getByRole('link').click();
    await expect(retake.hook('supervision-row')).toContainText(batch.name);
    await page.unroute('**/v1/**');
    await page.goBack();
    await expect(retake.hook('decision-log')).toContainText('taken up again');
    await expect(note).toHaveCount(0);
  });

  test('a verdict is still there after a reload', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { warning: 1 } });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0' });
    await retake.verdict().toBe(8, 'fail');
    await page.reload();
    await retake.verdict().toBe(8, 'fail');
  });

  test('a pasted token is asked for again; the supervision waits for it and goes on', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [7_000, 9_000] });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await page.reload();
    await retake.hook('sign-in-token').fill('test-token');
    await retake.hook('sign-in-token-submit').click();
    await retake.verdict().toBe(0, 'clean-pass');
  });

  test('a session that expires pauses supervision, which goes on after sign-in', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [8_000, 10_000] });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await sandbox.fault({ path_contains: batch.batchID, fault: '401', times: 1 });
    await expect(retake.hook('sign-in-why')).toContainText('Supervision of 1 batch is paused');
    await retake.hook('sign-in-token').fill('fresh');
    await retake.hook('sign-in-token-submit').click();
    await retake.verdict().toBe(0, 'clean-pass');
  });

  test('a selection and a half-typed policy survive a reload', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 30, outcomes: { error: 5 } });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await expect(retake.hook('selected-count')).toHaveText('5');
    await retake.field('wait-timeout').fill('2h30m');
    await page.reload();
    await expect(retake.hook('selected-count')).toHaveText('5');
    await expect(retake.field('wait-timeout')).toHaveValue('2h30m');
  });

  test('what was ticked before a reload is rerun as a whole, once all of it is listed', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 300, outcomes: { error: 5 } });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await expect(retake.hook('row-count')).toHaveText('300 of 300 tests');
    await retake.hook('select-all').click();
    await expect(retake.hook('selected-count')).toHaveText('300');
    const letOn = await heldBack(page, /\/jobs\?.*pageToken=./);
    await page.reload();
    await expect(retake.rows.first()).toBeVisible();
    await expect(retake.hook('selected-count')).toHaveText('300');
    const rerun = retake.hook('rerun-selected');
    await expect(rerun).toHaveAttribute('aria-disabled', 'true');
    await expect(rerun).toHaveAccessibleDescription(/^\d{3} tests that were ticked before are still being read: a rerun waits for that/);
    await rerun.click({ force: true });
    await expect(page.getByRole('dialog')).toHaveCount(0);
    letOn();
    await rerun.click();
    await expect(page.getByRole('dialog')).toContainText('Rerun 300 of 300 tests?');
  });

  test('tests that were ticked while others were still read are told as such, to the end', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 300, outcomes: { error: 5 } });
    const letOn = await heldBack(page, /\/jobs\?.*pageToken=./);
    await retake.signIn(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    // A hundred, and not only the failing ones, which are read first.
    await expect(retake.rows.nth(12)).toBeVisible();
    await retake.hook('select-all').click();
    const reason = /^Ticked among the 10\d tests that were read by then; what came after is not ticked\.$/;
    await expect(retake.hook('rerun-selected')).toHaveAccessibleDescription(reason);
    letOn();
    await expect(retake.hook('row-count')).toHaveText('300 of 300 tests');
    await expect(retake.hook('rerun-selected')).toHaveAccessibleDescription(reason);
    await retake.hook('rerun-selected').click();
    await expect(retake.hook('confirm-partial')).toHaveText(/^Ticked when 10\d of 300 tests were read: none of the others is among them\.$/);
    // Most of them have passed: Enter alone reruns nothing.
    await expect(retake.hook('dismiss')).toBeFocused();
    await page.getByRole('button', { name: 'Untick those' }).click();
    await expect(page.getByRole('dialog')).toContainText('Rerun 5 of 300 tests?');
    await expect(retake.hook('confirm-partial')).toHaveText(/^Ticked when 10\d of 300 tests were read/);
  });

  test('parameters that were set for another batch are not passed over in silence', async ({ retake, sandbox }) => {
    const [one, other] = [await sandbox.batch({ tests: 12 }), await sandbox.batch({ tests: 12 })];
    await retake.openBatch(one);
    await expect(retake.hook('policy-origin')).toHaveText('These are the documented defaults.');
    await retake.fillPolicy({ 'max-rerun-attempts': '3' });
    await expect(retake.hook('policy-origin')).toContainText('Not the documented defaults.');
    await retake.openBatch(other);
    await expect(retake.field('max-rerun-attempts')).toHaveValue('3');
    await expect(retake.hook('policy-origin')).toContainText('Filled in as last set in this browser.');
    await retake.hook('policy-defaults').click();
    await expect(retake.field('max-rerun-attempts')).toHaveValue('1');
    await expect(retake.hook('policy-defaults')).toHaveCount(0);
  });

  test('a rerun that was sent as the page went is found again, not sent again', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 2 }, duration_ms: [20_000, 25_000] });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}`);
    await retake.hook('select-failed').click();
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'late_apply_ms', ms: 4_000, times: 1 });
    await retake.hook('rerun-selected').click();
    await retake.hook('confirm').click();
    await expect(retake.hook('rerun-steps')).toContainText('Sent');
    await expect.poll(async () => (await sandbox.reruns(batch)).length).toBe(1);
    await page.reload();
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2', { timeout: 30_000 });
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });
});
