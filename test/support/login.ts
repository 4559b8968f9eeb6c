import { freePort } from '../../src/listeners/free-port.ts';
import { CLIENT, LoginProvider } from './login-provider.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import { startRedis, type RedisServer } from './redis.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';
import { Visitor } from './visitor.ts';

/** Where browsers find the gateway; tests come another way. */
export const APP = 'https://app.example.com';

/** How the gateways of a test differ. */
export interface LoginSetup {
  readonly store: 'cookie' | 'redis';
  readonly replicas?: number;
  /** Whether a real browser finds the gateway where it listens. Default: nobody but the test finds it. */
  readonly isReached?: boolean;
  /** More keys of `identity.login`, and of the file. */
  readonly login?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly modules?: NonNullable<TestGatewayOptions['modules']>;
}

/** Gateways that people log in at, and all that they need. */
export class LoginStage {
  readonly provider: LoginProvider;
  readonly redis: RedisServer | undefined;
  readonly echo: TestUpstream;
  readonly gateways: readonly TestGateway[];

  private constructor(
    provider: LoginProvider,
    redis: RedisServer | undefined,
    echo: TestUpstream,
    gateways: readonly TestGateway[],
  ) {
    this.provider = provider;
    this.redis = redis;
    this.echo = echo;
    this.gateways = gateways;
  }

  static async start({
    store,
    replicas = 1,
    isReached = false,
    login = {},
    more = {},
    modules = [],
  }: LoginSetup): Promise<LoginStage> {
    const [provider, redis, echo] = await Promise.all([
      LoginProvider.start(),
      store === 'redis' ? startRedis() : undefined,
      startUpstream(),
    ]);
    const port = isReached ? await freePort() : 0;
    const app = isReached ? `http://127.0.0.1:${port}` : APP;
    const config = JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: { schemes: ['session'] } } },
      identity: {
        revocation: {},
        login: {
          issuer: provider.issuer,
          clientId: CLIENT.id,
          clientSecretEnv: 'CLIENT_SECRET',
          scopes: ['openid', 'offline_access'],
          publicOrigin: app,
          paths: { loggedOut: '/bye' },
          session: { store, keysEnv: 'SESSION_KEYS' },
          ...login,
        },
      },
      upstreams: {
        echo: { targets: [echo.url] },
        deaf: { targets: [echo.url], identity: { authorization: 'remove' } },
        untold: { targets: [echo.url], identity: { headers: [] } },
      },
      routes: [
        { id: 'api', match: { path: '/api/*' }, upstream: 'echo' },
        {
          id: 'page',
          match: { path: '/page' },
          upstream: 'echo',
          policies: { authentication: { schemes: ['session'], onNavigation: 'login' } },
        },
        {
          id: 'bearer',
          match: { path: '/bearer' },
          upstream: 'echo',
          policies: { authentication: { schemes: ['session'], accessToken: 'forward' } },
        },
        {
          id: 'bearer-mirrored',
          match: { path: '/bearer/mirrored' },
          upstream: 'echo',
          mirror: { upstream: 'deaf' },
          policies: { authentication: { schemes: ['session'], accessToken: 'forward' } },
        },
        {
          id: 'bearer-alone',
          match: { path: '/bearer/alone' },
          upstream: 'untold',
          policies: { authentication: { schemes: ['session'], accessToken: 'forward' } },
        },
        { id: 'open', match: { path: '/open' }, upstream: 'echo', policies: { authentication: 'public' } },
        { id: 'socket', match: { path: '/socket' }, upstream: 'echo', webSocket: { origins: [APP, EVIL] } },
      ],
      ...more,
    });
    // Secrets are read from the environment of the process; a spec has its own.
    process.env['SESSION_KEYS'] = 'the-newest-secret-of-the-sessions, the-older-secret-of-the-sessions.';
    process.env['CLIENT_SECRET'] = CLIENT.secret;
    const environment = { PORT: String(port), ...(redis === undefined ? {} : { REDIS_URL: redis.url }) };
    const gateways: TestGateway[] = [];
    for (let i = 0; i < replicas; i += 1) gateways.push(await startGateway({ config, environment, modules }));
    provider.offer({
      callback: `${app}/login/callback`,
      loggedOut: `${app}/bye`,
      backChannel: `${gateways[0]?.url}/logout/backchannel`,
    });
    return new LoginStage(provider, redis, echo, gateways);
  }

  /** The address of a gateway. */
  at(replica = 0): string {
    return (this.gateways[replica] as TestGateway).url;
  }

  /** Somebody with a browser. */
  visitor(): Visitor {
    return new Visitor(() => this.at(), APP);
  }

  /** Somebody who has logged in. */
  async guest(): Promise<Visitor> {
    const visitor = this.visitor();
    const answer = await visitor.logIn();
    if (answer.status !== 200) throw new Error(`no log-in: ${answer.status} ${answer.text}`);
    return visitor;
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((one) => one.stop()));
    await Promise.all([this.provider.stop(), this.echo.stop(), this.redis?.stop()]);
  }
}

/** The origin of a page that nobody has asked for. */
export const EVIL = 'https://evil.example';
