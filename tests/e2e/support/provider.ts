/**
 * A sign-in provider that is not ours: oidc-provider, which is certified by the
 * OpenID Foundation. What it thinks of our requests is independent of what we
 * think of them.
 */
import { createServer, type Server } from 'node:http';
import Provider from 'oidc-provider';

export const CLIENT = 'retake-e2e';

export interface Asked {
  grant_type: string;
  status: number;
  /** When it came and when it was answered, in milliseconds since 1970. */
  at: number;
  until: number;
}

export interface Running {
  issuer: string;
  /** What the token endpoint was asked, newest last. */
  grants: Asked[];
  /** The tokens that it gave, newest last. */
  given: { access_token: string; refresh_token: string }[];
  /** The tokens that it was told to make worthless. */
  revoked: string[];
  /** Answers of the token endpoint take this long, in milliseconds. */
  slow: { ms: number };
  /**
   * The next answer to the site stays here: the browser shows a page of the
   * provider instead, and the address that it was to go to comes back.
   */
  holdNextAnswer(): () => Promise<URL>;
  /** Ends every refresh token, as an administrator would. */
  endGrants(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a provider on `port` for the site at `site`; access tokens live `lifetime` seconds. */
export async function startProvider(site: string, port: number, lifetime = 3600): Promise<Running> {
  const server: Server = createServer();
  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  const issuer = `http://localhost:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [`${site}/callback`],
        post_logout_redirect_uris: [`${site}/sign-in`],
      },
    ],
    pkce: { required: () => true, methods: ['S256'] },
    clientBasedCORS: () => true,
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    ttl: { AccessToken: lifetime, IdToken: lifetime, RefreshToken: 86_400, Grant: 86_400, Session: 86_400, Interaction: 600 },
    features: { devInteractions: { enabled: true }, revocation: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    cookies: { keys: ['for tests only'] },
    findAccount: async (_context: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@example.com` }) }),
  });
  const grants: Running['grants'] = [];
  const given: Running['given'] = [];
  const revoked: string[] = [];
  const slow = { ms: 0 };
  let hold: ((url: URL) => void) | undefined;
  provider.use(async (context, next) => {
    const at = Date.now();
    await next();
    const location = context.response.get('location');
    if (hold && location.startsWith(`${site}/callback`)) {
      hold(new URL(location));
      hold = undefined;
      context.remove('location');
      context.status = 200;
      context.body = 'held';
    }
    if (context.path === '/token' && context.method === 'POST') {
      if (slow.ms) await new Promise((done) => setTimeout(done, slow.ms));
      grants.push({ grant_type: context.oidc?.params?.grant_type ?? '', status: context.status, at, until: Date.now() });
      if (context.status === 200) given.push(context.body as Running['given'][number]);
    }
    if (context.path === '/token/revocation' && context.status === 200) {
      revoked.push(context.oidc?.params?.token ?? '');
    }
  });
  server.on('request', provider.callback());
  let ended = false;
  const find = provider.RefreshToken.find.bind(provider.RefreshToken);
  provider.RefreshToken.find = async (token, options) => (ended ? undefined : find(token, options));
  return {
    issuer,
    grants,
    given,
    revoked,
    slow,
    holdNextAnswer: () => {
      const held = new Promise<URL>((done) => (hold = done));
      return () => held;
    },
    endGrants: async () => {
      ended = true;
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}
