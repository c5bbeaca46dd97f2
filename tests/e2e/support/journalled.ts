import type { Page } from '@playwright/test';

/** What the journals of reruns by hand hold, line by line. */
export const journalled = async (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const asked = indexedDB.open('retake');
      asked.onsuccess = () => resolve(asked.result);
    });
    const store = database.transaction('journal').objectStore('journal');
    const lines = await new Promise<unknown[]>((resolve) => {
      const asked = store.getAll(IDBKeyRange.bound('rerun:', 'rerun;'));
      asked.onsuccess = () => resolve(asked.result);
    });
    database.close();
    return lines.join('\n');
  });
