import type { Locator } from '@playwright/test';

import { configure } from '../support/chaos.js';
import { expect, test, type Batch } from '../support/retake.js';

const QUICK = { 'poll-every': '1s' };

test.describe('supervise to the verdict', () => {
  test('0: nothing fails, a clean pass', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [500, 1_500] });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await retake.verdict().toBe(0, 'clean-pass');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
    await expect(retake.page).toHaveTitle(/Clean pass/);
  });

  test('0: flaky tests pass after a rerun, and are named', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({
      tests: 20,
      start: 'running',
      duration_ms: [300, 900],
      outcomes: { flaky: [{ count: 3, fails_runs: 1, as: 'error' }] },
    });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '2' });
    await retake.verdict().toBe(0, 'pass-after-rerun');
    await expect(retake.hook('verdict')).toContainText('3 tests passed after rerun');
    const sent = await sandbox.reruns(batch);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.body?.jobIDs).toHaveLength(3);
    expect(sent[0]?.body?.syncBatch).toBe(false);
    await expect(retake.hook('decision-log')).toContainText('3 of 20 = 15.0 %');
  });

  test('0: where nothing is set to fail, what fails stands beside the pass', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { blocker: 3 } });
    await retake.openBatch(batch);
    await retake.fillPolicy({ ...QUICK, 'rerun-on-states': '' });
    await expect(page.getByRole('status', { name: 'What would happen now' })).toContainText('No state is set to fail');
    await retake.hook('supervise-start').click();
    await retake.verdict().toBe(0, 'pass-hiding-failures');
    await expect(retake.hook('verdict')).toContainText('3 tests failed without failing the batch');
  });

  test('0: what fails in a state that is not set to fail is no clean pass', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { blocker: 2 } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0', 'fail-on-states': 'Warning' });
    await retake.verdict().toBe(0, 'pass-hiding-failures');
    await expect(retake.hook('verdict')).toContainText('2 tests are in BLOCKER, beside a pass; set to fail: only Warning.');
    await expect(retake.hook('verdict')).toContainText('2 tests failed without failing the batch');
  });

  test('2: what failed the batch is named, whether it was watched or not', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1, warning: 2 } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0', 'rerun-on-states': 'Warning' });
    await retake.verdict().toBe(2, 'fail');
    await expect(retake.hook('verdict')).toContainText('3 tests in a state that fails');
    // Each name leads to its test: here beside the list, elsewhere by its link.
    const name = retake.hook('verdict-test').nth(1);
    const named = (await name.textContent()) ?? '';
    expect(named).toMatch(/^\w+$/);
    await name.click();
    await expect(retake.hook('test-drawer')).toContainText(named);
    const link = new URLSearchParams((await name.getAttribute('href')) ?? '').get('test');
    expect(link).toMatch(/^[-0-9a-f]{36}$/);
    await expect(retake.page).toHaveURL((url) => url.searchParams.get('test') === link);
    // Closed, the hand is where it was.
    await retake.page.keyboard.press('Escape');
    await expect(retake.hook('test-drawer')).toHaveCount(0);
    await expect(name).toBeFocused();
  });

  test('a verdict names a few of many, and all of them at a press', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 7 } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0' });
    await retake.verdict().toBe(2, 'fail');
    const named = retake.hook('verdict-test').filter({ visible: true });
    await expect(named).toHaveCount(5);
    await expect(retake.hook('verdict-more')).toHaveText('2 more');
    await retake.hook('verdict-more').click();
    await expect(named).toHaveCount(7);
    await expect(named.nth(5), 'the hand goes on there').toBeFocused();
    await expect(retake.hook('verdict-more')).toHaveCount(0);
  });

  test('a rerun by hand of a batch that is supervised says what becomes of that', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    await retake.hook('rerun-batch-metrics').click();
    await expect(page.getByRole('dialog')).toContainText('Rerun batch metrics');
    await expect(retake.hook('confirm-supervised')).toHaveCount(0);
    await retake.hook('dismiss').click();
    await retake.supervise({ 'poll-every': '30s' });
    await expect(retake.hook('decision-log')).toContainText('started on batch');
    await retake.hook('rerun-batch-metrics').click();
    await expect(retake.hook('confirm-supervised')).toContainText('its supervision follows this run');
  });

  test('a link fills the form in, and only a click starts', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.openBatch(batch, '?max-rerun-attempts=3&wait-timeout=2h');
    await expect(retake.field('max-rerun-attempts')).toHaveValue('3');
    await expect(retake.field('wait-timeout')).toHaveValue('2h');
    await expect(retake.field('poll-every')).toHaveValue('30s');
    await expect(retake.hook('policy-origin')).toContainText('Filled in by the link');
    await expect(retake.hook('decision-log')).toHaveCount(0);
  });

  test('what a link filled in, and what was made of it, survives a reload and says where it is from', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 1 } });
    await retake.signInByProvider(`/projects/${batch.projectID}/batches/${batch.batchID}?max-rerun-attempts=3`);
    await expect(retake.hook('policy-origin')).toContainText('Filled in by the link that led here.');
    // A filter writes the address anew.
    await retake.chip('ERROR').click();
    await expect(page).toHaveURL((url) => !url.search.includes('max-rerun'));
    await page.reload();
    await expect(retake.field('max-rerun-attempts')).toHaveValue('3');
    await expect(retake.hook('policy-origin')).toHaveText(/As a link filled it in earlier in this tab\./);
    await retake.field('wait-timeout').fill('2h');
    await expect(retake.hook('policy-origin')).toContainText('earlier in this tab, and changed since.');
    await page.reload();
    await expect(retake.field('wait-timeout')).toHaveValue('2h');
    await expect(retake.field('max-rerun-attempts')).toHaveValue('3');
    await expect(retake.hook('policy-origin')).toContainText('earlier in this tab, and changed since.');
    // A batch that no link led to knows nothing of it but what was last set.
    const other = await sandbox.batch({ tests: 12 });
    await page.goto(`/projects/${other.projectID}/batches/${other.batchID}`);
    await expect(retake.hook('policy-origin')).toContainText('as last set in this browser');
  });

  test('a link that is opened again fills in again, and is made use of once', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    const path = `/projects/${batch.projectID}/batches/${batch.batchID}`;
    await retake.signInByProvider(`${path}?max-rerun-attempts=3&poll-every=1s`);
    await retake.fillPolicy({ 'max-rerun-attempts': '7' });
    await page.reload();
    await expect(retake.field('max-rerun-attempts'), 'a reload loses nothing').toHaveValue('7');
    await expect(retake.hook('policy-origin')).toContainText('by the link that led here, and changed since.');
    await page.goto('/supervisions');
    await expect(page.getByRole('heading', { name: 'Nothing is supervised' })).toBeVisible();
    await page.goto(`${path}?max-rerun-attempts=3&poll-every=1s`);
    await expect(retake.field('max-rerun-attempts')).toHaveValue('3');
    await expect(retake.hook('policy-origin')).toContainText('Filled in by the link that led here.');
    // What a supervision has begun with is not filled in a second time.
    await retake.fillPolicy({ 'max-rerun-attempts': '4' });
    await retake.hook('supervise-start').click();
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await retake.hook('supervise-stop').click();
    await expect(retake.hook('supervise-stopped')).toBeVisible();
    await page.getByRole('button', { name: 'Supervise again' }).click();
    await expect(retake.field('max-rerun-attempts'), 'as it was run').toHaveValue('4');
    await page.goto(path);
    await expect(retake.hook('supervise-stopped')).toBeVisible();
    await expect.poll(async () => page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('retake-linked-')))).toEqual([]);
  });

  test('who supervises again goes on from what a link had filled in', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12 });
    await retake.openBatch(batch, '?max-rerun-attempts=3&poll-every=1s');
    await retake.hook('supervise-start').click();
    await retake.verdict().toBe(0, 'clean-pass');
    await page.getByRole('button', { name: 'Supervise again' }).click();
    await expect(retake.field('max-rerun-attempts')).toHaveValue('3');
    await expect(retake.field('poll-every')).toHaveValue('1s');
    await expect(retake.hook('policy-origin')).toContainText('Filled in as last set in this browser.');
  });

  test('the title over another batch of the name, which nobody supervises, says which one it tells of', async ({ retake, sandbox, page }) => {
    const name = `namesakes-${Date.now()}`;
    const watched = await sandbox.batch({ tests: 12, start: 'running', hang: true }, name);
    const other = await sandbox.batch({ tests: 12 }, name);
    await retake.signInByProvider(`/projects/${watched.projectID}/batches/${watched.batchID}`);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await expect(page).toHaveTitle(new RegExp(`^● \\d+ of 12 · .* · ${name} · Retake$`));
    await page.goto(`/projects/${other.projectID}/batches/${other.batchID}`);
    await expect(retake.hook('row-count')).toHaveText(/12 tests/);
    await expect(page).toHaveTitle(new RegExp(`^● \\d+ of 12: ${name} \\(${watched.batchID.slice(0, 8)}\\) · .*${name} · Retake$`));
    // A page that is about no batch.
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await expect(page).toHaveTitle(new RegExp(`^● \\d+ of 12: ${name} · .*Supervisions · Retake$`));
  });

  test('no command is copied of parameters that are wrong', async ({ retake, sandbox, page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await retake.openBatch(await sandbox.batch({ tests: 12 }));
    await page.evaluate(async () => navigator.clipboard.writeText('mine'));
    await retake.fillPolicy({ 'wait-timeout': 'abc' });
    await page.getByRole('button', { name: 'Copy CLI command' }).click();
    await expect(page.getByRole('region', { name: 'Messages' })).toContainText('Correct the marked fields first');
    expect(await page.evaluate(async () => navigator.clipboard.readText())).toBe('mine');
  });

  test('the title says whose progress and whose verdict it shows', async ({ retake, sandbox }) => {
    const long = await sandbox.batch({ tests: 12, start: 'running', hang: true }, `long-${Date.now()}`);
    const short = await sandbox.batch({ tests: 12 }, `short-${Date.now()}`);
    await retake.openBatch(long);
    await retake.supervise(QUICK);
    await expect(retake.page).toHaveTitle(/^● \d+ of 12 · .*long-/);
    await retake.page.getByRole('link', { name: 'Warehouse robots' }).click();
    await retake.page.getByRole('link', { name: short.name }).click();
    await retake.supervise(QUICK);
    await retake.verdict().toBe(0, 'clean-pass');
    await expect(retake.page).toHaveTitle(new RegExp(`^● \\d+ of 12: ${long.name} · .* · Clean pass · ${short.name}`));
  });

  test('a look changes what is said, and takes no button away from under the hand', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    const stop = retake.hook('supervise-stop');
    await stop.focus();
    const button = await stop.elementHandle();
    const looks = async () => (await sandbox.requests(`/batches/${batch.batchID}`, 'GET')).length;
    const before = await looks();
    await expect.poll(looks).toBeGreaterThan(before + 3);
    await expect(stop).toBeFocused();
    expect(await button?.evaluate((it) => it.isConnected)).toBe(true);
    await page.keyboard.press('Enter');
    await expect(retake.hook('supervise-stopped')).toBeVisible();
  });

  test('2: errors that stay, after every attempt', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, duration_ms: [200, 400], outcomes: { error: 2 } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '2' });
    await retake.verdict().toBe(2, 'fail');
    await expect(retake.hook('verdict')).toContainText(/[12] tests? failed again/);
    expect(await sandbox.reruns(batch)).toHaveLength(2);
  });

  test('2: more failures than the limit allows are never rerun', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 7 } });
    await retake.openBatch(batch);
    await expect(page.getByRole('status', { name: 'What would happen now' })).toContainText('7 of 12 match, 58.3 %');
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '5' });
    await retake.verdict().toBe(2, 'fail');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
    await expect(retake.hook('decision-log')).toContainText('more tests match than the limit allows');
  });

  test('5: a batch that somebody cancels', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [1_000, 30_000], parallel: 4 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await sandbox.act(batch, 'cancel');
    await sandbox.act(batch, 'finish');
    await retake.verdict().toBe(5, 'cancelled');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
  });

  test('6: a batch that does not finish in time', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'wait-timeout': '3s' });
    await retake.verdict().toBe(6, 'timed-out');
    await expect(retake.hook('verdict')).toContainText('EXPERIENCES_RUNNING');
  });

  test('7: a blocker that stays', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, duration_ms: [200, 400], outcomes: { blocker: 1 } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '1' });
    await retake.verdict().toBe(7, 'fail');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });

  test('8: a warning that stays', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, duration_ms: [200, 400], outcomes: { warning: 1 } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0' });
    await retake.verdict().toBe(8, 'fail');
    expect(await sandbox.reruns(batch)).toHaveLength(0);
  });

  test('0 with failures beside it: what the one word hides is said', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({
      tests: 12,
      outcomes: { blocker: 1, warning: 1 },
    });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0', 'rerun-on-states': 'Warning' });
    await retake.verdict().toBe(0, 'pass-hiding-failures');
  });
});

test.describe('the supervise panel', () => {
  test('refuses bad values beside the field, at once, with the fix', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12 });
    await retake.openBatch(batch);
    for (const [name, bad, good] of [
      ['max-rerun-attempts', '-1', '1'],
      ['max-rerun-attempts', '1.5', '1'],
      ['rerun-max-failure-percent', '0', '50'],
      ['rerun-max-failure-percent', '100.5', '50'],
      ['rerun-max-failure-percent', 'NaN', '50'],
      ['rerun-on-states', 'Error,', 'Error'],
      ['fail-on-states', 'Flaky', ''],
      ['poll-every', '30', '30s'],
      ['poll-every', '500ms', '30s'],
      ['wait-timeout', '1 h', '1h'],
    ] as const) {
      await retake.field(name).fill(bad);
      await expect(retake.field(name), `${name} ${bad}`).toHaveAttribute('aria-invalid', 'true');
      await retake.hook('supervise-start').click();
      await expect(retake.hook('supervise-stop')).toHaveCount(0);
      await retake.field(name).fill(good);
      await expect(retake.field(name), `${name} ${good}`).not.toHaveAttribute('aria-invalid', 'true');
    }
  });

  test('pauses, goes on, and stops without a verdict', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', hang: true });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    const panel = page.locator('.supervise');
    await panel.getByRole('button', { name: 'Pause' }).click();
    await expect(panel).toContainText('Paused. Nothing happens until you resume.');
    await panel.getByRole('button', { name: 'Resume' }).click();
    await expect(panel).toContainText('Waiting');
    await retake.hook('supervise-stop').click();
    await expect(retake.hook('decision-log')).toContainText('stopped by hand');
    await expect(retake.hook('verdict')).toHaveCount(0);
  });

  test('several batches are supervised at once and listed', async ({ retake, sandbox, page }) => {
    const first = await sandbox.batch({ tests: 12, start: 'running', hang: true }, `one-${Date.now()}`);
    const second = await sandbox.batch({ tests: 12, outcomes: { blocker: 1 } }, `two-${Date.now()}`);
    await retake.openBatch(first);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await page.getByRole('link', { name: 'Warehouse robots' }).click();
    await retake.hook('open-batch').fill(second.batchID);
    await retake.hook('open-batch').press('Enter');
    await expect(page.getByRole('heading', { level: 1, name: second.name })).toBeVisible();
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '0' });
    await retake.verdict().toBe(7, 'fail');
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await expect(retake.hook('supervision-row')).toHaveCount(2);
    await expect(retake.hook('supervision-row').filter({ hasText: first.name })).toContainText('Waiting');
    await expect(retake.hook('supervision-row').filter({ hasText: second.name })).toContainText('exit 7');
  });

  test('two supervised batches of one name are told apart', async ({ retake, sandbox, page }) => {
    const name = `twins-${Date.now()}`;
    const first = await sandbox.batch({ tests: 12, start: 'running', hang: true }, name);
    const second = await sandbox.batch({ tests: 12, start: 'running', hang: true }, name);
    await retake.signInByProvider(`/projects/${first.projectID}/batches/${first.batchID}`);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await page.getByRole('link', { name: /Supervisions/ }).click();
    const link = (batch: Batch): Locator => page.getByRole('link', { name: `${name} (${batch.batchID.slice(0, 8)})` });
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
    await expect(link(first), 'no other has its name').toHaveCount(0);
    await page.goto(`/projects/${second.projectID}/batches/${second.batchID}`);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await sandbox.act(second, 'finish');
    await retake.verdict().toBe(0, 'clean-pass');
    await expect(page).toHaveTitle(new RegExp(`of 12: ${name} \\(${first.batchID.slice(0, 8)}\\) · .*Clean pass: ${name} \\(${second.batchID.slice(0, 8)}\\)`));
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await expect(link(first)).toBeVisible();
    await expect(link(second)).toBeVisible();
  });

  test('failed reads are ridden out and said', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [300, 700], hang: true });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '503_html', times: 4 });
    await expect(retake.hook('decision-log')).toContainText('could not read the batch');
    await sandbox.act(batch, 'finish');
    await retake.verdict().toBe(0, 'clean-pass');
  });

  test('a platform that is cleaning up is waited for, and the rerun sent once it is ready', async ({ retake, sandbox }) => {
    test.setTimeout(90_000);
    const batch = await sandbox.batch({
      tests: 12,
      duration_ms: [200, 400],
      outcomes: { flaky: [{ count: 1, fails_runs: 1 }] },
    });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 1 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.page.locator('.supervise')).toContainText(/The platform is cleaning up; next try in \d+ s/);
    await retake.verdict(60_000).toBe(0, 'pass-after-rerun');
    expect(await sandbox.reruns(batch)).toHaveLength(2);
  });

  test('a lost rerun answer is resolved by looking; it counts once', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '6s' });
    const batch = await sandbox.batch({
      tests: 12,
      duration_ms: [500, 900],
      outcomes: { flaky: [{ count: 2, fails_runs: 1 }] },
    });
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '502_after_apply', times: 1 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await retake.verdict().toBe(0, 'pass-after-rerun');
    expect(await sandbox.reruns(batch)).toHaveLength(1);
  });
});
