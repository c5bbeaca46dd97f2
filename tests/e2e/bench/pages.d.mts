import type { Page } from '@playwright/test';

import type { Batch } from '../support/sandbox.js';

type Kind = 'app' | 'reference';

export declare function prepare(page: Page): Promise<void>;
export declare function address(kind: Kind, batch: Batch): string;
export declare function order(url: string | undefined, size: number): Promise<Batch>;
export declare function allRows(kind: Kind, page: Page, size: number): Promise<void>;
