/** Many batches that are supervised in one tab, and never finish. */
import { expectWatching, pathOf } from './chaos.js';
import { expect, type Batch, type Retake } from './retake.js';
import type { Sandbox } from './sandbox.js';

/** Runs until somebody ends it. */
const ENDLESS = { tests: 12, start: 'running', hang: true } as const;

/** How a tab is signed in, and is again after a reload. */
export interface SignIn {
  first: (retake: Retake, path: string) => Promise<unknown>;
  again: (retake: Retake, path: string) => Promise<unknown>;
}

/** The session outlasts a reload. */
export const BY_PROVIDER: SignIn = {
  first: (retake, path) => retake.signInByProvider(path),
  again: (retake, path) => retake.page.goto(path),
};

/** By a token that never ends, and is gone with the page. */
export const BY_TOKEN: SignIn = {
  first: (retake, path) => retake.signIn(path),
  again: (retake, path) => retake.signIn(path),
};

/** Supervises so many new batches in one tab, and ends on the list of supervisions. */
export async function superviseMany(
  retake: Retake,
  sandbox: Sandbox,
  count: number,
  policy: Record<string, string>,
  signIn = BY_PROVIDER,
): Promise<Batch[]> {
  const { page } = retake;
  const batches: Batch[] = [];
  for (let n = 0; n < count; n += 1) batches.push(await sandbox.batch(ENDLESS));
  const [first] = batches;
  if (!first) throw new Error('no batch was ordered');
  await signIn.first(retake, pathOf(first));
  await expect(retake.hook('row-count')).toHaveText(/ of [\d,]+ tests?$/);
  await retake.supervise(policy);
  await expectWatching(retake);

  // The journals of the others, as if each had been started on its own page.
  const others = batches.slice(1).map((it) => it.batchID);
  await page.evaluate(
    async ({ mine, others }) => {
      const done = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((good, bad) => {
          request.onsuccess = () => good(request.result);
          request.onerror = () => bad(request.error);
        });
      const database = await done(indexedDB.open('retake'));
      const read = database.transaction(['journal', 'writers']);
      const [keys, lines, rows, writers] = await Promise.all([
        done(read.objectStore('journal').getAllKeys()),
        done(read.objectStore('journal').getAll()),
        done(read.objectStore('writers').getAllKeys()),
        done(read.objectStore('writers').getAll()),
      ]);
      const id = rows.map(String).find((it) => it.startsWith('s-')) ?? '';
      const write = database.transaction(['journal', 'writers'], 'readwrite');
      others.forEach((batch, n) => {
        const copy = `s-${String(n).padStart(16, '0')}`;
        keys.forEach((key, at) => {
          const place = String(key);
          if (!place.startsWith(`${id}/`)) return;
          const line = String(lines[at]).replaceAll(mine, batch);
          write.objectStore('journal').put(line, place.replace(id, copy));
        });
        write.objectStore('writers').put(writers[rows.indexOf(id)], copy);
      });
      await new Promise((good) => (write.oncomplete = good));
      database.close();
    },
    { mine: first.batchID, others },
  );
  await signIn.again(retake, '/supervisions');
  const waiting = page.getByTestId('supervision-row').filter({ hasText: 'Waiting until' });
  await expect(waiting).toHaveCount(count, { timeout: 60_000 });
  return batches;
}
