import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROWS } from '../kubernetes/http-route-rows.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/kubernetes-gateway-api.md'), 'utf8');

/** Where a row of the other kinds is shown to be served: a file, and what its test is called. */
const SHOWN: Readonly<Record<string, readonly (readonly [file: string, test: string])[]>> = {
  'GRPCRoute `method` Exact, RegularExpression': [
    [
      'test/kubernetes/grpc-routes.e2e-spec.ts',
      'takes calls by service and method, answer and status included',
    ],
    ['test/kubernetes/grpc-routes.e2e-spec.ts', 'takes calls by an expression of their method'],
  ],
  'GRPCRoute `headers`, header filters': [
    ['test/kubernetes/grpc-routes.e2e-spec.ts', 'takes calls by header fields, exactly and by expressions'],
    ['test/kubernetes/grpc-routes.e2e-spec.ts', 'edits header fields as it says'],
  ],
  'GRPCRoute `backendRefs[].weight`': [
    ['test/kubernetes/grpc-routes.e2e-spec.ts', 'shares calls by weight, exactly'],
    ['test/kubernetes/grpc-routes.e2e-spec.ts', 'answers UNAVAILABLE for the share that leads nowhere'],
  ],
  'BackendTLSPolicy `validation.hostname`': [
    [
      'test/kubernetes/listeners-and-policies.e2e-spec.ts',
      'speaks TLS to a Service that a BackendTLSPolicy is about',
    ],
  ],
  '`caCertificateRefs`, `wellKnownCACertificates`': [
    [
      'test/kubernetes/listeners-and-policies.e2e-spec.ts',
      'speaks TLS to a Service that a BackendTLSPolicy is about',
    ],
    ['src/kubernetes/translate/backends.spec.ts', 'speaks TLS as a BackendTLSPolicy says'],
  ],
  'a BackendTLSPolicy that cannot be used': [
    [
      'test/kubernetes/listeners-and-policies.e2e-spec.ts',
      'does not speak to it without, when the authority is gone',
    ],
  ],
  'Ingress `ingressClassName`': [
    ['src/kubernetes/translate/ingresses.spec.ts', 'takes those of its own classes'],
    ['test/kubernetes/ingresses.e2e-spec.ts', '%s of %s is %d %s'],
  ],
  '`rules`, `pathType`, `defaultBackend`': [['test/kubernetes/ingresses.e2e-spec.ts', '%s of %s is %d %s']],
  'Ingress `tls`': [
    ['test/kubernetes/ingress-tls.e2e-spec.ts', 'are served at 443, each with the certificate of its Secret'],
    ['test/kubernetes/ingress-tls.e2e-spec.ts', 'take over a renewed Secret'],
  ],
};

describe('the page about Kubernetes as a source', () => {
  it('lists the fields that requests have shown to be served, and no others', () => {
    const table = PAGE.split('<!-- fields -->')[1]?.split('<!-- end -->')[0] ?? '';
    const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, field]) => field);
    expect(listed).toEqual(ROWS.map(({ field }) => field));
  });

  it('lists of the other kinds what a test is about, and nothing else', () => {
    const section = PAGE.split('## GRPCRoute, BackendTLSPolicy, Ingress')[1]?.split('\n## ')[0] ?? '';
    // Below the head and its line.
    const rows = [...section.matchAll(/^\| (.+?) +\| /gm)].map(([, field]) => field);
    expect(rows.slice(2)).toEqual(Object.keys(SHOWN));
  });

  it.each(Object.entries(SHOWN))('%s', (_field, tests) => {
    for (const [file, test] of tests) expect(readFileSync(join(ROOT, file), 'utf8')).toContain(test);
  });
});
