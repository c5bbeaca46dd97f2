/** Real kills of the browser at the boundaries of a rerun: `cargo xtask kills`. */
import { killAgainAndAgain, type Tally } from '../support/killed.js';
import { expect, test } from '../support/retake.js';

/** In all, over both workers. */
const KILLS = Number(process.env['RETAKE_KILLS'] ?? 60);
const LANES = 2;

for (let lane = 0; lane < LANES; lane += 1) {
  test(`lane ${lane + 1}: nothing is lost and nothing doubled`, async ({ request, baseURL }) => {
    const kills = Math.ceil(KILLS / LANES);
    test.setTimeout(120_000 + kills * 30_000);
    // The lanes begin at different boundaries, so that a short run spreads too.
    const tally: Tally = await killAgainAndAgain(request, baseURL ?? '', kills, lane * 4);
    console.log(JSON.stringify({ lane: lane + 1, ...tally }));
    expect(tally).toMatchObject({ kills, started: kills, found: kills, ended: kills, applied: kills });
  });
}
