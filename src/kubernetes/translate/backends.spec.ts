import { describe, expect, it } from '@jest/globals';
import { Backends } from './backends.ts';
import { serviceText, settingsOf, viewOf } from './scene.fixture.ts';

const FROM = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' };
const tls = (validation: string, target = ''): string => `
---
kind: BackendTLSPolicy
metadata: { name: p }
spec: { targetRefs: [{ group: '', kind: Service, name: a ${target} }], validation: { hostname: inner.test ${validation} } }
`;
const backends = (text: string): Backends =>
  new Backends({ view: viewOf(text), settings: settingsOf({ access: { context: 'c' } }) });

describe('Backends', () => {
  it('makes an upstream of a port of a Service, found by discovery', () => {
    const all = backends(serviceText('a'));
    expect(all.upstreamOf({ name: 'a', port: 80 }, FROM, 'f')).toBe('k8s_default_a_80');
    expect(all.upstreamOf({ name: 'a', port: 'http' }, FROM, 'f', 'grpc')).toBe('k8s_default_a_80_grpc');
    const kubernetes = { service: 'a', namespace: 'default', port: 'http', context: 'c' };
    expect(Object.fromEntries(all.upstreams)).toEqual({
      k8s_default_a_80: { host: 'keep', discovery: { kubernetes } },
      k8s_default_a_80_grpc: { protocol: 'grpc', discovery: { kubernetes } },
    });
  });

  it.each([
    [{ name: 'none', port: 80 }, 'BackendNotFound', /f: there is no Service default\/none/],
    [{ name: 'a', port: 81 }, 'BackendNotFound', /f\.port: the Service default\/a has no port 81/],
    [{ name: 'a', kind: 'Bucket', group: 's3.example' }, 'InvalidKind', /not Bucket/],
    [{ name: 'a', namespace: 'other', port: 80 }, 'RefNotPermitted', /no ReferenceGrant in other/],
    [{ name: 'ext', port: 80 }, 'BackendNotFound', /ExternalName/],
  ])('refuses %j', (ref, reason, message) => {
    const all = backends(
      serviceText('a') + serviceText('ext', 'default', '').replace('spec: {', 'spec: { type: ExternalName,'),
    );
    let fault: unknown;
    try {
      all.upstreamOf(ref, FROM, 'f');
    } catch (error) {
      fault = error;
    }
    expect(fault).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(all.upstreams.size).toBe(0);
  });

  it('speaks TLS as a BackendTLSPolicy says, to the port that it names', () => {
    const of = (text: string): unknown => {
      const all = backends(serviceText('a') + text);
      all.upstreamOf({ name: 'a', port: 80 }, FROM, 'f');
      return all.upstreams.get('k8s_default_a_80')?.['tls'];
    };
    expect(of(tls(', wellKnownCACertificates: System'))).toEqual({ serverName: 'inner.test' });
    expect(of(tls('', ', sectionName: http'))).toEqual({ serverName: 'inner.test' });
    expect(of(tls('', ', sectionName: others'))).toBeUndefined();
  });

  it.each([
    [
      ', caCertificateRefs: [{ group: "", kind: ConfigMap, name: none }]',
      'NoValidCACertificate',
      /no ConfigMap none with the label/,
    ],
    [
      ', caCertificateRefs: [{ group: "", kind: Secret, name: s }]',
      'NoValidCACertificate',
      /expected a ConfigMap/,
    ],
    [', subjectAltNames: [{ type: Hostname, hostname: x }]', 'Invalid', /subjectAltNames/],
  ])('never speaks without it where the policy cannot be used: %s', (validation, reason, message) => {
    const all = backends(serviceText('a') + tls(validation));
    expect([...all.tlsPolicies]).toMatchObject([
      { condition: { status: 'False', reason, message: expect.stringMatching(message) } },
    ]);
    expect(() => all.upstreamOf({ name: 'a', port: 80 }, FROM, 'f')).toThrow(
      /BackendTLSPolicy p cannot be used/,
    );
  });
});
