import { describe, expect, it } from '@jest/globals';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { readDescriptorSet } from '../upstreams/grpc/descriptors/descriptor-files.ts';
import { messageValue } from './message-value.ts';

const registry = readDescriptorSet('config/descriptors/shop.binpb');

describe(messageValue, () => {
  const messages = [...registry].filter((one) => one.kind === 'message');

  it('fits each message of a schema, the same each time', () => {
    expect(messages.length).toBeGreaterThan(5);
    for (const message of messages) {
      const value = messageValue(message, {});
      fromJson(message, value as JsonValue);
      expect(messageValue(message, {})).toEqual(value);
    }
  });

  it('is about what was asked for', () => {
    const message = registry.getMessage('shop.v1.GetOrderResponse');
    expect(messageValue(message ?? fail(), { id: 'ord-7' })).toMatchObject({ order: { id: 'ord-7' } });
  });
});

function fail(): never {
  throw new Error('the sample has no such message');
}
