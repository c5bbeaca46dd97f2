import { address, allRows, order, prepare } from '../bench/pages.mjs';
import { expect, test } from '../support/retake.js';

/** A loose bound: machines are slow and noisy. `cargo xtask bench` measures exactly. */
const TIMES = 12;
/** Below this, in ms, a ratio says nothing. */
const ENOUGH = 150;
const SIZE = 5_000;

declare global {
  interface Window {
    bench: { acts(): Promise<Record<string, number>> };
  }
}

test('no action on a long list takes many times as long as on a page of plain JavaScript', async ({
  retake,
  page,
  baseURL,
}) => {
  test.slow();
  const batch = await order(baseURL, SIZE);
  await prepare(page);
  await page.goto(address('reference', batch));
  await allRows('reference', page, SIZE);
  const floor = await page.evaluate(() => window.bench.acts());
  await retake.signIn(address('app', batch));
  await allRows('app', page, SIZE);
  const app = await page.evaluate(() => window.bench.acts());
  expect(Object.keys(app).length).toBeGreaterThan(5);
  for (const [act, took] of Object.entries(app)) {
    const bound = Math.max(ENOUGH, TIMES * (floor[act] ?? 0));
    expect(took, `${act}: ${took.toFixed(1)} ms, plain page ${floor[act]?.toFixed(1)} ms`).toBeLessThan(bound);
  }
});
