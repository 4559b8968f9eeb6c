import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subject } from '../stand.ts';
import { checkLog, forged } from './checks.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the checks', () => {
  it('change the signature of a token and nothing else', () => {
    expect(forged('head.claims.Axyz')).toBe('head.claims.Bxyz');
    expect(forged('head.claims.xAyz')).toBe('head.claims.AAyz');
  });

  it('want a line in the log for each request, but for some on their way', async () => {
    const logFile = join(folder, 'access.log');
    writeFileSync(logFile, '{}\n'.repeat(98));
    const subject = { name: 'Envoy', logFile } as Subject;
    await expect(checkLog(subject, 100)).resolves.toBeUndefined();
    await expect(checkLog(subject, 101)).rejects.toThrow('Envoy: 98 access lines for 101 requests');
  });
});
