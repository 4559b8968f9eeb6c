import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = dirname(import.meta.dirname);
const ORDERS = 'src/routes/services/gen/shop/v1/orders_pb.ts';
const SET = 'config/descriptors/shop.binpb';
const COPIED = [
  'scripts/generate-proto.ts',
  'buf.yaml',
  'proto',
  'config/descriptors',
  'src/routes/services/gen',
  'src/upstreams/grpc/gen',
  'package.json',
];
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'gatehouse-generate-'));
  for (const path of COPIED) {
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

function run(...args: string[]): { status: number | null; output: string } {
  // An empty PATH shows that nothing but the checked-out packages is needed.
  const env = { ...process.env, PATH: '', NODE_OPTIONS: '' };
  const done = spawnSync(process.execPath, ['scripts/generate-proto.ts', ...args], {
    cwd: copy,
    env,
    encoding: 'utf8',
  });
  return { status: done.status, output: done.stdout + done.stderr };
}

/** A schema of another package; its code and its descriptor set. */
function addInvoices(): readonly [code: string, set: string] {
  mkdirSync(join(copy, 'proto/billing/v1'), { recursive: true });
  const text =
    '// Invoices.\nsyntax = "proto3";\n\npackage billing.v1;\n\n// One.\nmessage Invoice {\n  // Unique.\n  string id = 1;\n}\n';
  writeFileSync(join(copy, 'proto/billing/v1/invoices.proto'), text);
  return ['src/routes/services/gen/billing/v1/invoices_pb.ts', 'config/descriptors/billing.binpb'];
}

describe('generate-proto', () => {
  it('names what is stale with --check, changes nothing, and repairs it without, with what a team adds', () => {
    appendFileSync(join(copy, ORDERS), '// edited by hand\n');
    writeFileSync(join(copy, 'src/routes/services/gen/left_over_pb.ts'), '');
    appendFileSync(join(copy, SET), Buffer.of(0));
    const checked = run('--check');
    expect(checked.status).toBe(1);
    expect(checked.output).toContain('stale, run "npm run generate"');
    expect(checked.output).toContain(ORDERS);
    expect(checked.output).toContain(SET);
    expect(checked.output).toContain('left_over_pb.ts');
    expect(readFileSync(join(copy, ORDERS), 'utf8')).toContain('edited by hand');
    // The same run generates what a team adds, and says where.
    const [code, set] = addInvoices();
    const { status, output } = run();
    expect([status, output]).toEqual([0, expect.stringContaining(`wrote ${code}\n`)]);
    expect(output).toContain(`wrote ${set}\n`);
    expect(readFileSync(join(copy, code), 'utf8')).toContain('export type Invoice = ');
    expect(readFileSync(join(copy, ORDERS), 'utf8')).toBe(readFileSync(join(ROOT, ORDERS), 'utf8'));
    expect(readFileSync(join(copy, SET)).equals(readFileSync(join(ROOT, SET)))).toBe(true);
    rmSync(join(copy, set));
    const stale = run('--check');
    expect([stale.status, stale.output]).toEqual([1, expect.stringContaining(`  ${set}\n`)]);
  });

  it('refuses a schema that the linter refuses, with its place', () => {
    appendFileSync(join(copy, 'proto/shop/v1/orders.proto'), '\nmessage lower {}\n');
    const done = run();
    expect(done.status).toBe(1);
    expect(done.output).toMatch(/orders\.proto:\d+:\d+:.*lower/);
  });

  it('refuses arguments that it does not know', () => {
    expect(run('--chekc')).toMatchObject({ status: 2 });
  });
});
