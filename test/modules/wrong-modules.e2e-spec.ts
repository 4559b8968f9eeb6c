import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../support/command.ts';
import type { GatewayModule } from '../../src/config/gateway-module.ts';
import { WRONG_DECLARATIONS } from './wrong-declarations.ts';

const FIXTURE = 'test/modules/wrong.module.fixture.ts';
const CONFIG = `version: 1
modules: [wrong]
defaults: { policies: { authentication: public } }
upstreams:
  users: { targets: ['http://127.0.0.1:9'] }
routes:
  - { id: lost, match: { path: /lost }, upstream: user }
`;
const IN_FILE = 'routes[lost].upstream  there is no upstream "user"; did you mean "users"?';

const load = async (): Promise<readonly GatewayModule[]> =>
  (await import('./wrong.module.fixture.ts')).modules;
const written = readFileSync(FIXTURE, 'utf8').split('\n');
const told: Record<string, { readonly code: number | null; readonly lines: readonly string[] }> = {};
let folder: string;

/** 1-based. */
function lineOf(mark: string): number {
  const below = written.findIndex((line) => line.endsWith(`// below: ${mark}`));
  return below === -1
    ? written.findIndex((line) => line.endsWith(`; // ${mark}`) || line.endsWith(` // ${mark}`)) + 1
    : below + 2;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-wrong-'));
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, CONFIG);
  const variables = { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'silent' };
  for (const command of ['validate', 'start']) {
    const { code, stderr } = await runCommand([command, '--config', file], variables, load);
    told[command] = { code, lines: stderr.trim().split('\n') };
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['validate', 'start'])('%s of a module with wrong declarations', (command) => {
  it.each(WRONG_DECLARATIONS)('tells of what is wrong in the line "%s"', (mark, message) => {
    expect(lineOf(mark)).toBeGreaterThan(0);
    expect(told[command]?.lines).toContain(`${FIXTURE}:${lineOf(mark)}  ${message}`);
  });

  it('tells all of it at once, with what is wrong with the file, and nothing else', () => {
    const { code, lines = [] } = told[command] ?? {};
    expect(code).toBe(1);
    expect(lines.filter((line) => line.endsWith(IN_FILE))).toHaveLength(1);
    expect(lines.at(-1)).toBe(`${WRONG_DECLARATIONS.length + 1} faults`);
  });
});

describe('docs/modules.md', () => {
  it.each(WRONG_DECLARATIONS)('tells teams what "%s" is answered with', (_, message) => {
    expect(readFileSync('docs/modules.md', 'utf8').replaceAll('\\|', '|')).toContain(message);
  });
});
