import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { ResponseHead } from '../policies/stage.ts';
import type { HeadKind } from './response-head.ts';

/** Ours in any case. */
export const REQUEST_ID = 'x-request-id';
const FIRST_FINAL_STATUS = 200;
const LAST_STATUS = 599;
const NO_CONTENT = 204;

/**
 * Refuses what could not be sent before anything is written, and takes out what is not for stages to say.
 *
 * @throws {RangeError} for a status that no answer has, and what `node:http` throws for a field.
 */
export function checkHead(head: ResponseHead, kind: HeadKind): void {
  const { status, headers } = head;
  if (kind !== 'handshake' && kind !== 'switch' && !(status >= FIRST_FINAL_STATUS && status <= LAST_STATUS))
    throw new RangeError(`a stage made ${status} the status of an answer`);
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (isNotForStages(name, status)) continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    headers[kept] = name;
    headers[kept + 1] = value;
    kept += 2;
  }
  headers.length = kept;
}

function isNotForStages(name: string, status: number): boolean {
  // By their lengths, so that hardly any name is looked at twice.
  if (name.length === REQUEST_ID.length) return name.toLowerCase() === REQUEST_ID;
  // RFC 9110 section 8.6.
  return status === NO_CONTENT && name.length === 14 && name.toLowerCase() === 'content-length';
}
