/** The little of oidc-provider that the tests use; its own types are a package tree of their own. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export interface Context {
    path: string;
    method: string;
    status: number;
    body: unknown;
    response: { get(name: string): string };
    remove(name: string): void;
    oidc?: {
      params?: { grant_type?: string; refresh_token?: string; token?: string };
      entities?: { RotatedRefreshToken?: { remainingTTL: number } };
    };
  }

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
    callback(): RequestListener;
    on(event: 'grant.error', listener: (context: Context, error: Error & { error_detail?: string }) => void): void;
  }
}
