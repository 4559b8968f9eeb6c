import { streamFormat } from '../exchange/stream-format.ts';

/** How the records of an answer that arrives in parts are written. */
export interface RecordFormat {
  readonly contentType: string;
  /** Written at once. */
  readonly open: string;
  /** Writes one record. */
  record(event: 'section' | 'done' | 'problem', json: string): string;
}

const FORMATS: Readonly<Record<string, RecordFormat>> = {
  'application/x-ndjson': {
    contentType: 'application/x-ndjson',
    open: '',
    record: (_event, json) => `${json}\n`,
  },
  'text/event-stream': {
    contentType: 'text/event-stream',
    open: ': open\n\n',
    // JSON on one line has no line break that would end the field.
    record: (event, json) => `event: ${event}\ndata: ${json}\n\n`,
  },
};

/** The format that `Accept` prefers over one JSON body; undefined when it does not. */
export function recordFormat(accept: string | undefined): RecordFormat | undefined {
  if (accept === undefined || accept === '*/*') return undefined;
  return FORMATS[streamFormat(accept).contentType];
}
