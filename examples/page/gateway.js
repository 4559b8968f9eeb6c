/** The view with the fields that `GET /api/homepage` has. */
const QUERY = `query Homepage {
  homepage {
    user { id name email roles tier segment }
    feed { items { id title authorId publishedAt } }
    notifications { unread latest { id text createdAt } }
  }
}`;
const SUBSCRIPTION = 'subscription Live { notificationWatched { id text createdAt unread } }';
const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * What one face said, in one shape for both.
 *
 * @typedef {object} FaceAnswer
 * @property {number} status of HTTP.
 * @property {number} ms until the answer was read.
 * @property {object | null} page the sections.
 * @property {{ section: string, code: string, via: string }[]} degraded sections that something stands in for.
 * @property {{ title: string, code: string, section?: string }[]} problems why there is no page.
 * @property {unknown} raw the whole answer.
 */

const REUSED_FOR_MS = 10 * 60_000;
let kept = { user: undefined, token: undefined, at: 0 };

/** A token of the sample issuer, which asks for no password; the same one until it grows old. */
export async function tokenOf(user) {
  if (kept.user !== user || Date.now() - kept.at > REUSED_FOR_MS)
    kept = { user, token: await newToken(user), at: Date.now() };
  return kept.token;
}

async function newToken(user) {
  const answer = await fetch('token', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ user }) });
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).access_token;
}

/** Asks for the page over REST. */
export async function overRest(token) {
  const { status, ms, raw } = await timed('/api/homepage', { headers: { authorization: `Bearer ${token}` } });
  if (status !== 200) return { status, ms, raw, page: null, degraded: [], problems: [problemOf(raw)] };
  const { degraded = [], ...page } = raw;
  return { status, ms, raw, page, degraded: degraded.map(degradation), problems: [] };
}

/** Asks for the page over GraphQL. */
export async function overGraphql(token) {
  const { status, ms, raw } = await timed(
    '/graphql',
    asking(token, QUERY, 'application/graphql-response+json'),
  );
  const page = raw.data?.homepage ?? null;
  const errors = raw.errors?.map(({ message, extensions }) => problemOf({ title: message, ...extensions }));
  // What stopped the request before GraphQL saw it is a problem of HTTP.
  const problems = page === null ? (errors ?? [problemOf(raw)]) : [];
  return { status, ms, raw, page, degraded: (raw.extensions?.degraded ?? []).map(degradation), problems };
}

/**
 * Hears of new notifications until it is aborted. By `fetch`, because an `EventSource` can carry no credential.
 *
 * @param {(heard: { id: string, text: string, createdAt: string, unread: number }) => void} onNotification
 * @throws {Error} with the code of the problem that ended it.
 */
export async function listen(token, onNotification, onOpen, signal) {
  const answer = await fetch('/graphql', { ...asking(token, SUBSCRIPTION, 'text/event-stream'), signal });
  if (!answer.ok) throw new Error(problemOf(await answer.json()).code);
  onOpen();
  let waiting = '';
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const events = (waiting + text).split('\n\n');
    waiting = events.pop();
    for (const event of events) {
      const data = /^data: (.+)$/m.exec(event)?.[1];
      const { data: heard, errors } = data === undefined ? {} : JSON.parse(data);
      if (errors) throw new Error(errors[0].extensions.code);
      if (heard) onNotification(heard.notificationWatched);
    }
  }
}

/** Which services work: their names and whether they do. */
export async function services() {
  const answer = await fetch('control/services');
  const known = (await answer.json()).services;
  return new Map(known.map(({ name, fault }) => [name, fault.mode === 'none']));
}

/** Ends a service, or brings it back. */
export async function setService(name, works) {
  const body = JSON.stringify({ mode: works ? 'none' : 'dead' });
  await fetch(`control/services/${name}/fault`, { method: 'PUT', headers: JSON_TYPE, body });
}

function asking(token, query, accept) {
  const headers = { ...JSON_TYPE, accept, authorization: `Bearer ${token}` };
  return { method: 'POST', headers, body: JSON.stringify({ query }) };
}

async function timed(address, options) {
  const since = performance.now();
  const answer = await fetch(address, { ...options, cache: 'no-store' });
  const raw = await answer.json();
  return { status: answer.status, ms: Math.round(performance.now() - since), raw };
}

function degradation({ section, code, via }) {
  return { section, code, via };
}

function problemOf({ title, code, section }) {
  return { title, code, section };
}
