import type { Answer } from '../../../exchange/exchange.ts';

/**
 * A page that goes on to a path of ours. What a browser opens because another site has sent it comes without cookies that are
 * `SameSite=Strict`; what a page of ours opens comes with them.
 */
export function hopPage(to: string, more: readonly string[] = []): Answer {
  const place = to.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
  const body = Buffer.from(
    `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${place}"><title>…</title><a href="${place}">Go on</a>\n`,
  );
  return {
    status: 200,
    headers: [
      'content-type',
      'text/html; charset=utf-8',
      'content-length',
      String(body.length),
      ...GUARDS,
      ...more,
    ],
    body,
  };
}

const NOTHING = Buffer.alloc(0);

/** Sends a browser elsewhere by GET. */
export function seeOther(to: string, more: readonly string[] = []): Answer {
  return { status: 303, headers: ['location', to, 'content-length', '0', ...GUARDS, ...more], body: NOTHING };
}

/** Nobody keeps it, and nobody is told what stood in its address. */
const GUARDS = [
  'cache-control',
  'no-store',
  'referrer-policy',
  'no-referrer',
  'content-security-policy',
  "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options',
  'nosniff',
];
