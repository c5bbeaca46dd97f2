// The two pages that are measured side by side: the app, and the floor.
import { readFileSync } from 'node:fs';

const here = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Lets a page be measured: the acts (in-page.js), and the reference page below /bench/. */
export async function prepare(page) {
  await page.addInitScript(here('in-page.js'));
  await page.route('**/bench/*', (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1);
    return route.fulfill({
      contentType: name.endsWith('.js') ? 'text/javascript' : 'text/html',
      body: here(name),
    });
  });
}

/** Where a batch is: in the app, or on the reference page. */
export const address = (kind, batch) =>
  kind === 'app'
    ? `/projects/${batch.projectID}/batches/${batch.batchID}`
    : `/bench/reference.html#${batch.projectID}/${batch.batchID}`;

/** Orders a finished batch of so many tests, one in a hundred failed. */
export async function order(url, size) {
  const share = Math.max(1, Math.round(size / 200));
  const answer = await fetch(`${url}/sandbox/batches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({
      name: `bench ${size}`,
      recipe: { tests: size, start: 'finished', outcomes: { blocker: share, error: share } },
    }),
  });
  if (!answer.ok) throw new Error(`the sandbox answers ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** Waits until every test of the batch is in the page. */
export async function allRows(kind, page, size) {
  const words = `[data-testid=row-count]:has-text("of ${size.toLocaleString('en')} tests")`;
  const whole = page.locator(kind === 'app' ? words : 'html[data-loaded]');
  await whole.waitFor({ timeout: 600_000 });
  await page.waitForFunction(
    (n) => Number(document.querySelector('[data-testid=row-count]')?.dataset.count) === n,
    size,
    { timeout: 600_000, polling: 100 },
  );
}
