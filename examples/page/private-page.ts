import type { Reply } from '../services/http-routes.ts';

/** A page with a token in it, as an answer: no other site may read it, and no cache keeps it. @param policy its Content-Security-Policy. */
export function privatePage(html: string, policy: string): Reply {
  const body = Buffer.from(html);
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(body.length),
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  };
  return { status: 200, headers: Object.entries(headers).flat(), body };
}
