import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { GetUnreadResponseSchema } from '../services/gen/shop/v1/notifications_pb.ts';
import { toNotifications } from './notifications.mapper.ts';

describe('toNotifications', () => {
  it('makes plain data, with times as text', () => {
    const latest = [
      { id: 'n1', text: 'hello', createdAt: timestampFromMs(0) },
      { id: 'n2', text: 'again' },
    ];
    expect(toNotifications(create(GetUnreadResponseSchema, { unread: 2, latest }))).toEqual({
      unread: 2,
      latest: [
        { id: 'n1', text: 'hello', createdAt: '1970-01-01T00:00:00.000Z' },
        { id: 'n2', text: 'again', createdAt: null },
      ],
    });
  });
});
