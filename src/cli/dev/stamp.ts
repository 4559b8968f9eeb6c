import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

const GONE = 'gone';

/** What differs once a file is written, replaced or removed: it goes by the name, whatever file it leads to. */
export function stampOf(path: string): string {
  try {
    return told(statSync(path, { bigint: true }));
  } catch {
    return GONE;
  }
}

/** The same, without waiting. Never rejects. */
export async function stampNow(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(told, () => GONE);
}

function told({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs}`;
}
