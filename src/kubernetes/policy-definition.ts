import { z } from 'zod';
import { policyList } from '../policies/order.ts';

type Schema = Readonly<Record<string, unknown>>;

const OPEN = { 'x-kubernetes-preserve-unknown-fields': true } as const;
const name = { type: 'string', minLength: 1, maxLength: 253 } as const;

/**
 * The definition of the kind GatehousePolicy (apiextensions.k8s.io/v1). Its `spec.policies` are those of the file, from the
 * same schemas, as far as a cluster can check them. What it cannot check it keeps as it is, names of no policy included: the
 * gateway refuses those, where a cluster would drop them and leave a route without what was meant to guard it.
 */
export function policyDefinition(): Schema {
  const spec = specification();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'gatehousepolicies.gatehouse.dev',
      labels: { 'gateway.networking.k8s.io/policy': 'Direct' },
    },
    spec: {
      group: 'gatehouse.dev',
      scope: 'Namespaced',
      names: {
        kind: 'GatehousePolicy',
        listKind: 'GatehousePolicyList',
        plural: 'gatehousepolicies',
        singular: 'gatehousepolicy',
        categories: ['gateway-api'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            {
              name: 'Accepted',
              type: 'string',
              jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
            },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: { type: 'object', required: ['spec'], properties: { spec, status: STATUS } },
          },
        },
      ],
    },
  };
}

function specification(): Schema {
  const policies = Object.fromEntries(policyList.map((policy) => [policy.name, ofPolicy(policy)]));
  return {
    type: 'object',
    required: ['targetRefs', 'policies'],
    properties: {
      targetRefs: {
        type: 'array',
        minItems: 1,
        maxItems: 16,
        description: 'What the policies hold for, in the namespace of the policy.',
        items: {
          type: 'object',
          required: ['group', 'kind', 'name'],
          properties: {
            group: { ...name, enum: ['gateway.networking.k8s.io', 'networking.k8s.io'] },
            kind: { ...name, enum: ['Gateway', 'HTTPRoute', 'GRPCRoute', 'Ingress'] },
            name,
            sectionName: { ...name, description: 'A listener of the Gateway, or a rule of the route.' },
          },
        },
      },
      policies: {
        type: 'object',
        description: 'Policies by name, as `policies` of the configuration file.',
        properties: policies,
        ...OPEN,
      },
    },
  };
}

const STATUS = {
  type: 'object',
  properties: {
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
        properties: {
          type: { type: 'string' },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          reason: { type: 'string' },
          message: { type: 'string' },
          lastTransitionTime: { type: 'string', format: 'date-time' },
          observedGeneration: { type: 'integer', format: 'int64' },
        },
      },
    },
  },
} as const;

// A whole policy may be `off`, whatever its own type is, and so it has none here.
function ofPolicy({ schema, summary }: { readonly schema: z.ZodType; readonly summary: string }): Schema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
  });
  const { properties } = structural(json as Schema);
  return { description: summary, ...(properties !== undefined && { properties }), ...OPEN };
}

/** What of a JSON Schema a structural schema can say: one type, and no more than that where there are several. */
function structural(schema: Schema): Schema {
  const { type, description, enum: choices, items, properties } = schema;
  const said = { ...(typeof description === 'string' && { description }) };
  if (Array.isArray(choices) && choices.every((one) => typeof one === 'string'))
    return { ...said, type: 'string', enum: choices };
  if (type === 'array') return { ...said, type, items: structural((items ?? {}) as Schema) };
  if (type === 'boolean' || type === 'integer' || type === 'number' || type === 'string')
    return { ...said, type };
  if (type !== 'object' || typeof properties !== 'object' || properties === null) return { ...said, ...OPEN };
  const all = Object.entries(properties as Readonly<Record<string, Schema>>).map(([key, one]) => [
    key,
    structural(one),
  ]);
  return { ...said, type, properties: Object.fromEntries(all) as Schema, ...OPEN };
}
