import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Type } from '@nestjs/common';
import type { ProblemCode } from '../../src/problems/catalogue.ts';
import { call, type Answer, type CallOptions } from './client.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

/** Whose key a request of a test comes with. */
export type KeyedCaller = 'ann' | 'bob' | 'ann of another tenant';

const CALLERS: Readonly<Record<KeyedCaller, object>> = {
  ann: { clientId: 'ann', tenant: 'one', roles: ['user'] },
  bob: { clientId: 'bob', tenant: 'one', roles: ['user'] },
  'ann of another tenant': { clientId: 'ann', tenant: 'two', roles: ['user'] },
};

/** The API key of a caller. */
export function apiKeyOf(caller: KeyedCaller): string {
  return `test-api-key-of-${caller.replaceAll(' ', '-')}`;
}

/** A request with an `Idempotency-Key`; without one only where `key` is undefined. */
export interface KeyedCall extends CallOptions {
  readonly key?: string | undefined;
  readonly as?: KeyedCaller | 'nobody';
}

/** What a service is asked to do by the last word of the path. */
type Behavior = (request: IncomingMessage, response: ServerResponse, run: number) => void;

/** A service that counts what it was asked to do, and does as the path says. */
export class CountingService {
  readonly #held: (() => void)[] = [];
  #runs = 0;
  upstream!: TestUpstream;

  /** How often it has been asked to do something. */
  get runs(): number {
    return this.#runs;
  }

  /** Lets those go on that were held. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  /** Waits until so many are held. */
  async holds(count: number): Promise<void> {
    while (this.#held.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async start(): Promise<this> {
    this.upstream = await startUpstream((request, response) => {
      const word = request.url?.replace(/\?.*/, '').split('/').at(-1) ?? '';
      let length = 0;
      request.on('error', () => undefined).on('data', (chunk: Buffer) => (length += chunk.length));
      request.on('end', () => {
        this.#runs += 1;
        const sized: Behavior = (_request, answered) => void answered.end('x'.repeat(Number(word)));
        const behavior = BEHAVIORS[word] ?? (/^\d+$/.test(word) ? sized : tell);
        const answer = behavior.bind(undefined, request, response, this.#runs);
        response.setHeader('x-length', length);
        if (word === 'halves') {
          response.write('half ');
          this.#held.push(() => response.end('whole'));
        } else if (word.startsWith('held')) this.#held.push(answer);
        else answer();
      });
    });
    return this;
  }

  async stop(): Promise<void> {
    this.release();
    await this.upstream.stop();
  }
}

const tell: Behavior = ({ method, headers }, response, run) => {
  const body = JSON.stringify({ run, method, key: headers['idempotency-key'], secret: 's3cret' });
  const fields = {
    'content-type': 'application/json',
    'set-cookie': 'a=b',
    location: `/things/${run}`,
    age: '7',
  };
  response.writeHead(201, { ...fields, 'content-length': Buffer.byteLength(body) }).end(body);
};

const BEHAVIORS: Readonly<Record<string, Behavior>> = {
  reset: (request) => void request.socket.destroy(),
  empty: (_request, response) => void response.writeHead(204).end(),
  busy: (_request, response, run) => void response.writeHead(429, { 'retry-after': '9' }).end(String(run)),
  wrong: (_request, response, run) => void response.writeHead(500).end(String(run)),
  refusing: (_request, response, run) => void response.writeHead(404).end(String(run)),
  large: (_request, response) => void response.end('x'.repeat(5000)),
  // In pieces, and nobody knows how many will come.
  pieces: (_request, response, run) => {
    response.write(`${run} one`);
    setTimeout(() => response.end(' two'), 5);
  },
  cut: (_request, response) => {
    response.writeHead(201, { 'content-length': '100' }).write('half');
    setTimeout(() => response.destroy(), 5);
  },
  events: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('data: 1\n\n');
  },
};

/** A gateway whose routes know keys, before a service that counts. */
export class KeyedGateway {
  readonly gateway: TestGateway;
  readonly service: CountingService;

  constructor(gateway: TestGateway, service: CountingService) {
    this.gateway = gateway;
    this.service = service;
  }

  /** Sends a POST, as ann unless it says otherwise. */
  post(path: string, { key, as = 'ann', ...options }: KeyedCall = {}): Promise<Answer> {
    const headers = {
      'content-type': 'application/json',
      ...(as === 'nobody' ? {} : { 'x-api-key': apiKeyOf(as) }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...options.headers,
    };
    return call(this.gateway.url + path, { method: 'POST', body: '{}', ...options, headers });
  }

  async metrics(): Promise<string> {
    return (await call(`${this.gateway.adminUrl}/metrics`)).text;
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.service.stop();
  }
}

/** What a gateway is started with. */
export interface KeyedOptions {
  /** By path. */
  readonly routes: Readonly<Record<string, object>>;
  readonly upstream?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly modules?: readonly Type[];
  readonly service?: CountingService;
}

/** A configuration whose routes have these policies, as text. */
export function keyedConfig(service: CountingService, { routes, upstream }: KeyedOptions): string {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  return JSON.stringify({
    version: 1,
    identity: {
      apiKeys: Object.entries(CALLERS).map(([name, more]) => ({
        sha256: sha256(apiKeyOf(name as KeyedCaller)),
        ...more,
      })),
    },
    defaults: { policies: { authentication: { schemes: ['apiKey'] } } },
    upstreams: {
      service: {
        targets: [service.upstream.url],
        circuitBreaker: 'off',
        retry: { attempts: 1 },
        ...upstream,
      },
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
    },
    routes: Object.entries(routes).map(([path, policies]) => ({
      id: path.replace(/\W+/g, '-').replace(/^-|-$/g, ''),
      match: { path },
      upstream: path.startsWith('/gone') ? 'gone' : 'service',
      policies,
    })),
  });
}

/** Starts a gateway, and a service unless there is one. */
export async function startKeyed(options: KeyedOptions): Promise<KeyedGateway> {
  const service = options.service ?? (await new CountingService().start());
  const { environment = {}, modules = [] } = options;
  const gateway = await startGateway({ config: keyedConfig(service, options), environment, modules });
  return new KeyedGateway(gateway, service);
}

/** Provokes one of the refusals of keys. */
export async function askKeyed(code: ProblemCode): Promise<Answer> {
  const keyed = await startKeyed({ routes: { '/a/*': { idempotency: { maxAnswer: '100B' } } } });
  const ask = (path: string, body = '{}'): Promise<Answer> => keyed.post(path, { key: 'k', body });
  try {
    if (code === 'idempotency-key-invalid') return await keyed.post('/a/b', { key: '"' });
    if (code === 'idempotency-in-flight') {
      const first = ask('/a/held');
      await keyed.service.holds(1);
      const second = await ask('/a/held');
      keyed.service.release();
      await first;
      return second;
    }
    const path = code === 'idempotency-outcome-unknown' ? '/a/reset' : '/a/large';
    await ask(path);
    return await ask(path, code === 'idempotency-key-reused' ? '[]' : '{}');
  } finally {
    await keyed.stop();
  }
}
