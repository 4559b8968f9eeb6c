import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoGateway } from '../demo-gateway.ts';
import { redisPlace } from '../demo-redis.ts';
import type { Step } from '../demo-steps.ts';
import { describeFault } from '../services/fault.ts';
import { readObject } from '../services/http-body.ts';
import { HttpError, json, type HttpCall, type HttpRoute, type Reply } from '../services/http-routes.ts';
import type { SampleService } from '../services/sample-service.ts';
import type { SampleServices } from '../services/start.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { docsRoute } from './docs.ts';
import { graphiqlRoute } from './graphiql.ts';

/** What the start page tells of. */
export interface StartPageFacts {
  readonly services: SampleServices;
  readonly gateways: readonly DemoGateway[];
  readonly traffic: Traffic;
  readonly redisUrl: string | undefined;
  readonly steps: () => readonly Step[];
}

const NO_STORE = ['Cache-Control', 'no-store'];
/** How long the reports of the sample take; the route that leads here waits for a second. */
const REPORTS_MS: Readonly<Record<string, number>> = { daily: 200, monthly: 600, yearly: 2000 };
/** What services are for. */
const ROLES: Readonly<Record<string, string>> = {
  'users-1': 'REST',
  'users-2': 'REST, a replica',
  feed: 'REST',
  payments: 'REST',
  orders: 'gRPC',
  notifications: 'gRPC, streams',
  identity: 'OpenID Connect, JWKS',
  control: 'switches of the services',
};

/**
 * What the start page asks for: `GET /about.json` says what runs, `PUT /traffic` with `{ "flows": false }` stops the
 * sample traffic, `GET /graphiql` and `GET /docs` are for somebody who is signed in, `GET /metrics` the metrics of the first gateway,
 * which its operators' listener would not show to who comes from another page. And what the traffic asks for: `GET /reports/{name}`.
 */
export function startPageRoutes(facts: StartPageFacts): HttpRoute[] {
  return [
    { method: 'GET', path: '/about.json', handle: () => json(200, about(facts), NO_STORE) },
    { method: 'PUT', path: '/traffic', handle: (call) => turnTraffic(facts.traffic, call) },
    { method: 'GET', path: '/metrics', handle: () => metrics(facts.gateways) },
    { method: 'GET', path: '/reports/{name}', handle: report },
    graphiqlRoute(facts.services.identity),
    docsRoute(facts.services.identity),
  ];
}

function about({ services, gateways, traffic, redisUrl, steps }: StartPageFacts): object {
  return {
    gateways: gateways.map(({ url, adminUrl, runs }) => ({ url, adminUrl, runs })),
    services: Object.values(services)
      .filter((one): one is SampleServices[keyof Omit<SampleServices, 'stop'>] => typeof one === 'object')
      .map(describe),
    redis: redisUrl === undefined || redisUrl === '' ? null : withoutPassword(redisUrl),
    traffic: { flows: traffic.flows, sent: traffic.sent },
    steps: steps().map(({ shows, command }) => ({ shows, command })),
  };
}

function describe({ name, url, mode, requests }: SampleService): object {
  return { name, role: ROLES[name] ?? '', url, fault: describeFault(mode), requests: requests.total };
}

/** Only where it is; what opens it is nobody's business. */
function withoutPassword(url: string): string {
  const place = redisPlace(url);
  return place === undefined ? 'set by REDIS_URL' : `${place.host}:${place.port}`;
}

async function turnTraffic(traffic: Traffic, { request }: HttpCall): Promise<Reply> {
  const { flows } = await readObject(request);
  if (typeof flows !== 'boolean') throw new HttpError(400, 'flows: true or false is expected');
  if (flows) traffic.start();
  else traffic.stop();
  return json(200, { flows: traffic.flows, sent: traffic.sent }, NO_STORE);
}

async function metrics([first]: StartPageFacts['gateways']): Promise<Reply> {
  const answer = first && (await fetch(`${first.adminUrl}/metrics`).catch(() => undefined));
  if (!answer?.ok) throw new HttpError(503, 'the gateway shows no metrics at present');
  const body = Buffer.from(await answer.arrayBuffer());
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'];
  return { status: 200, headers: [...headers, 'Content-Length', String(body.length), ...NO_STORE], body };
}

async function report({ parameter: name }: HttpCall): Promise<Reply> {
  const takesMs = Object.hasOwn(REPORTS_MS, name) ? REPORTS_MS[name] : undefined;
  if (takesMs === undefined) throw new HttpError(404, `report ${name} does not exist`);
  await sleep(takesMs);
  return json(200, { report: name, rows: takesMs / 10 });
}
