import type { CDPSession, Page } from '@playwright/test';

export interface Held {
  jsHeap: number;
  wasm: number;
  listeners: number;
  nodes: number;
}

export declare function held(page: Page): Promise<Held>;
export declare function wasmMemory(tools: CDPSession): Promise<number>;
