/** What becomes of one rerun POST (scenarios 2 to 10, 15, 42, 44). */
import { acrossOrigins, configure, expectEnd, expectPosts, FLAKY, QUICK } from '../support/chaos.js';
import { expect, test } from '../support/retake.js';

test.describe('an answer that is lost', () => {
  test('02 the rerun is applied and its answer lost: found by looking, counted once', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '6s' });
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'drop_after_apply' });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['nobody knows yet whether the rerun was applied', 'a rerun was applied as run 2: the run counter is 2; it counts as this attempt'],
    });
  });

  test('02 a closed connection that was used before makes the browser repeat the POST: one decision, one applied rerun', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '6s' });
    const batch = await sandbox.batch({ ...FLAKY, outcomes: { flaky: [{ count: 2, fails_runs: 2 }] }, duration_ms: [2_000, 2_500] });
    // The first POST opens a connection; the second comes over it, and loses it.
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'drop_after_apply', after: 1 });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'max-rerun-attempts': '2' });
    await expectEnd(retake, sandbox, batch, {
      posts: 3,
      applied: 2,
      verdict: [0, 'pass-after-rerun'],
      says: ['accepted as run 2', 'a rerun was applied as run 3: the run counter is 3; it counts as this attempt'],
    });
    const [first, second, repeat] = await sandbox.reruns(batch);
    expect(second?.connection, 'the second POST reuses the first one\'s connection').toBe(first?.connection);
    expect(repeat?.connection, 'the browser repeats it on another').not.toBe(second?.connection);
    expect([first?.status, second?.status, repeat?.status]).toEqual([200, 0, 409]);
    expect(repeat?.body).toEqual(second?.body);
    // The 409 was looked into, not waited out.
    await expect(retake.hook('decision-log')).not.toContainText('the platform is cleaning up');
  });

  test('03 the rerun never arrives: after the settle window it is decided anew and sent once more', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '4s' });
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'drop' });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 2,
      applied: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['nobody knows yet whether the rerun was applied', 'the rerun was not applied: deciding anew on a fresh picture', 'accepted as run 2'],
    });
    const [lost, sent] = await sandbox.reruns(batch);
    expect((sent?.at_ms ?? 0) - (lost?.at_ms ?? 0), 'the settle window is waited out').toBeGreaterThan(4_000);
  });

  test('03 strict: where no look shows the rerun, a person says so, and nothing is sent before', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '3s', ask_person: true });
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'drop' });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(page.getByTestId('supervise-doing')).toContainText('Look it up at ReSim, then say so');
    await expectPosts(sandbox, batch, 1);
    await retake.hook('rerun-was-not-applied').click();
    await expectEnd(retake, sandbox, batch, {
      posts: 2,
      applied: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['by the strict setting only a person may say', 'accepted as run 2'],
    });
  });

  test('04 stopped while the rerun may still arrive: said, and nothing is started before it has or never will', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '15s' });
    const batch = await sandbox.batch({ ...FLAKY, duration_ms: [80_000, 90_000] });
    await sandbox.act(batch, 'finish');
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'late_apply_ms', ms: 10_000 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(retake.hook('decision-log')).toContainText('nobody knows yet whether the rerun was applied');
    await retake.hook('supervise-stop').click();
    await expect(retake.hook('may-still-land')).toContainText('ReSim may still apply that, until');
    await page.getByRole('button', { name: 'Supervise again' }).click();
    await retake.hook('supervise-start').click();
    await expect(page.locator('.supervise')).toContainText('has no answer yet; ReSim may still apply it, until');
    await expectPosts(sandbox, batch, 1);
    await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 30_000 }).toBe(2);
    // Once the window is over it can be started, and follows the run that is there.
    await expect(async () => {
      if (await retake.hook('supervise-start').isVisible()) await retake.hook('supervise-start').click({ timeout: 1_000 });
      await expect(retake.hook('supervise-stop')).toBeVisible({ timeout: 2_000 });
    }).toPass({ timeout: 60_000 });
    await expectEnd(retake, sandbox, batch, { posts: 1, verdict: null, says: ['EXPERIENCES_RUNNING'] });
  });

  test('04 the rerun arrives late, within the settle window: waited for, not sent again', async ({ retake, sandbox, page }) => {
    // 50 s of 95 s, a fifth of each.
    await configure(page, { settle_window: '19s' });
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'late_apply_ms', ms: 10_000 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['looking, sending nothing', 'a rerun was applied as run 2'],
    });
  });

  test('05 a gateway answers 502 although the rerun was applied', async ({ retake, sandbox, page }) => {
    // Whoever ran it, ours may still land until the window is over, and no verdict is given before.
    await configure(page, { settle_window: '6s' });
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '502_after_apply' });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['the API failed (HTTP 502)', 'a rerun was applied as run 2'],
    });
  });

  test('05 a gateway that sends the rerun on to another address: it is not followed, and sent once to the API', async ({ retake, sandbox, page }) => {
    await configure(page, { settle_window: '4s' });
    const batch = await sandbox.batch(FLAKY);
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/elsewhere')) elsewhere.push(request.method());
    });
    let redirected = 0;
    await page.route('**/rerun', async (route) => {
      redirected += 1;
      // 307 keeps method and body: a browser that follows it sends the rerun there.
      if (redirected === 1) await route.fulfill({ status: 307, headers: { location: '/elsewhere/rerun' } });
      else await route.fallback();
    });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['nobody knows yet whether the rerun was applied', 'the rerun was not applied: deciding anew on a fresh picture', 'accepted as run 2'],
    });
    expect(redirected, 'the first, and the one that was decided anew').toBe(2);
    expect(elsewhere).toEqual([]);
  });

  test('05 an answer that says yes and cannot be read is no proof, and no reason to send again', async ({ retake, sandbox, page }) => {
    // Whoever ran it, ours may still land until the window is over, and no verdict is given before.
    await configure(page, { settle_window: '6s' });
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'truncated' });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['the answer cannot be read (HTTP 200)', 'a rerun was applied as run 2'],
    });
  });
});

test.describe('from another origin', () => {
  // The site's policy allows `https:` only, and the sandbox speaks `http:`.
  test.use({ bypassCSP: true, provoked: /blocked by CORS policy/ });

  test('06 an error without CORS headers after the rerun was applied looks like no answer', async ({ retake, sandbox, page, baseURL }) => {
    await acrossOrigins(page, baseURL);
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '502_no_cors_after_apply' });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['no answer from the API (offline, dropped, or blocked by CORS)', 'a rerun was applied as run 2'],
    });
  });

  test('10 a 429 whose Retry-After may not be read: waits a default time, then looks and sends', async ({ retake, sandbox, page, baseURL }) => {
    await acrossOrigins(page, baseURL);
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '429', retry_after: 600 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expect(page.locator('.supervise')).toContainText(/Too many requests; next try in \d s/);
    await expectEnd(retake, sandbox, batch, {
      posts: 2,
      applied: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['too many requests (429)', 'sent again, as nothing had moved (try 2)', 'accepted as run 2'],
    });
    const [refused, sent] = await sandbox.reruns(batch);
    expect((sent?.at_ms ?? 0) - (refused?.at_ms ?? 0)).toBeGreaterThanOrEqual(10_000);
  });
});

test.describe('an answer that says no', () => {
  test('07 409 twice, then accepted: looked into each time, sent three times, applied once', async ({ retake, sandbox }) => {
    test.setTimeout(120_000);
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 2 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 3,
      applied: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['the platform is cleaning up (409)', 'sent again, as nothing had moved (try 3)', 'accepted as run 2'],
      timeout: 90_000,
    });
  });

  test('08 409 because somebody else reran just before: theirs is followed, ours is not sent again', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ ...FLAKY, duration_ms: [2_000, 3_000] });
    // Between the decision and the POST, somebody else is quicker.
    await page.route('**/rerun', async (route) => {
      await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs });
      await route.continue();
    });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      applied: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['a rerun was applied as run 2: the run counter is 2; it counts as this attempt'],
    });
    expect((await sandbox.reruns(batch))[0]?.status).toBe(409);
    await expect(retake.hook('decision-log')).not.toContainText('the platform is cleaning up');
  });

  test('08 somebody else reruns while nothing of ours is open: followed, and it costs no attempt', async ({ retake, sandbox }) => {
    test.setTimeout(150_000);
    const batch = await sandbox.batch({ ...FLAKY, start: 'running', duration_ms: [9_000, 10_000], outcomes: { flaky: [{ count: 2, fails_runs: 2 }] } });
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '3s' });
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await sandbox.act(batch, 'finish');
    await sandbox.act(batch, 'rerun', { jobIDs: batch.jobIDs });
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      applied: 2,
      verdict: [0, 'pass-after-rerun'],
      says: ['run 2 was started outside of this supervision: following it, it costs no attempt', 'accepted as run 3'],
      // Their run is quick; its tests are decided on once it is a minute old.
      timeout: 120_000,
    });
  });

  test('09 409 for ever: given up after three tries, and said', async ({ retake, sandbox }) => {
    test.setTimeout(120_000);
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '409', times: 100 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 3,
      applied: 0,
      verdict: [1, 'could-not-tell'],
      says: ['the platform stayed busy through every try'],
      timeout: 90_000,
    });
  });

  test('15 403: the permission that is missing is said, nothing is sent again', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch(FLAKY);
    await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '403', times: 100 });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      applied: 0,
      verdict: [1, 'could-not-tell'],
      says: ['the rerun was refused', 'missing privilege batches:write'],
    });
  });
});

test.describe('what the batch does', () => {
  test('42 exactly the limit is not more than the limit: rerun', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ ...FLAKY, outcomes: { flaky: [{ count: 6, fails_runs: 1 }] } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'rerun-max-failure-percent': '50' });
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['6 of 12 = 50.0 %', 'rerun 6 tests, attempt 1'],
    });
  });

  test('42 one test more than the limit: never rerun', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ ...FLAKY, outcomes: { flaky: [{ count: 7, fails_runs: 1 }] } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'rerun-max-failure-percent': '50' });
    await expectEnd(retake, sandbox, batch, {
      posts: 0,
      verdict: [2, 'fail'],
      says: ['7 of 12 = 58.3 %', 'more tests match than the limit allows'],
    });
  });

  test('43 cancelled between two looks: ends as cancelled, never rerun', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, start: 'running', duration_ms: [1_000, 30_000], parallel: 4, outcomes: { error: 2 } });
    await retake.openBatch(batch);
    await retake.supervise({ 'poll-every': '4s' });
    await expect(retake.hook('decision-log')).toContainText('EXPERIENCES_RUNNING');
    await sandbox.act(batch, 'cancel');
    await sandbox.act(batch, 'finish');
    await expectEnd(retake, sandbox, batch, {
      posts: 0,
      verdict: [5, 'cancelled'],
      says: ['The batch status is CANCELLED, which always exits 5.'],
    });
  });

  test('44 the rerun happens in a new batch, which is followed', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ ...FLAKY, rerun_answer: { new_batch_id: true } });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await retake.verdict().toBe(0, 'pass-after-rerun');
    await expectPosts(sandbox, batch, 1);
    expect((await sandbox.state(batch)).runCounter, 'the old batch stays as it was').toBe(1);
    await retake.hook('supervision-row').getByRole('link').click();
    await expect(page).toHaveURL((url) => !url.pathname.includes(batch.batchID));
    const followed = { ...batch, batchID: new URL(page.url()).pathname.split('/').pop() ?? '' };
    await expectPosts(sandbox, followed, 0);
    await expect(retake.hook('decision-log')).toContainText('accepted as run');
  });
});
