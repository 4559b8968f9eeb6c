import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROWS } from '../kubernetes/http-route-rows.ts';

describe('the page about Kubernetes as a source', () => {
  it('lists the fields that requests have shown to be served, and no others', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/kubernetes-gateway-api.md'), 'utf8');
    const table = page.split('<!-- fields -->')[1]?.split('<!-- end -->')[0] ?? '';
    const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, field]) => field);
    expect(listed).toEqual(ROWS.map(({ field }) => field));
  });
});
