import { createHash } from 'node:crypto';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';

/**
 * Digests a body while whoever forwards it reads it; nothing is read for it.
 *
 * @returns what tells the digest; empty until all of the body has come by.
 */
export function digestPassing({ request }: Exchange): () => string {
  const hash = createHash('sha256');
  let digest = '';
  // Who listens to a stream that nobody has paused has it flow.
  request.pause();
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  request.once('end', () => (digest = hash.digest('base64url')));
  return () => digest;
}

/**
 * Reads a body to its end, and keeps nothing of it but its digest.
 *
 * @throws {Problem} `body-too-large`, or why the exchange was cancelled.
 */
export function digestWhole(exchange: Exchange): Promise<string> {
  const { request, route } = exchange;
  const maxBytes = route?.policies.bodyLimit ?? Infinity;
  const hash = createHash('sha256');
  let seen = 0;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      exchange.offCancel(fail);
      request.off('data', take).off('end', end).off('error', fail);
    };
    const fail = (error: Error): void => {
      leave();
      request.pause();
      reject(exchange.cancelled ?? error);
    };
    const take = (chunk: Buffer): void => {
      seen += chunk.length;
      if (seen > maxBytes) fail(new Problem('body-too-large'));
      else hash.update(chunk);
    };
    const end = (): void => {
      leave();
      resolve(hash.digest('base64url'));
    };
    request.on('data', take).once('end', end).once('error', fail);
    exchange.onCancel(fail);
    request.resume();
  });
}
