import { expect, test } from '../support/retake.js';

test.describe('by keyboard alone', () => {
  test('rows are walked, ticked and opened; a rerun is confirmed', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 200, outcomes: { error: 3 } });
    await retake.openBatch(batch);
    await page.locator('body').press('j');
    await expect(page.locator('tr:focus'), 'the first row is not skipped').toHaveAttribute('aria-rowindex', '2');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await expect(retake.hook('selected-count')).toHaveText('1');
    await page.keyboard.press('k');
    await page.keyboard.press('Shift+X');
    await expect(retake.hook('selected-count')).toHaveText('2');
    await page.keyboard.press('End');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', '201');
    await page.keyboard.press('Home');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', '2');
    await page.keyboard.press('Alt+a');
    await expect(retake.hook('selected-count'), 'a key of the browser').toHaveText('2');
    await page.keyboard.press('Control+a');
    await expect(retake.hook('selected-count')).toHaveText('200');
    await page.keyboard.press('Control+a');
    await expect(retake.hook('selected-count')).toHaveText('0');
    await page.keyboard.press('x');
    await expect(retake.hook('selected-count')).toHaveText('1');
    await page.keyboard.press('Enter');
    await expect(retake.hook('test-drawer')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(retake.hook('test-drawer')).toHaveCount(0);
    await page.keyboard.press('r');
    await expect(retake.hook('confirm')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(retake.hook('rerun-steps')).toContainText('Accepted as run 2');
  });

  test('keys walk through the tests in the open drawer, and a rerun is of the one that is read', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12, outcomes: { error: 3 } });
    await retake.openBatch(batch);
    await retake.hook('job-select').nth(5).check();
    await page.keyboard.press('Home');
    await page.keyboard.press('o');
    const drawer = retake.hook('test-drawer');
    const heading = drawer.getByRole('heading', { level: 2 });
    const names = await retake.rows.locator('.row__name').allInnerTexts();
    await expect(heading).toHaveText(names[0] ?? '');
    await expect(drawer.getByRole('button', { name: 'Close' })).toBeFocused();
    await page.keyboard.press('n');
    await expect(heading).toHaveText(names[1] ?? '');
    await expect(drawer.getByRole('button', { name: 'Close' }), 'still in the drawer').toBeFocused();
    await page.keyboard.press('n');
    await page.keyboard.press('p');
    await expect(heading).toHaveText(names[1] ?? '');
    await expect(drawer.getByRole('button', { name: 'Close' })).toBeFocused();
    await page.keyboard.press('r');
    await expect(page.getByRole('dialog')).toContainText('Rerun 1 of 12 tests?');
    await expect(page.getByRole('dialog')).toContainText(names[1] ?? '');
  });

  test('the row with the focus keeps it while the list is scrolled, and rows are read in their order', async ({
    retake,
    sandbox,
    page,
  }) => {
    const batch = await sandbox.batch({ tests: 400, outcomes: { error: 3 } });
    await retake.openBatch(batch);
    await page.locator('body').press('j');
    await page.keyboard.press('j');
    const focused = page.locator('tr:focus');
    await expect(focused).toHaveAttribute('aria-rowindex', '3');
    const name = await focused.locator('.row__name').innerText();
    const places = () =>
      page.locator('[data-testid=job-row]').evaluateAll((rows) => rows.map((it) => Number(it.ariaRowIndex)));
    const scroll = (top: number) => page.locator('.tests__scroller').evaluate((it, y) => (it.scrollTop = y), top);
    for (const top of [1_000, 9_000, 300, 6_000]) {
      await scroll(top);
      await expect.poll(async () => (await places()).some((it) => it > 3 + top / 60)).toBe(true);
      await expect(focused.locator('.row__name'), 'the same test').toHaveText(name);
      await expect(focused).toHaveAttribute('aria-rowindex', '3');
    }
    await expect
      .poll(async () => {
        const shown = await places();
        return shown.every((it, n) => n === 0 || it > (shown[n - 1] ?? 0));
      })
      .toBe(true);
    await expect(focused, 'moving the others takes no focus').toHaveAttribute('aria-rowindex', '3');
    await page.keyboard.press('x');
    await scroll(0);
    await expect(page.locator('tr[aria-selected=true] .row__name')).toHaveText(name);
  });

  test('a list that becomes shorter keeps the way in by Tab', async ({
    retake,
    sandbox,
    page,
  }) => {
    const batch = await sandbox.batch({ tests: 300, outcomes: { blocker: 4 } });
    await retake.openBatch(batch);
    await page.locator('body').press('j');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', '2');
    await page.keyboard.press('End');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', '301');
    await retake.chip('BLOCKER').click();
    await expect(retake.rows).toHaveCount(4);
    await expect(page.locator('tr[tabindex="0"]'), 'a new list begins at its top').toHaveAttribute('aria-rowindex', '2');
    await page.locator('body').press('j');
    await page.keyboard.press('j');
    await expect(page.locator('tr:focus')).toHaveAttribute('aria-rowindex', '3');
  });

  test('the slash filters, the question mark explains', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12 });
    await retake.openBatch(batch);
    await page.locator('body').press('/');
    await expect(retake.hook('text-filter')).toBeFocused();
    await page.keyboard.type('a?b');
    await expect(retake.hook('text-filter')).toHaveValue('a?b');
    await retake.hook('text-filter').blur();
    await page.locator('body').press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog', { name: 'Keyboard' })).toHaveCount(0);
  });

  test('the lists are filtered by the slash too, Escape leads out again, and only keys that act are listed', async ({ retake, page }) => {
    await retake.signIn('/');
    await expect(retake.hook('project-row').first()).toBeVisible();
    await page.locator('body').press('/');
    await expect(retake.hook('text-filter')).toBeFocused();
    await page.keyboard.type('warehouse');
    await page.keyboard.press('Escape');
    await expect(retake.hook('text-filter')).toHaveValue('');
    await expect(retake.hook('text-filter')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(retake.hook('text-filter')).not.toBeFocused();
    await page.keyboard.press('?');
    const keys = page.getByRole('dialog', { name: 'Keyboard' });
    await expect(keys).toContainText('Filter');
    await expect(keys).not.toContainText('Tick the test');
  });

  test('single keys can be switched off, and stay so', async ({ retake, sandbox, page }) => {
    const batch = await sandbox.batch({ tests: 12 });
    await retake.openBatch(batch);
    await page.locator('body').press('a');
    await expect(retake.hook('selected-count')).toHaveText('12');
    await page.locator('body').press('?');
    await retake.hook('letters-act').uncheck();
    await page.keyboard.press('Escape');
    await page.locator('body').press('a');
    await page.locator('body').press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard' })).toHaveCount(0);
    await expect(retake.hook('selected-count')).toHaveText('12');
    // Escape is no single letter; and a reload remembers.
    await page.reload();
    await retake.openBatch(batch);
    await page.locator('body').press('a');
    await expect(retake.hook('selected-count')).toHaveText('12');
  });
});
