import { Problem } from '../../problems/problem.ts';

const GROUP = 4;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Reads base64 as it comes: groups of four characters, of which any may be padded (grpc/grpc doc/PROTOCOL-WEB.md). */
export class WebTextReader {
  #rest = '';

  /** Reads what there is of whole groups. @throws {Problem} `request-malformed` for what is no base64. */
  take(chunk: Buffer): Buffer {
    const text = this.#rest + chunk.toString('latin1');
    const end = text.length - (text.length % GROUP);
    this.#rest = text.slice(end);
    return decoded(text.slice(0, end));
  }

  /** @throws {Problem} `request-malformed` when a group is not complete. */
  finish(): void {
    if (this.#rest !== '') throw malformed();
  }
}

/** Writes a piece as base64, padded, so that it can be read at once. */
export function webText(piece: Buffer): Buffer {
  return Buffer.from(piece.toString('base64'), 'latin1');
}

// Fails closed: Node's own reader passes over what it does not know, and ends at the first padding.
function decoded(text: string): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    const padding = text.indexOf('=', at);
    const end = padding < 0 ? text.length : padding + GROUP - (padding % GROUP);
    const part = text.slice(at, end);
    if (!BASE64.test(part)) throw malformed();
    parts.push(Buffer.from(part, 'base64'));
    at = end;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function malformed(): Problem {
  return new Problem('request-malformed', { detail: 'The body is no base64.' });
}
