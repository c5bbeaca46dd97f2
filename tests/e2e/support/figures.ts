/** What the browser tests measure, in the format of `figures/src/lib.rs`, for `cargo xtask report`. */
import { test } from '@playwright/test';

export interface Figure {
  /** Its number in `reliability.md` §8, such as `#12`. */
  id: string;
  what: string;
  goal: string;
  measured: string;
  holds: boolean;
  /** If it does not hold, the product is wrong. */
  promise: boolean;
  volumes: { done: number; asked: number; unit: string }[];
}

/** The type of the annotations that carry one. */
export const FIGURE = 'figure';

/** Notes a figure of the running test. */
export function note(figure: Omit<Figure, 'promise' | 'volumes'> & Partial<Figure>): void {
  const whole: Figure = { promise: false, volumes: [], ...figure };
  test.info().annotations.push({ type: FIGURE, description: JSON.stringify(whole) });
}

/** One figure of each kind: what several tests measured of the same is put together. */
export function merged(figures: readonly Figure[]): Figure[] {
  const all = new Map<string, Figure>();
  for (const it of figures) {
    const key = `${it.id} ${it.what}`;
    const before = all.get(key);
    if (!before) {
      all.set(key, it);
      continue;
    }
    all.set(key, {
      ...before,
      measured: `${before.measured}; ${it.measured}`,
      holds: before.holds && it.holds,
      volumes: before.volumes.map((volume, n) => ({ ...volume, done: volume.done + (it.volumes[n]?.done ?? 0) })),
    });
  }
  return [...all.values()];
}
