import type { CustomFetch } from 'openid-client';

const MAX_BYTES = 512 * 1024;

/** Fetches for the library of the log-in: no redirect, and 512 KiB at most. Rejects beyond that. */
export const boundedFetch: CustomFetch = async (url, options) => {
  const answer = await fetch(url, { ...options, redirect: 'manual' } as RequestInit);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new TypeError(`the provider answers with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { status, headers } = answer;
  const isEmpty = bytes === 0;
  return new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers });
};
