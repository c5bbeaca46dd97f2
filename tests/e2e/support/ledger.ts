/**
 * A test that fails is run once more, as machines are slow at times. A rerun POST too
 * many must not be forgiven that way: it is what the product promises never to send,
 * and it may show only now and then. So what each attempt of a test sent is written
 * down, and this judges whether an attempt that passed hides one that did not count right.
 */

/** What the server counted for one batch of a test. */
export interface Count {
  /** Rerun POSTs that reached it. */
  posts: number;
  /** Reruns that it applied, whoever sent them. */
  applied: number;
}

/** One attempt at a test. */
export interface Attempt {
  passed: boolean;
  /** For each batch that it ordered, in this order; `null` if nobody counted at its end. */
  counts: Count[] | null;
  /** Counts of POSTs that were not as they had to be. */
  miscounted: string[];
}

/** Where the attempts write it: annotations of these types. */
export const COUNTS = 'counts';
export const MISCOUNTED = 'miscounted';

/** What must not be forgiven although the last attempt passed; nothing if that is so. */
export function unforgiven(attempts: readonly Attempt[]): string[] {
  const failed = attempts.filter((it) => !it.passed);
  const wrong = failed.flatMap((it) => it.miscounted);
  // What the test takes when all goes well; one that never passed is red anyway.
  const needed = attempts.find((it) => it.passed)?.counts;
  if (!needed) return wrong;
  for (const { counts, miscounted } of failed) {
    if (miscounted.length > 0) continue;
    if (!counts) {
      wrong.push('an attempt failed, and nobody knows how many POSTs it sent');
      continue;
    }
    // A slow machine makes a test stop early: it can only have sent fewer.
    counts.forEach((count, n) => {
      for (const what of ['posts', 'applied'] as const) {
        const enough = needed[n]?.[what] ?? 0;
        if (count[what] > enough) {
          wrong.push(`an attempt failed with ${count[what]} ${what} to its batch ${n + 1}, where ${enough} are enough`);
        }
      }
    });
  }
  return wrong;
}
