/**
 * The chaos scenarios, and how far each is exercised. A scenario is covered by
 * every test in this folder whose title begins with its number, or by the story
 * that is named; `scenarios.spec.ts` checks that none is forgotten.
 */

export interface Scenario {
  n: number;
  what: string;
  /** A story that asserts the server's count, the verdict and the sentence. */
  story?: { file: string; title: string };
  /** What the test does not show, or shows at another scale. */
  limits?: string;
  /** Why there is no test of it. */
  leftOut?: string;
}

export const SCENARIOS: readonly Scenario[] = [
  { n: 1, what: 'happy path', story: { file: 'stories/supervise.spec.ts', title: '0: flaky tests pass after a rerun, and are named' } },
  { n: 2, what: 'answer to the rerun lost, applied' },
  { n: 3, what: 'rerun lost before it arrived', limits: 'settle window of 4 s instead of 95 s' },
  { n: 4, what: 'rerun arrives 50 s late', limits: '10 s late, settle window of 19 s: a fifth of both' },
  { n: 5, what: '502 after applying' },
  { n: 6, what: 'TypeError without CORS headers after applying', limits: 'the content security policy is switched off: it allows https only, the sandbox speaks http' },
  { n: 7, what: '409 twice, then 200' },
  { n: 8, what: '409 because another person reran, which then finished' },
  { n: 9, what: '409 for ever' },
  { n: 10, what: '429 with a Retry-After that may not be read', limits: 'as scenario 6' },
  { n: 11, what: '401 during a poll' },
  { n: 12, what: '401 during the POST' },
  { n: 13, what: 'answer to a refresh lost', limits: 'the provider here allows no second use of a refresh token; one with an overlap would sign nobody out' },
  { n: 14, what: 'session gone, sign in, resumes' },
  { n: 15, what: '403' },
  { n: 16, what: '404 that passes' },
  { n: 17, what: 'offline for ten minutes', limits: '20 s: the pause between two looks is bounded, so a longer outage repeats the same; an hour is in the simulation' },
  { n: 18, what: 'offline during the POST', limits: 'the request is let through to the server, then the page is told that the network is gone' },
  { n: 19, what: 'reload before the intent, after it, while the POST is under way, after the answer' },
  { n: 20, what: 'browser killed, same profile, resume', limits: 'the end of a process, not of the power: what the browser handed to the system stays' },
  { n: 21, what: 'renderer crash' },
  { n: 22, what: 'two tabs start together' },
  { n: 23, what: 'leader closed' },
  { n: 24, what: 'lock stolen, acting tab frozen', limits: 'the process of the tab is stopped; a browser freezes tabs by itself only after minutes' },
  { n: 25, what: 'ten tabs' },
  { n: 26, what: 'older build in a second tab', limits: 'seen from the older tab: another page takes the database to a later version, as a newer build does; no two real builds' },
  { n: 27, what: 'other user signs in', limits: 'accounts are told apart by unsigned tokens, which the sandbox takes' },
  { n: 28, what: 'sleep of two hours across the end of the batch', limits: 'both clocks of the page jump and its timers are late; the computer does not sleep, and a worker does not notice' },
  { n: 29, what: 'sleep across the timeout', limits: 'as scenario 28' },
  { n: 30, what: 'clock back by an hour' },
  { n: 31, what: 'clock forward by a day' },
  { n: 32, what: 'IndexedDB denied', limits: 'opening throws, as in browsers that deny it' },
  { n: 33, what: 'quota full at the intent', limits: 'the transaction is aborted as on a full disk; no disk is filled' },
  { n: 34, what: 'IndexedDB connection lost', limits: 'closed under the app, without the close event that a crash of the browser\'s storage process sends' },
  { n: 35, what: 'private window' },
  { n: 36, what: 'pages that shift' },
  { n: 37, what: 'page-token loop' },
  { n: 38, what: '20 MB answer', limits: '32 MB' },
  { n: 39, what: 'garbage JSON' },
  { n: 40, what: 'new enum values' },
  { n: 41, what: '10,000 tests' },
  { n: 42, what: 'threshold exactly equal' },
  { n: 43, what: 'batch cancelled between polls' },
  { n: 44, what: 'rerun answers a new batch ID' },
  { n: 45, what: 'hostile names through table, title, notification, clipboard', limits: 'no CSV: the product exports none' },
  { n: 46, what: 'return-URL attacks' },
  { n: 47, what: 'acting links' },
  { n: 48, what: 'logout while supervising', limits: 'the journal is kept on purpose, so that the same account finds its work again; it holds no token' },
];
