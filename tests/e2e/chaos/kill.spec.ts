/** The browser is killed (scenario 20); `cargo xtask kills` does it more often. */
import { BOUNDARIES, killAgainAndAgain } from '../support/killed.js';
import { expect, test } from '../support/retake.js';

test('20 the browser is killed once at every boundary of a rerun: nothing lost, nothing doubled', async ({ request, baseURL }) => {
  test.setTimeout(240_000);
  const kills = BOUNDARIES.length;
  const tally = await killAgainAndAgain(request, baseURL ?? '', kills);
  expect(tally).toMatchObject({ kills, started: kills, found: kills, ended: kills, applied: kills });
});
