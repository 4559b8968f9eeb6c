import { describe, expect, it } from '@jest/globals';
import { collectionOf, KINDS, pathOf, type Kind } from './kinds.ts';

const kindOf = (name: string): Kind => KINDS.find(({ kind }) => kind === name) as Kind;

describe('pathOf', () => {
  it('is that of the API, in one namespace or in all', () => {
    expect(pathOf(kindOf('HTTPRoute'))).toBe('apis/gateway.networking.k8s.io/v1/httproutes');
    expect(pathOf(kindOf('Service'), 'shop', 'users')).toBe('api/v1/namespaces/shop/services/users');
    expect(pathOf(kindOf('Service'), 'a/b', '../c')).toBe('api/v1/namespaces/a%2Fb/services/..%2Fc');
    expect(pathOf(kindOf('GatewayClass'), '', 'gatehouse')).toBe(
      'apis/gateway.networking.k8s.io/v1/gatewayclasses/gatehouse',
    );
  });
});

describe('collectionOf', () => {
  it('asks for those of one namespace, but for kinds of the cluster', () => {
    expect(collectionOf(kindOf('HTTPRoute'), 'shop')).toMatchObject({
      title: 'httproutes of gateway.networking.k8s.io in the namespace shop',
    });
    expect(collectionOf(kindOf('Namespace'), 'shop').path(undefined)).toBe('api/v1/namespaces');
  });

  it('asks for no Secrets but certificates, and for no ConfigMaps but authorities', () => {
    expect(collectionOf(kindOf('Secret')).query).toEqual({ fieldSelector: 'type=kubernetes.io/tls' });
    expect(collectionOf(kindOf('ConfigMap')).query).toEqual({ labelSelector: 'gatehouse.dev/ca=true' });
  });
});
