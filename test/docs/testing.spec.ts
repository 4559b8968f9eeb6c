import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = 'docs/testing.md';
const ENTRY = join(ROOT, 'src/testing/index.ts');

interface Block {
  readonly place: string;
  readonly code: string;
}

function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: code = '', index }) => {
    const place = `${PAGE}:${page.slice(0, index).split('\n').length}`;
    if (language !== 'ts') throw new Error(`${place}: a block that no test runs`);
    return { place, code };
  });
}

/** A block as a module with one function, which imports what it says. */
function moduleOf(code: string): string {
  const imports: string[] = [];
  const rest = code.replaceAll(/^import .*$/gm, (line) => {
    imports.push(line.replace("'gatehouse/testing'", `'${ENTRY}'`).replace("'./src/", `'${ROOT}/src/`));
    return '';
  });
  return `${imports.join('\n')}\nexport async function run({ expect, folder }) {\n${rest}\n}\n`;
}

interface Runnable {
  run(given: { readonly expect: typeof expect; readonly folder: string }): Promise<void>;
}

describe(PAGE, () => {
  const blocks = blocksOf(readFileSync(join(ROOT, PAGE), 'utf8'));
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-testing-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(blocks.map((block, at) => ({ ...block, at })))('$place runs as it stands', async ({ code, at }) => {
    const file = join(folder, `block-${at}.ts`);
    writeFileSync(file, moduleOf(code));
    const before = expect.getState().assertionCalls;
    await ((await import(file)) as Runnable).run({ expect, folder });
    expect(expect.getState().assertionCalls).toBeGreaterThan(before);
  });

  it('has blocks', () => {
    expect(blocks.length).toBeGreaterThan(7);
  });
});
