/** Sign-ins that end at the wrong moment (scenarios 11 to 14). */
import { configure, expectEnd, expectPosts, expectWatching, finishRuns, FLAKY, FLAKY_RUNNING, QUICK, signInTo } from '../support/chaos.js';
import { expect, test } from '../support/retake.js';

test('11 a token that ends between two looks is renewed; supervision does not notice', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await signInTo(retake, batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  let renewals = 0;
  page.on('request', (request) => {
    if (request.url().includes('/oauth/token')) renewals += 1;
  });
  await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '401' });
  await expect.poll(() => renewals).toBe(1);
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['accepted as run 2'],
  });
  await expect(retake.hook('decision-log')).not.toContainText('signed out');
  expect(renewals, 'refreshes in all').toBe(1);
});

test('11 the provider hangs while a token is about to end: looks go on with it, the rerun waits for another', async ({ retake, sandbox, page }) => {
  test.slow();
  const batch = await sandbox.batch(FLAKY_RUNNING);
  let asked = 0;
  let open = (): void => {};
  const opened = new Promise<void>((done) => (open = done));
  await page.route('**/oauth/token', async (route) => {
    if (route.request().postData()?.includes('grant_type=refresh_token')) {
      asked += 1;
      await opened;
      return route.fallback();
    }
    // Due after 20 s; from 35 s on a read does not rely on it.
    const answer = await route.fetch();
    const given = (await answer.json()) as Record<string, unknown>;
    await route.fulfill({ response: answer, json: { ...given, expires_in: 40 } });
  });
  await signInTo(retake, batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await expect.poll(() => asked).toBe(1);
  const looks = async () => (await sandbox.requests(`/batches/${batch.batchID}`, 'GET')).length;
  const before = await looks();
  await expect.poll(looks, { timeout: 15_000 }).toBeGreaterThanOrEqual(before + 2);
  expect(asked, 'the provider hangs still').toBe(1);
  await sandbox.act(batch, 'finish');
  await page.waitForTimeout(3_000);
  await expectPosts(sandbox, batch, 0);
  open();
  await expect.poll(async () => (await sandbox.state(batch)).runCounter, { timeout: 90_000 }).toBe(2);
  await sandbox.act(batch, 'finish');
  await expectEnd(retake, sandbox, batch, { posts: 1, verdict: [0, 'pass-after-rerun'], says: ['accepted as run 2'] });
  await expect(retake.hook('decision-log')).not.toContainText('signed out');
});

test('12 401 to the rerun: not applied; after sign-in it looks, then sends once more', async ({ retake, sandbox }) => {
  const batch = await sandbox.batch(FLAKY);
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '401' });
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expect(retake.hook('sign-in-why')).toContainText('Supervision of 1 batch is paused');
  await expectPosts(sandbox, batch, 1);
  await retake.hook('sign-in-token').fill('fresh');
  await retake.hook('sign-in-token-submit').click();
  await expectEnd(retake, sandbox, batch, {
    posts: 2,
    applied: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['the rerun was not applied: signed out', 'signed out: paused, goes on by itself after sign-in', 'accepted as run 2'],
  });
});

test('12 401 to every rerun, however new the token: a person is asked, and nothing is sent again and again', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY);
  let renewals = 0;
  page.on('request', (request) => {
    if (request.postData()?.includes('grant_type=refresh_token')) renewals += 1;
  });
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '401', times: 50 });
  await signInTo(retake, batch);
  await retake.supervise(QUICK);
  await expect(retake.hook('sign-in-why')).toContainText('Supervision of 1 batch is paused');
  await page.waitForTimeout(5_000);
  await expectPosts(sandbox, batch, 2);
  expect(renewals).toBe(1);
  await sandbox.mend(batch);
  await retake.hook('sign-in-oidc').click();
  await expectEnd(retake, sandbox, batch, { posts: 3, applied: 1, verdict: [0, 'pass-after-rerun'], says: ['accepted as run 2'] });
});

test('12 401 to the rerun, and the token can be renewed: nobody is asked to sign in, it looks and sends once more', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY);
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '401' });
  let renewals = 0;
  page.on('request', (request) => {
    if (request.url().includes('/oauth/token')) renewals += 1;
  });
  await signInTo(retake, batch);
  expect(renewals, 'the sign-in').toBe(1);
  const addresses: string[] = [];
  page.on('framenavigated', (frame) => addresses.push(frame.url()));
  await retake.supervise(QUICK);
  await expectEnd(retake, sandbox, batch, {
    posts: 2,
    applied: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['the rerun was not applied: signed out', 'signed out: paused, goes on by itself after sign-in', 'accepted as run 2'],
  });
  expect(renewals, 'one renewal').toBe(2);
  expect(addresses.filter((it) => it.includes('sign-in'))).toEqual([]);
});

test('12 401 to the rerun while the provider is out of order: it goes on once that answers', async ({ retake, sandbox, page }) => {
  test.slow();
  const batch = await sandbox.batch(FLAKY);
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: '401' });
  await signInTo(retake, batch);
  let down = true;
  await page.route('**/oauth/token', (route) => (down ? route.fulfill({ status: 503, body: 'later' }) : route.fallback()));
  await retake.supervise(QUICK);
  await expect(retake.hook('decision-log')).toContainText('signed out: paused');
  await page.waitForTimeout(5_000);
  await expectPosts(sandbox, batch, 1);
  down = false;
  await expectEnd(retake, sandbox, batch, {
    posts: 2,
    applied: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['accepted as run 2'],
    timeout: 90_000,
  });
});

test('13 the answer to a refresh is lost: signed out, nothing is sent, and after sign-in it goes on', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  // This page's calls of the token endpoint carry a mark, so that only they are struck.
  await page.route('**/.well-known/openid-configuration', async (route) => {
    const answer = await route.fetch();
    const document = (await answer.json()) as { token_endpoint: string };
    await route.fulfill({ json: { ...document, token_endpoint: `${document.token_endpoint}?of=${batch.batchID}` } });
  });
  await signInTo(retake, batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  const mark = `/oauth/token?of=${batch.batchID}`;
  expect(await sandbox.requests(mark, 'POST'), 'the sign-in').toHaveLength(1);
  await sandbox.fault({ method: 'POST', path_contains: mark, fault: 'drop_after_apply', times: 10 });
  await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '401' });
  await expect(retake.hook('sign-in-why')).toContainText('Your session has expired');
  await expect(retake.hook('sign-in-why')).toContainText('Supervision of 1 batch is paused');
  await expectPosts(sandbox, batch, 0);
  await sandbox.mend(batch);
  await retake.hook('sign-in-oidc').click();
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    // Whoever signs in at once leaves before it has looked again, and so paused.
    says: [/signed out: paused, goes on by itself after sign-in|taken up again, .* after the last line here/, 'accepted as run 2'],
  });
});

test('14 the session ends for good: paused, signed in by a pasted token, resumed by itself', async ({ retake, sandbox, page }) => {
  const batch = await sandbox.batch(FLAKY_RUNNING);
  await retake.openBatch(batch);
  await retake.supervise(QUICK);
  await expectWatching(retake);
  await sandbox.fault({ path_contains: batch.batchID, fault: '401' });
  await expect(retake.hook('sign-in-why')).toContainText('Supervision of 1 batch is paused');
  // The page's own read may have met the 401; give the supervisor its turn.
  await page.waitForTimeout(3_000);
  await retake.hook('sign-in-token').fill('fresh');
  await retake.hook('sign-in-token-submit').click();
  await finishRuns(sandbox, batch);
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['signed out: paused, goes on by itself after sign-in', /goes on after a pause of \d+/],
  });
});

test('14 the session ends while an outcome is unknown: settled after sign-in, not sent again', async ({ retake, sandbox, page }) => {
  await configure(page, { settle_window: '8s' });
  const batch = await sandbox.batch(FLAKY);
  await sandbox.fault({ method: 'POST', path_contains: `${batch.batchID}/rerun`, fault: 'late_apply_ms', ms: 3_000 });
  await retake.openBatch(batch);
  await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: '401', after: 3, times: 1 });
  await retake.supervise(QUICK);
  await expect(retake.hook('sign-in-why')).toContainText('Supervision of 1 batch is paused');
  await retake.hook('sign-in-token').fill('fresh');
  await retake.hook('sign-in-token-submit').click();
  await expectEnd(retake, sandbox, batch, {
    posts: 1,
    verdict: [0, 'pass-after-rerun'],
    says: ['nobody knows yet whether the rerun was applied', 'signed out: paused', 'a rerun was applied as run 2'],
  });
});
