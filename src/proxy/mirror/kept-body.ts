import { Pieces } from '../../exchange/pieces.ts';
import type { IncomingBody } from '../../upstreams/http/outbound-body.ts';

/**
 * Keeps a copy of a body that goes elsewhere, and changes nothing about how it does: it is read when somebody else reads it.
 *
 * @param done hears once what came of it: the whole, or why there is none.
 * @returns forgets it all.
 */
export function keepBody(
  { stream, length }: IncomingBody,
  maxBytes: number,
  done: (body: Buffer | 'body-too-large' | 'body-broken') => void,
): () => void {
  const pieces = new Pieces();
  const leave = (): void => {
    stream.off('data', take).off('end', end).off('close', broken);
    pieces.take();
  };
  const finish = (body: Buffer | 'body-too-large' | 'body-broken'): void => {
    leave();
    done(body);
  };
  const take = (chunk: Buffer): void => {
    // Not first kept: what is too large takes no room.
    if (pieces.length + chunk.length > maxBytes) finish('body-too-large');
    else pieces.push(chunk);
  };
  const end = (): void => finish(pieces.take());
  const broken = (): void => finish('body-broken');
  if (length !== undefined && length > maxBytes) {
    done('body-too-large');
    return leave;
  }
  stream.on('data', take).once('end', end).once('close', broken);
  return leave;
}
