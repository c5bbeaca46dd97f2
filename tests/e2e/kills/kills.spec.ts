/** Real kills of the browser at the boundaries of a rerun: `cargo xtask kills`. */
import { note } from '../support/figures.js';
import { expectUnharmed, killAgainAndAgain } from '../support/killed.js';
import { test } from '../support/retake.js';

/** In all, over both workers. */
const KILLS = Number(process.env['RETAKE_KILLS'] ?? 60);
/** As many are asked for before a change goes out. */
const ASKED = 60;
const LANES = 2;

for (let lane = 0; lane < LANES; lane += 1) {
  test(`lane ${lane + 1}: nothing is lost and nothing doubled`, async ({ sandbox, baseURL }) => {
    const kills = Math.ceil(KILLS / LANES);
    test.setTimeout(120_000 + kills * 30_000);
    // The lanes begin at different boundaries, so that a short run spreads too.
    const tally = await killAgainAndAgain(sandbox, baseURL ?? '', kills, lane * 4);
    console.log(JSON.stringify({ lane: lane + 1, ...tally }));
    note({
      id: '#5',
      what: 'supervisions lost or doubled by SIGKILL of a real browser at the seven boundaries of a rerun',
      goal: '0 in 60 kills (300 a release)',
      measured: `${kills} kills: ${kills - tally.found} lost, ${tally.posts} POSTs where ${tally.implied} are implied, ${tally.applied} applied, ${tally.wrong.length} faults`,
      holds: tally.wrong.length === 0 && tally.found === kills && tally.posts === tally.implied,
      promise: true,
      volumes: [{ done: kills, asked: ASKED, unit: 'kills' }],
    });
    expectUnharmed(tally, kills);
  });
}
