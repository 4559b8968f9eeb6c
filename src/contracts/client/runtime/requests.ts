import type { CallOptions, ClientOptions } from './client-options.ts';
import type { LooseInit, Plan } from './plan.ts';

/** @internal */
export function pathOf(id: string, { path, rest }: Plan, values: Readonly<Record<string, unknown>>): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const text = String(values[name] ?? '');
    const segments = name === rest ? text.replace(/^\//, '').split('/') : [text];
    // A URL would take `..` for the way up, which is another operation.
    if (segments.some((one) => one === '.' || one === '..') || (text === '' && name !== rest)) {
      throw new TypeError(`${id}: ${JSON.stringify(text)} cannot stand for {${name}} in a path`);
    }
    return segments.map(encodeURIComponent).join('/');
  });
}

/** @internal */
export function queryOf({ commas = [] }: Plan, values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const list = Array.isArray(value) ? (value as unknown[]).map(String) : [String(value)];
    if (commas.includes(name)) query.append(name, list.join(','));
    else for (const one of list) query.append(name, one);
  }
  return query.toString();
}

type SentFields = Record<string, string | null>;

/** @internal */
export async function headersOf(
  client: Pick<ClientOptions, 'credentials'>,
  plan: Plan,
  init: LooseInit,
  stream?: string,
): Promise<SentFields> {
  const accepted = stream ?? (plan.answer === 'json' ? 'application/json' : undefined);
  return {
    ...(accepted === undefined ? {} : { accept: `${accepted}, application/problem+json` }),
    // What a caller sends as it likes has a type of its own; `null` takes that of openapi-fetch away.
    ...(init.body === undefined ? {} : { 'content-type': plan.bodyType ?? null }),
    ...(await credentialsOf(client, plan)),
    ...lowered(init.headers),
  };
}

async function credentialsOf(
  { credentials }: Pick<ClientOptions, 'credentials'>,
  plan: Plan,
): Promise<SentFields> {
  for (const schemes of plan.schemes) {
    const secrets = await Promise.all(schemes.map((scheme) => credentials?.[scheme]?.()));
    if (!secrets.every((secret) => secret !== undefined)) continue;
    return Object.fromEntries(
      schemes.map((scheme, index) =>
        scheme === 'apiKey' ? ['x-api-key', secrets[index]] : ['authorization', `Bearer ${secrets[index]}`],
      ),
    ) as SentFields;
  }
  return {};
}

function lowered(headers: CallOptions['headers'] = {}): SentFields {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** @internal */
export function bodyOf({ bodyType }: Plan, body: unknown): object {
  if (bodyType === 'application/json') return { body, bodySerializer: JSON.stringify };
  const raw = bodyType === 'application/x-ndjson' ? linesSent(body) : body;
  // A stream is sent while it is made (https://fetch.spec.whatwg.org/#dom-requestinit-duplex).
  const duplex = raw instanceof ReadableStream ? { duplex: 'half' } : {};
  return { body: raw, bodySerializer: (given: unknown) => given, ...duplex };
}

/** Messages, a line each; what is text or a stream of bytes already is sent as it is. */
function linesSent(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || body instanceof ReadableStream) return body;
  if (Array.isArray(body)) return body.map((one) => `${JSON.stringify(one)}\n`).join('');
  const isAsync = Symbol.asyncIterator in body;
  if (!isAsync && !(Symbol.iterator in body)) return body;
  const from = isAsync
    ? (body as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    : (body as Iterable<unknown>)[Symbol.iterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const next = await from.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
    },
    async cancel() {
      await from.return?.();
    },
  });
}
