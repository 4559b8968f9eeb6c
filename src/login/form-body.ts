import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';

const MAX_BYTES = 32 * 1024;
const TIME_MS = 5000;

/**
 * The form that a request brings, 32 KiB at most, within five seconds.
 *
 * @throws {Problem} `unsupported-media-type`, `body-too-large` or `request-timeout`.
 */
export async function formOf({ request, signal }: Exchange): Promise<URLSearchParams> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type))
    throw new Problem('request-invalid', { detail: 'Expected application/x-www-form-urlencoded.' });
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = AbortSignal.any([signal, AbortSignal.timeout(TIME_MS)]);
  const stop = (): void => void request.destroy();
  late.addEventListener('abort', stop);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new Problem('body-too-large');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('request-timeout', { cause: error });
  } finally {
    late.removeEventListener('abort', stop);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
