/** Answers, names and links that mean harm (scenarios 36 to 41, 45 to 47). */
import { expectEnd, expectServer, expectWatching, finishRuns, FLAKY, FLAKY_RUNNING, pathOf, QUICK } from '../support/chaos.js';
import { expect, test } from '../support/retake.js';

test.describe('answers', () => {
  test('36 pages that shift: a torn listing is read again, never decided on', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ ...FLAKY, tests: 150 });
    await retake.openBatch(batch);
    await sandbox.fault({ method: 'GET', path_contains: `${batch.batchID}/jobs`, fault: 'shifted_page', times: 2 });
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['no consistent picture (try 1): 149 tests were listed, the batch says 150; reading again', '2 of 150 = 1.3 %'],
    });
  });

  test('37 a page token that comes twice: noticed, read again, no rerun on it', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ ...FLAKY, tests: 150 });
    await retake.openBatch(batch);
    await sandbox.fault({ method: 'GET', path_contains: `${batch.batchID}/jobs`, fault: 'repeat_token', times: 4 });
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['same page token came twice', 'reads work again'],
    });
    const pages = await sandbox.requests(`${batch.batchID}/jobs`, 'GET');
    expect(pages.length, 'the loop was left').toBeLessThan(60);
  });

  test('38 an answer of 32 MB: read no further than 10, the tab lives, supervision goes on', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch(FLAKY_RUNNING);
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectWatching(retake);
    await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault: 'huge', times: 4 });
    await expect(retake.hook('decision-log')).toContainText('the answer is longer than 10 MB');
    await finishRuns(sandbox, batch);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['the answer is longer than 10 MB', 'reads work again', 'accepted as run 2'],
    });
  });

  for (const [fault, words] of [
    ['garbage', /could not read the batch: the answer cannot be read \(HTTP 200\): broken JSON/],
    ['truncated', /could not read the batch: the answer cannot be read \(HTTP 200\): broken JSON/],
    ['deep', /could not read the batch: the answer cannot be read \(HTTP 200\): broken JSON/],
    ['200_html', /could not read the batch: the answer cannot be read \(HTTP 200\): expected JSON/],
  ] as const) {
    test(`39 ${fault} instead of the batch: an error with its name, never an action`, async ({ retake, sandbox }) => {
      const batch = await sandbox.batch(FLAKY_RUNNING);
      await retake.openBatch(batch);
      await retake.supervise(QUICK);
      await expectWatching(retake);
      await sandbox.fault({ method: 'GET', path_contains: batch.batchID, fault, times: 6 });
      await expect(retake.hook('decision-log')).toContainText(words);
      await finishRuns(sandbox, batch);
      await expectEnd(retake, sandbox, batch, {
        posts: 1,
        verdict: [0, 'pass-after-rerun'],
        says: [words, 'reads work again', 'accepted as run 2'],
      });
    });
  }

  test('40 a status that nobody knows: waited on, never rerun, and said in the verdict', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ ...FLAKY, overrides: { status: 'HIBERNATING', conflatedStatus: 'SHINY' } });
    await retake.openBatch(batch);
    await retake.supervise({ ...QUICK, 'wait-timeout': '4s' });
    await expectEnd(retake, sandbox, batch, {
      posts: 0,
      verdict: [6, 'timed-out'],
      says: ['HIBERNATING is a status that this program does not know, so it was waited on.'],
    });
  });

  test('40 tests in a state that nobody knows: not failing, not rerun', async ({ retake, sandbox }) => {
    const batch = await sandbox.batch({ tests: 12, job_overrides: { conflatedStatus: 'SHINY' } });
    await retake.openBatch(batch);
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 0,
      verdict: [0, 'clean-pass'],
      says: ['0 of 12 = 0.0 %', 'no rerun'],
    });
  });

  test('41 10,000 tests: decided on with a handful of requests, exactly the failing ones rerun', async ({ retake, sandbox }) => {
    test.setTimeout(120_000);
    const batch = await sandbox.batch({ tests: 10_000, duration_ms: [300, 700], outcomes: { flaky: [{ count: 20, fails_runs: 1 }] } });
    await retake.signIn(pathOf(batch));
    await expect(retake.hook('row-count')).toHaveText('10,000 of 10,000 tests', { timeout: 60_000 });
    let reads = 0;
    let before = 0;
    retake.page.on('request', (request) => {
      if (!request.url().includes('/v1/')) return;
      if (request.method() === 'POST') before ||= reads;
      else reads += 1;
    });
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: [
        "listed the 20 tests that did not pass; the API counts 9,980 that passed: together the batch's 10,000",
        '20 of 10,000 = 0.2 %',
        'accepted as run 2',
        "listed the 0 tests that did not pass; the API counts 10,000 that passed",
      ],
      timeout: 90_000,
    });
    // The page looks at the batch itself now and then; the whole listing would be 100 requests.
    expect(before).toBeGreaterThanOrEqual(4);
    expect(before).toBeLessThanOrEqual(8);
    expect((await sandbox.reruns(batch))[0]?.body?.jobIDs).toHaveLength(20);
  });
});

test.describe('names', () => {
  // Markup, a bidirectional override, a control sequence, a formula, a command.
  const EVIL = '<img src=x onerror="document.title=\'owned\'">\u202egnp.exe\u202c\u001b[31m=HYPERLINK("http://evil.example")$(reboot)`id`';

  test.use({ permissions: ['clipboard-read', 'clipboard-write', 'notifications'] });

  test('45 hostile names are text in table, title, notification, verdict and clipboard', async ({ retake, sandbox, page }) => {
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    // What the browser would show to the person.
    await page.addInitScript(() => {
      const shown: string[] = [];
      Object.assign(window, { shown });
      const Shown = function (title: string, options?: { body?: string }): void {
        shown.push(`${title}\n${options?.body ?? ''}`);
      };
      Object.assign(Shown, { permission: 'granted', requestPermission: () => Promise.resolve('granted') });
      Object.defineProperty(window, 'Notification', { value: Shown });
    });
    const name = `${EVIL} ${Date.now()}`;
    const batch = await sandbox.batch({ ...FLAKY, job_overrides: { experienceName: EVIL } }, name);
    await retake.openBatch(batch);
    await expect(retake.rows.first()).toContainText('<img src=x onerror=');
    await expect(retake.rows.first()).toContainText('⟨U+202E⟩');
    await retake.supervise(QUICK);
    await expectEnd(retake, sandbox, batch, {
      posts: 1,
      verdict: [0, 'pass-after-rerun'],
      says: ['2 tests passed after rerun: <img src=x onerror='],
    });
    expect(await page.title()).toContain('Pass after rerun');
    expect(await page.title()).not.toBe('owned');
    const shown = await page.evaluate(() => (window as unknown as { shown: string[] }).shown);
    expect(shown, 'one notification, with the name as text').toHaveLength(1);
    expect(shown[0]).toContain('Pass after rerun · exit 0');
    expect(shown[0]).toContain('<img src=x');
    await retake.hook('verdict').getByRole('button', { name: 'Copy Markdown' }).click();
    const markdown = await page.evaluate(() => navigator.clipboard.readText());
    expect(markdown).toContain('passed after rerun');
    expect(markdown, 'markup and links do not survive as such').not.toMatch(/(^|[^\\])<img/);
    await retake.hook('verdict').getByRole('button', { name: 'Copy CLI command' }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toMatch(/^resim batches supervise /);
    expect(command, 'no name of the batch gets to a shell').not.toContain('reboot');
    await expect(page.locator('img[src=x]')).toHaveCount(0);
    expect(dialogs).toEqual([]);
  });
});

test.describe('links', () => {
  const RETURNS = [
    '//evil.example', '///evil.example', '////evil.example/x', 'https://evil.example', 'http:evil.example', 'https:/evil.example',
    '/\\evil.example', '\\\\evil.example', '\\/evil.example', '/\t/evil.example', '/\n/evil.example', '\t//evil.example',
    '/%09/evil.example', '/%5cevil.example', '/%2f%2fevil.example', 'javascript:document.title=1', 'JaVaScRiPt:alert(1)',
    'data:text/html,<script>1</script>', 'vbscript:x', 'blob:https://evil.example/1', '/.//evil.example', '/..//evil.example',
    '/@evil.example', '@evil.example', '/projects//evil.example', '/projects/../../evil.example', '/sign-in?to=//evil.example',
    '/callback?code=1&state=2', '/%00', '/\u202eevil', 'file:///etc/passwd', '//evil.example@localhost', '//localhost:1/',
  ];

  test('46 no return address leads off this site, and none acts', async ({ retake, sandbox, page, baseURL }) => {
    test.setTimeout(120_000);
    const batch = await sandbox.batch(FLAKY);
    const strangers: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(`${baseURL}/`) && !request.url().startsWith('blob:')) strangers.push(request.url());
    });
    for (const to of [...RETURNS, `${pathOf(batch)}/rerun`, `${pathOf(batch)}?supervise=true`]) {
      await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      await expect(page, to).not.toHaveURL(/\/sign-in\?to=/);
      await expect(page.getByRole('button', { name: /Account and settings/ }), to).toBeVisible();
      expect(new URL(page.url()).origin, to).toBe(baseURL);
    }
    expect(strangers).toEqual([]);
    await expectServer(sandbox, batch, { posts: 0 });
    // No supervision, hence no verdict, and the page says so.
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await expect(page.getByRole('heading', { name: 'Nothing is supervised' })).toBeVisible();
  });

  test('47 a link shows, it never acts: no rerun, no supervision, no other API', async ({ retake, sandbox, page, baseURL }) => {
    test.setTimeout(120_000);
    const batch = await sandbox.batch({ ...FLAKY, outcomes: { error: 2 } });
    const strangers: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(`${baseURL}/`)) strangers.push(request.url());
    });
    for (const query of [
      '?supervise=true&attempts=5', '?max-rerun-attempts=5&start=1', '?rerun=all', '?action=rerun', '?confirm=true',
      '?select=all&rerun=1', `?rerun=${batch.jobIDs[0] ?? ''}`, '?api=https://evil.example/v1/', '?environment=https://evil.example',
      '?issuer=https://evil.example', '?token=evil&access_token=evil', '#access_token=evil&rerun=all', '?cancel=true',
    ]) {
      await page.goto(`${pathOf(batch)}${query}`);
      await retake.hook('sign-in-token').fill('test-token');
      await retake.hook('sign-in-token-submit').click();
      await expect(retake.hook('row-count'), query).toHaveText('12 of 12 tests');
      await expect(retake.hook('supervise-start'), query).toBeVisible();
      await expect(retake.hook('supervise-stop'), query).toHaveCount(0);
      await expect(page.getByRole('dialog'), query).toHaveCount(0);
    }
    expect(strangers).toEqual([]);
    await expectServer(sandbox, batch, { posts: 0 });
    await page.getByRole('link', { name: /Supervisions/ }).click();
    await expect(page.getByRole('heading', { name: 'Nothing is supervised' })).toBeVisible();
  });
});
