import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { readNotification } from './notification.event.ts';

Logger.overrideLogger(false);

describe('a message about a notification', () => {
  it('becomes the event of the subscription', () => {
    const createdAt = '2026-11-22T10:00:00Z';
    expect(readNotification(JSON.stringify({ id: '1', text: 'hi', createdAt, extra: 1 }))).toEqual({
      notificationAdded: { id: '1', text: 'hi', createdAt },
    });
    expect(readNotification('{"id":"1","text":"hi"}')?.notificationAdded.createdAt).toBeNull();
  });

  it.each(['', '{', '7', 'null', '{}', '{"id":7,"text":"x"}', '{"id":"1","text":"x","createdAt":"noon"}'])(
    'is left out when it has another shape: %s',
    (text) => {
      expect(readNotification(text)).toBeUndefined();
    },
  );
});
