import { writeFileSync } from 'node:fs';
import { FORMAT, VERSION, type RecordedExchange } from '../record/sample-format.ts';

/** Writes a sample of exchanges that were asked by nobody in particular. */
export function writeSample(file: string, exchanges: readonly Partial<RecordedExchange>[]): void {
  const whole = exchanges.map((one) => ({
    at: '2026-11-27T10:00:00.000Z',
    method: 'GET',
    headers: [],
    dropped: [],
    from: '127.0.0.1',
    status: 200,
    ms: 1,
    ...one,
  }));
  const head = { format: FORMAT, version: VERSION, config: '0', started: '2026-11-27T10:00:00.000Z' };
  const end = { end: 'time', recorded: whole.length, skipped: 0, lost: 0 };
  writeFileSync(file, [head, ...whole, end].map((one) => `${JSON.stringify(one)}\n`).join(''));
}
