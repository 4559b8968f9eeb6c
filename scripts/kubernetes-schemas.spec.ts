import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { closed, writeMonitorSchema, writeSchemas } from './kubernetes-schemas.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-schemas-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (...path: readonly string[]): unknown => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));

describe('schemas of Kubernetes', () => {
  it('refer to definitions beside them, and have no address of their own', () => {
    const from = join(folder, 'kubernetes_validate/kubernetes-json-schema/v1.99.0-local-strict');
    mkdirSync(from, { recursive: true });
    const $id = 'https://kubernetes.io/api/pod-v1.json';
    const pod = { $id, properties: { spec: { $ref: '/api/_definitions.json#/$defs/Spec' } } };
    writeFileSync(join(from, 'pod-v1.json'), JSON.stringify(pod, null, 2));
    writeSchemas(folder, '1.99.0', join(folder, 'schemas'));
    expect(read('schemas/v1.99.0/pod-v1.json')).toEqual({
      properties: { spec: { $ref: '_definitions.json#/$defs/Spec' } },
    });
  });
});

describe('the schema of a ServiceMonitor', () => {
  it('is that of the version v1 of its definition', () => {
    const openAPIV3Schema = { type: 'object', properties: { metadata: {}, spec: { type: 'object' } } };
    const versions = [{ name: 'v1', schema: { openAPIV3Schema } }];
    writeMonitorSchema(stringify({ spec: { versions } }), join(folder, 'v1'));
    expect(read('v1/servicemonitor-monitoring-v1.json')).toEqual({
      type: 'object',
      properties: { metadata: { type: 'object' }, spec: { type: 'object' } },
      additionalProperties: false,
    });
  });

  it('is not made of a definition without that version', () => {
    expect(() => writeMonitorSchema('spec: { versions: [] }', folder)).toThrow('has no version v1');
  });
});

describe('closed', () => {
  it('lets in no key beside those that are known, and leaves open what is', () => {
    const port = { 'x-kubernetes-int-or-string': true, anyOf: [] };
    const labels = { type: 'object', additionalProperties: { type: 'string' } };
    const loose = { type: 'object', properties: { a: {} }, 'x-kubernetes-preserve-unknown-fields': true };
    const list = { type: 'array', items: { type: 'object', properties: { port, labels, loose } } };
    expect(closed(list)).toEqual({
      type: 'array',
      items: {
        type: 'object',
        properties: { port: { type: ['integer', 'string'] }, labels, loose },
        additionalProperties: false,
      },
    });
  });
});
