import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import type { Work } from './cases.ts';
import { readMetrics, requestsOf, sumOf, upstreamCallsOf } from './metrics.ts';
import type { Subject, Subjects } from './stand.ts';

/** A cold process may be so late at first that it answers without a section. */
const FIRST_ANSWERS = 5;
const FIRST_ANSWERS_APART_MS = 300;
const LOG_FLUSH_MS = 600;
/** Above this share of requests that were answered in another way than the case is about, the case fails. */
const MAX_FALLBACK_SHARE = 0.25;
/** Above this share, the reader is told. */
const NOTED_FALLBACK_SHARE = 0.001;

/**
 * Asks all of them for the same thing before anything is measured.
 *
 * @throws {Error} unless all answer 200 with JSON of the same shape and values as the gateway.
 */
export async function checkSameAnswer(
  one: Work,
  { gateway, twin, peers }: Subjects,
  token: string | undefined,
): Promise<void> {
  for (const subject of [twin, ...peers]) {
    let [ours, theirs] = ['', ''];
    for (let tries = 0; tries < FIRST_ANSWERS; tries += 1) {
      if (tries > 0) await sleep(FIRST_ANSWERS_APART_MS);
      [ours, theirs] = [await ask(one, gateway, token), await ask(one, subject, token)];
      if (ours === theirs) break;
    }
    if (ours !== theirs) {
      throw new Error(
        `gateway and ${subject.name} answer differently:\n  gateway ${ours}\n  ${subject.name} ${theirs}`,
      );
    }
  }
}

/** Where the requests of a case go. */
export function originOf({ over }: Pick<Work, 'over'>, { origin }: Pick<Subject, 'origin'>): string {
  return over === undefined ? origin : origin.replace('http:', 'https:');
}

async function exchange(
  url: string,
  {
    body,
    ...options
  }: { method: string; headers: Readonly<Record<string, string>>; body: string | undefined },
): Promise<{ status: number | undefined; text: string }> {
  const begin = url.startsWith('https:') ? secureRequest : plainRequest;
  // The certificate is made for this run, and says nothing.
  const sent = begin(url, { ...options, rejectUnauthorized: false } as RequestOptions).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}

/**
 * Makes the request of a case once.
 *
 * @returns the JSON of the answer, in one form.
 * @throws {Error} unless the answer is 200.
 */
export async function ask(one: Work, subject: Subject, token: string | undefined): Promise<string> {
  const { method, path, headers, body } = one.request;
  const url = originOf(one, subject) + path;
  const sent = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
  const { status, text } = await exchange(url, { method, headers: sent, body });
  if (status !== 200) throw new Error(`${url} answered ${status}: ${text}`);
  return JSON.stringify(JSON.parse(text));
}

const LIMITER = 'gatehouse_rate_limit_decisions_total';

/**
 * Makes sure that the gateway did all of what the case says it does: the metrics show every request, the limiter
 * decided on every one, the access log has a line for each, and Redis was really used.
 *
 * @returns a sentence that a reader of the numbers should know, if there is one.
 * @throws {Error} naming what is missing.
 */
export async function checkWork(one: Work, gateway: Subject, requests: number): Promise<string | undefined> {
  await sleep(LOG_FLUSH_MS);
  const metrics = await readMetrics(gateway.adminOrigin);
  expectAtLeast('requests in the metrics', requestsOf(metrics, one.routeId), requests);
  const decidedBy = one.decidedBy ?? (one.limited ? LIMITER : undefined);
  if (decidedBy !== undefined)
    expectAtLeast(
      `${decidedBy} in the metrics`,
      sumOf(metrics, decidedBy, `route="${one.routeId}"`),
      requests,
    );
  if (one.logLevel === 'info') expectAtLeast('access lines', await accessLines(gateway, one), requests);
  if (one.needsRedis && !/^gatehouse_store_up 1$/m.test(metrics)) {
    throw new Error('Redis was not used at the end');
  }
  return noteOn(fallbacksOf(one, metrics) / requests, one);
}

// Services and Redis share a core with the load tool, so some of their answers come too late: the limiter then
// counts in the process, and GraphQL shows a section or a field without its data. All answer 200.
function fallbacksOf(one: Work, metrics: string): number {
  if (one.needsRedis) {
    return sumOf(metrics, one.decidedBy ?? LIMITER, `route="${one.routeId}",outcome="store-error`);
  }
  const sections = sumOf(metrics, 'gatehouse_view_sections_total');
  const late = sections - sumOf(metrics, 'gatehouse_view_sections_total', 'outcome="ok"');
  return Math.max(late, upstreamCallsOf(metrics).failed);
}

function noteOn(share: number, one: Work): string | undefined {
  const late = one.needsRedis ? 'Redis was' : 'a service was';
  const note = `${late} too late for ${(share * 100).toFixed(1)} % of the requests, which the gateway answered without it`;
  if (share > MAX_FALLBACK_SHARE) throw new Error(`${note}; is the machine busy?`);
  return share > NOTED_FALLBACK_SHARE ? note : undefined;
}

async function accessLines({ logFile }: Subject, { routeId }: Work): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(logFile) })) {
    if (line.includes(`"route":"${routeId}"`) && line.includes('"status":200')) count += 1;
  }
  return count;
}

function expectAtLeast(what: string, found: number, wanted: number): void {
  if (found < wanted) throw new Error(`${what}: ${found}, expected at least ${wanted}`);
}
